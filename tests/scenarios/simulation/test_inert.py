"""Trying out is inert: not one row of one table differs afterwards and nobody is called, whatever is said. Each check is shown to see."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.identity.models import Person
from apps.scenarios.models import Scenario
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import Json, button, definition, node
from tests.scenarios.making import make_scenario
from tests.scenarios.test_outside_calls import Crm
from tests.scenarios.test_outside_calls import crm as serve_crm

pytestmark = pytest.mark.django_db
Turn = Callable[..., Json]
INPUTS: list[Json] = [
    {"kind": "start"},
    {"kind": "said", "text": "Hello"},
    {"kind": "pressed", "button": "go"},
    {"kind": "said", "type": "contact", "contact": {"phone": "+998901234567", "own": True}},
    {"kind": "later"},
    {"kind": "later", "seconds": 864_000},
    {"kind": "cancelled"},
    {"kind": "said", "text": "order"},
    {"kind": "pressed", "button": "go", "node": "ask", "visit": 1},
    {"kind": "start", "node": "operator"},
    {"kind": "start", "node": "record"},
]


@pytest.fixture
def crm() -> Iterator[Crm]:
    yield from serve_crm.__wrapped__()  # type: ignore[attr-defined]


@pytest.fixture
def everything(crm: Crm) -> Scenario:
    """Every way out of a scenario: calls, stored people, records, operators, events, timers."""
    call = {"action": "action_send_request", "params": {"method": "GET", "url": crm.url}}
    keep = {"action": "registered_users__set", "params": {"values": {"city": "Kyiv"}}}
    write = {"action": "custom_modules__set", "params": {"model": "orders", "values": {"number": 7}}}
    data = definition(
        node("start", "start", next="call"),
        node("call", "action", call, ok="keep"),
        node("keep", "action", keep, next="tell", ok="tell"),
        node("tell", "emit_event", {"name": "paid", "data": {"a": 1}}, next="ask"),
        node("ask", "message", {"text": "Go on?", "buttons": [[button("go", "Go")]]}, go="wait", other="ask"),
        node("wait", "delay", {"amount": 2, "unit": "hours"}, next="phone"),
        node(
            "phone",
            "input",
            {"text": "Phone?", "kind": "phone", "save_as": "phone", "timeout": {"amount": 1, "unit": "days"}},
            ok="record",
            timeout="end",
        ),
        node("record", "action", write, saved="operator"),
        node("operator", "operator", {"message": "Help"}, connected="end", limit="end"),
        node("end", "end"),
        triggers=[{"kind": "keyword", "words": ["order"]}],
    )
    return make_scenario(make_bot(), data, publish=False)


@pytest.fixture
def preview(client: Client, everything: Scenario) -> Turn:
    client.force_login(User.objects.create_superuser("owner", password="x"))

    def turn(**body: Any) -> Json:
        answer = client.post(f"/admin/scenarios/scenario/{everything.pk}/preview/turn/", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        told: Json = answer.json()
        return told

    return turn


def world() -> dict[str, str]:
    """A print of every row of every table, apart from the browser's session."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.app_label != "sessions"})
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) || md5(coalesce(string_agg(row::text, chr(10) ORDER BY row::text), '')) FROM \"{table}\" row")  # noqa: S608  our own names
            found[table] = cursor.fetchone()[0]
    return found


def chat(turn: Turn, **more: Any) -> set[str]:
    """Everything said one after the other; the blocks that were entered."""
    state, seen = None, set()
    for said in INPUTS:
        told = turn(input=said, **more, **({"state": state} if state else {}))
        state = told["state"]
        seen |= set(told["path"])
    return seen


def test_a_whole_chat_leaves_no_trace_and_calls_nobody(preview: Turn, everything: Scenario, crm: Crm) -> None:
    lead = make_lead(make_channel(everything.bot), name="Anna")
    preview(input={"kind": "start"})  # what is read for the first time
    before = world()
    assert chat(preview, person={"lead": lead.code}) == {
        "start", "call", "keep", "tell", "ask", "wait", "phone", "record", "operator", "end",
    }  # fmt: skip
    assert [table for table, rows in world().items() if rows != before[table]] == []
    assert crm.asked == []


def test_these_checks_see_a_call_and_every_change_of_a_row(preview: Turn, everything: Scenario, crm: Crm) -> None:
    lead = make_lead(make_channel(everything.bot), name="Anna")
    before = world()
    preview(input={"kind": "start"}, person={"lead": lead.code}, live=True)
    assert len(crm.asked) == 1
    assert [table for table, rows in world().items() if rows != before[table]] == ["core_auditentry"]  # the note of the call, nothing else
    before = world()
    Person.objects.filter(pk=lead.person_id).update(timezone="Europe/Kyiv")
    assert [table for table, rows in world().items() if rows != before[table]] == [Person._meta.db_table]
