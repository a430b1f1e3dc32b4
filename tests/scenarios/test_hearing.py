"""Internal events of the product start the scenarios that listen to them, with the event as variables, and never without end."""

import json

import pytest

from apps.conversations import advancing
from apps.conversations.models import Conversation, Update
from apps.events import bus, recording
from apps.events.models import Delivery, Event
from apps.identity.models import Lead
from apps.scenarios import triggers
from apps.scenarios.models import Session
from tests.events.webhooks.receiving import subscribe
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import Json, definition, node, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.test_runtime import said, start, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    bus.skip()
    return make_lead(make_channel(kind="widget"), chat_id="w_1", name="Anna")


def listening(name: str, *nodes: Json) -> Json:
    return definition(node("start", "start", next="a"), *nodes, node("end", "end"), triggers=[{"kind": "event", "name": name}])


def tell(lead: Lead, kind: str, **details: object) -> None:
    about = {"person_id": lead.person_id, "lead_id": lead.pk, "channel_id": lead.channel_id}
    recording.record(kind, bot_id=lead.channel.bot_id, trace_id="trace-9", details=dict(details), **about)  # type: ignore[arg-type]


def test_an_event_of_the_product_starts_the_scenario_that_listens_to_it(lead: Lead) -> None:
    make_scenario(
        lead.channel.bot,
        listening("record.created", node("a", "message", {"text": "{{ event }}: {{ table }} {{ event_data.type }}"}, next="end")),
    )
    tell(lead, "record.created", table="complaints")
    tell(lead, "record.deleted", table="complaints")
    bus.pump()
    advancing.drain()
    assert said(lead) == ["record.created: complaints record.created"]
    update = Update.objects.get(kind="start")
    assert (update.trace_id, Session.objects.get().trace_id) == ("trace-9", "trace-9")
    assert Event.objects.get(kind="session.started").details["why"] == "event “record.created”"
    bus.pump()
    assert Update.objects.filter(kind="start").count() == 1


def test_an_event_of_a_person_reaches_their_chat_and_one_of_nobody_starts_nothing(lead: Lead) -> None:
    make_scenario(lead.channel.bot, listening("crm.synced", node("a", "message", {"text": "Synced."}, next="end")))
    recording.record("crm.synced", bot_id=lead.channel.bot_id, person_id=lead.person_id)
    recording.record("crm.synced", bot_id=lead.channel.bot_id)
    recording.record("crm.synced", bot_id=make_channel().bot_id, person_id=lead.person_id)
    bus.pump()
    advancing.drain()
    assert said(lead) == ["Synced."]


def test_scenarios_that_set_each_other_off_come_to_an_end(lead: Lead) -> None:
    make_scenario(lead.channel.bot, listening("session.ended", node("a", "message", {"text": "Again."}, next="end")))
    tell(lead, "session.ended")
    for _round in range(12):
        bus.pump()
        advancing.drain()
    assert said(lead) == ["Again."] * 6
    assert Event.objects.filter(kind="session.skipped", details__reason="too many generations").exists()


def test_the_scenarios_own_event_starts_at_once_and_only_once(lead: Lead) -> None:
    make_scenario(
        lead.channel.bot, listening("order_done", node("a", "message", {"text": "Done: {{ total }}"}, next="end")), key="listener"
    )
    told = definition(
        node("start", "start", next="tell"), node("tell", "emit_event", {"name": "order_done", "data": {"total": "15"}}, next="end"), node("end", "end")
    )  # fmt: skip
    start(lead, make_scenario(lead.channel.bot, told, key="teller"))
    bus.pump()
    advancing.drain()
    assert said(lead) == ["Done: 15"]


def test_webhooks_tell_what_the_client_wrote_and_who_it_was(lead: Lead) -> None:
    make_scenario(lead.channel.bot, thank_you(triggers=[{"kind": "any_message"}]))
    subscribe("https://data.example/hook", "message.received", "session.started", bot_id=lead.channel.bot_id)
    write(lead, "Where is my order?")
    bus.pump()
    body = json.loads(Delivery.objects.get(kind="message.received").body)
    conversation = Conversation.objects.get()
    assert (body["type"], body["leadId"], body["conversation"], body["channel"]) == (
        "message.received", lead.code, {"id": conversation.pk}, {"id": lead.channel_id, "kind": "widget", "name": lead.channel.name},
    )  # fmt: skip
    message = body["data"]["message"]
    assert (message["text"], message["direction"], message["type"], message["author"]) == ("Where is my order?", "in", "text", "client")
    assert body["lead"]["chat_id"] == "w_1"
    assert Delivery.objects.get(kind="session.started").order_key == conversation.pk
