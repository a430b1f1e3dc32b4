"""A call whose answer comes later, to a signed one-time address: early, late, twice, never."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.conversations import callbacks, outcalls, sweeping
from apps.conversations.callbacks import Taken
from apps.conversations.models import Call, Outbox
from apps.events.models import Event
from apps.identity.models import Lead
from apps.scenarios.models import Session
from tests.conversations.sending import sender, until
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.making import make_scenario
from tests.scenarios.test_outside_calls import Crm, crm, ended, lead
from tests.scenarios.test_runtime import said, start

__all__ = ["crm", "lead"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bus.example"


def delivering(url: str, **params: object) -> Json:
    """Orders a courier, who reports later."""
    request = {
        "method": "POST", "url": url + "/courier?back={{ callback_url }}", "body": {"order": 7, "back": "{{ callback_url }}"},
        "save": {"state": "callback.state", "number": "json.number"}, "wait_for_callback": True, "callback_hours": 72, "retries": 0, **params,
    }  # fmt: skip
    return definition(
        node("start", "start", next="wait"),
        node("wait", "message", {"text": "A courier is called."}, next="ask"),
        node("ask", "action", {"action": "action_send_request", "params": request}, ok="good", no_callback="never", server_error="bad"),
        node("good", "message", {"text": "The courier says: {{ state }} ({{ number }})."}, next="end"),
        node("never", "message", {"text": "The courier is silent."}, next="end"),
        node("bad", "message", {"text": "No couriers: {{ request_error }}"}, next="end"),
        node("end", "end"),
    )


def waiting(lead: Lead, crm: Crm) -> Call:
    """The CRM has accepted the call and owes the callback."""
    crm.answers.append((202, {}, b'{"number": 15}'))
    start(lead, make_scenario(lead.channel.bot, delivering(crm.url)))
    with sender():
        until(lambda: Call.objects.filter(state="waiting").exists())
    return Call.objects.get()


def address(crm: Crm) -> str:
    found = crm.asked[0]["headers"]["X-Callback-Url"]
    assert isinstance(found, str)
    return found.removeprefix("https://bus.example")


def claimed() -> list[Call]:
    """As a sender claims it once what was said before has left."""
    Outbox.objects.all().delete()
    return outcalls.claim(1, limit=5)


def token_of(call: Call) -> str:
    return callbacks.url_of(session_id=call.session_id, visit=call.visit).rpartition("/")[2]


def test_the_dialogue_goes_on_when_the_callback_comes_and_a_second_one_changes_nothing(lead: Lead, crm: Crm, client: Client) -> None:
    call = waiting(lead, crm)
    assert said(lead) == ["A courier is called."]
    assert call.due_at > timezone.now() + timedelta(hours=71)
    back = address(crm)
    assert json.loads(crm.asked[0]["body"]) == {"order": 7, "back": f"https://bus.example{back}"}
    assert "callback.invalid" not in crm.asked[0]["path"]
    first = client.post(back, {"state": "on the way"}, content_type="application/json")
    assert (first.status_code, first.json()["status"]) == (202, "accepted")
    again = client.post(back, {"state": "lost"}, content_type="application/json")
    assert (again.status_code, again.json()["status"]) == (200, "already_received")
    until(ended)
    assert said(lead) == ["A courier is called.", "The courier says: on the way (15)."]
    assert ended()
    late = client.post(back, {"state": "lost"}, content_type="application/json")
    assert (late.status_code, said(lead)[-1]) == (200, "The courier says: on the way (15).")
    assert Event.objects.filter(kind="call.answered", status="success").count() == 1


def test_after_the_time_the_exit_is_taken_and_the_callback_is_told_so(lead: Lead, crm: Crm, client: Client) -> None:
    call = waiting(lead, crm)
    sweeping.sweep()
    assert not ended()
    Call.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    sweeping.sweep()
    sweeping.sweep()
    until(ended)
    assert said(lead) == ["A courier is called.", "The courier is silent."]
    answer = client.post(address(crm), {"state": "here"}, content_type="application/json")
    assert (answer.status_code, answer.json()["message"]) == (
        410, "Nobody waits for this answer any more: its time is over or the dialogue has ended",
    )  # fmt: skip
    assert Call.objects.get(pk=call.pk).state == "done"


def test_a_callback_that_overtakes_the_answer_to_our_call_is_kept(lead: Lead, crm: Crm) -> None:
    start(lead, make_scenario(lead.channel.bot, delivering(crm.url)))
    [call] = claimed()
    assert callbacks.receive(token_of(call), content_type="application/json", body='{"state": "quick"}') is Taken.NEW
    assert callbacks.receive(token_of(call), content_type="application/json", body='{"state": "slow"}') is Taken.KNOWN
    assert not ended()
    outcalls.settle([outcalls.CallOutcome(call, reply={"error": "timeout", "reason": "No answer within 10 s."}, again_in=60)])
    until(ended)
    assert said(lead)[-1] == "The courier says: quick ()."


def test_a_callback_between_two_attempts_ends_the_attempts(lead: Lead, crm: Crm) -> None:
    start(lead, make_scenario(lead.channel.bot, delivering(crm.url)))
    [call] = claimed()
    outcalls.settle([outcalls.CallOutcome(call, reply={"status": 503}, again_in=60)])
    assert callbacks.receive(token_of(call), content_type="text/plain", body="hello") is Taken.NEW
    until(ended)
    assert ended()
    assert Call.objects.get().state == "done"


def test_a_refused_call_does_not_wait(lead: Lead, crm: Crm) -> None:
    crm.answers.append((500, {}, b"oops"))
    start(lead, make_scenario(lead.channel.bot, delivering(crm.url)))
    with sender():
        until(ended)
    assert said(lead)[-1] == "No couriers: The system answered 500."


def test_a_callback_for_a_dialogue_that_is_over_is_late(lead: Lead, crm: Crm) -> None:
    call = waiting(lead, crm)
    outcalls.cancel(session_ids=[call.session_id])
    assert callbacks.receive(token_of(call), content_type="", body="") is Taken.LATE
    assert Call.objects.get().state == "cancelled"


@pytest.mark.parametrize(("address", "status"), [("1-1.forged", 404), ("x", 404), ("1-1", 404)])
def test_a_forged_address_is_not_there(client: Client, address: str, status: int) -> None:
    assert client.post(f"/callbacks/{address}", {}, content_type="application/json").status_code == status


def test_what_is_no_json_or_too_large_is_refused_and_the_call_still_waits(lead: Lead, crm: Crm, client: Client) -> None:
    waiting(lead, crm)
    back = address(crm)
    assert client.post(back, b'{"a": NaN}', content_type="application/json").status_code == 400
    assert client.post(back, b"x" * (1024 * 1024 + 1), content_type="text/plain").status_code == 413
    assert client.get(back).status_code == 405
    assert Call.objects.get().state == "waiting"
    assert client.post(back, b'{"state": "here"}', content_type="application/json").status_code == 202


def test_without_a_public_address_the_block_says_so(lead: Lead, crm: Crm, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    start(lead, make_scenario(lead.channel.bot, delivering(crm.url)))
    assert not Call.objects.exists()
    assert Session.objects.get().status == "failed"
