"""From a client's words to a record and back: a real scenario in a real chat."""

import pytest

from apps.conversations import advancing
from apps.customdata import records, structure
from apps.customdata.designing import FieldSpec
from apps.events import bus
from apps.events.models import Event
from apps.scenarios import triggers
from tests.customdata.conftest import BY, make_table
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import definition, node
from tests.scenarios.making import make_scenario
from tests.scenarios.test_runtime import said, write

pytestmark = pytest.mark.django_db
WRITE = {
    "action": "custom_modules__set",
    "params": {"model": "complaints", "values": {"subject": "{{ user_input }}", "kind": "{{ nothing }}"}},
}


def test_what_a_client_writes_becomes_a_record_that_starts_another_scenario() -> None:
    triggers.forget()
    bus.skip()
    structure.forget()
    table = make_table(FieldSpec("Subject", required=True), FieldSpec("Kind"), FieldSpec("Client", "person"))
    lead = make_lead(make_channel(kind="widget"), chat_id="w_1", name="Anna")
    told = node("b", "message", {"text": "Your complaint is No. {{ constants.complaint_id }}: {{ record.subject }}."}, next="end")
    make_scenario(
        lead.channel.bot,
        definition(
            node("start", "start", next="a"),
            node("a", "action", WRITE, saved="b", invalid="end", error="end", not_found="end"),
            told,
            node("end", "end"),
            triggers=[{"kind": "any_message"}],
        ),
        key="complain",
    )
    make_scenario(
        lead.channel.bot,
        definition(
            node("start", "start", next="a"),
            node("a", "message", {"text": "{{ table }} {{ record_id }}: {{ fields | join: ', ' }}"}, next="end"),
            node("end", "end"),
            triggers=[{"kind": "event", "name": "record.updated"}],
        ),
        key="follow",
    )
    write(lead, "Broken screen")
    record = records.find(table).records[0]
    assert records.values_of(record)["client"] == lead.person_id
    assert said(lead) == [f"Your complaint is No. {record.pk}: Broken screen."]
    records.update(table, record.pk, {"kind": "screen"}, by=BY)
    bus.pump()
    advancing.drain()
    assert said(lead)[1:] == [f"complaints {record.pk}: kind"]
    assert Event.objects.get(kind="record.updated").bot_id == lead.channel.bot_id
