"""A scenario calls the CRM: committed before, made once per visit, its answer taken by the right exit, whatever the CRM does."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.conversations import outcalls
from apps.conversations.models import Call, Message, Outbox
from apps.core import breaker
from apps.core.models import HeldHost, InstanceSetting
from apps.core.settings_store import forget
from apps.events.models import Event
from apps.identity.models import ClientField, Lead
from apps.scenarios import triggers
from apps.scenarios.models import Session, SessionStep
from tests.conversations.sending import sender, until
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.making import make_scenario
from tests.scenarios.test_runtime import said, start, write

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Crm:
    """A CRM on loopback that answers as told and remembers what it was asked."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[Json] = field(default_factory=list)


@pytest.fixture
def crm() -> Iterator[Crm]:
    known = Crm()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known.asked.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body.decode()})
            status, headers, answer = known.answers.pop(0) if known.answers else (200, {}, b'{"ok": true}')
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), "Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = handle_any

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    return make_lead(make_channel(kind="widget"), chat_id="w_1", name="Anna")


def calling(url: str, **params: Any) -> Json:
    """Says a line, asks the CRM about an order, says how it went."""
    said_by = {
        name: node(f"on_{name}", "message", {"text": f"{name}: {{{{ request_error }}}}"}, next="end")
        for name in ("client_error", "server_error", "timeout", "refused")
    }
    request = {"method": "GET", "url": url + "/orders/{{ order }}", "save": {"status": "json.status"}, "retries": 0, **params}
    return definition(
        node("start", "start", next="wait"),
        node("wait", "message", {"text": "One moment."}, next="ask"),
        node("ask", "action", {"action": "action_send_request", "params": request}, ok="good", **{name: f"on_{name}" for name in said_by}),
        node("good", "message", {"text": "Your order is {{ status }}."}, next="end"),
        *said_by.values(),
        node("end", "end"),
    )


def ended() -> bool:
    return not Session.objects.filter(status="active").exists()


def test_the_answer_becomes_a_variable_and_the_dialogue_goes_on(lead: Lead, crm: Crm) -> None:
    crm.answers.append((200, {}, b'{"status": "shipped"}'))
    update = start(lead, make_scenario(lead.channel.bot, calling(crm.url)), order=9821)
    assert update.outcome["status"] == "calling"
    assert said(lead) == ["One moment."]
    with sender():
        until(ended)
    assert said(lead) == ["One moment.", "Your order is shipped."]
    [asked] = crm.asked
    assert (asked["method"], asked["path"]) == ("GET", "/orders/9821")
    session = Session.objects.get()
    assert asked["headers"]["Idempotency-Key"] == f"s{session.pk}-v3"
    assert asked["headers"]["X-Trace-Id"] == "trace-start"
    event = Event.objects.get(kind="call.made")
    assert (event.status, event.trace_id, event.details["answer"]) == ("success", "trace-start", 200)


def test_a_call_goes_as_soon_as_what_was_said_before_it_has_left(lead: Lead, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcalls, "PATIENCE", timedelta(hours=1))
    crm.answers.append((200, {}, b'{"status": "shipped"}'))
    start(lead, make_scenario(lead.channel.bot, calling(crm.url)), order=9821)
    with sender():
        until(ended)
    assert said(lead) == ["One moment.", "Your order is shipped."]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((404, {}, b"{}"), "client_error: The system refused the request with 404."),
        ((500, {}, b"oops"), "server_error: The system answered 500."),
        ((200, {"Content-Type": "text/html"}, b"<html>hello</html>"), "server_error: The system's answer is not JSON."),
        ((302, {"Location": "http://10.0.0.1/"}, b""), "client_error: The system answered 302; redirects are not followed."),
    ],
)
def test_each_bad_answer_takes_its_exit(lead: Lead, crm: Crm, answer: tuple[int, dict[str, str], bytes], expected: str) -> None:
    crm.answers.append(answer)
    start(lead, make_scenario(lead.channel.bot, calling(crm.url)), order=1)
    with sender():
        until(ended)
    assert said(lead) == ["One moment.", expected]


def test_an_address_that_is_not_allowed_is_refused(lead: Lead) -> None:
    start(lead, make_scenario(lead.channel.bot, calling("http://10.1.2.3")), order=1)
    with sender():
        until(ended)
    assert said(lead)[1].startswith("refused: ")
    assert Call.objects.get().status_code is None


def test_a_server_error_is_tried_again_with_the_same_key(lead: Lead, crm: Crm) -> None:
    crm.answers += [(503, {"Retry-After": "0"}, b""), (200, {}, b'{"status": "paid"}')]
    start(lead, make_scenario(lead.channel.bot, calling(crm.url, retries=1, backoff_seconds=0.1)), order=1)
    with sender():
        until(ended)
    assert said(lead)[-1] == "Your order is paid."
    assert len({asked["headers"]["Idempotency-Key"] for asked in crm.asked}) == 1
    assert len(crm.asked) == 2
    log = Event.objects.filter(kind__startswith="call.").order_by("id").values_list("kind", "status", "details__answer", "person_id")
    person = Session.objects.get().person_id
    assert list(log) == [("call.retried", "fail", 503, person), ("call.made", "success", 200, person)]


def test_a_call_in_the_hand_of_a_dead_sender_is_made_again(lead: Lead, crm: Crm) -> None:
    start(lead, make_scenario(lead.channel.bot, calling(crm.url)), order=1)
    Outbox.objects.all().delete()  # what was said before has left
    outcalls.claim(999_999, limit=1)  # nobody holds this identity's lock
    with sender():
        until(ended)
    assert Call.objects.get().deaths == 1
    assert len(crm.asked) == 1


def test_a_result_that_comes_after_the_session_is_over_changes_nothing(lead: Lead, crm: Crm) -> None:
    start(lead, make_scenario(lead.channel.bot, calling(crm.url)), order=1)
    session = Session.objects.get()
    write(lead, "anything")
    start(lead, make_scenario(lead.channel.bot, definition(node("start", "start", next="end"), node("end", "end"))))
    session.refresh_from_db()
    assert session.status == "cancelled"
    assert Call.objects.get().state == "cancelled"
    with sender():
        until(ended)
    assert crm.asked == []
    assert Message.objects.filter(direction="out").count() == 1


def test_secrets_of_a_request_are_used_and_never_shown(lead: Lead, crm: Crm) -> None:
    InstanceSetting.objects.create(key="crm_token", is_secret=True, value="s3cr3t-value-of-the-crm")
    forget()
    crm.answers.append((200, {}, b'{"status": "paid"}'))
    start(
        lead,
        make_scenario(lead.channel.bot, calling(crm.url, headers={"Authorization": "Bearer {{ instance_settings.crm_token }}"})),
        order=1,
    )
    with sender():
        until(ended)
    assert crm.asked[0]["headers"]["Authorization"] == "Bearer s3cr3t-value-of-the-crm"
    with connection.cursor() as cursor:
        for table in ("events_event", "conversations_call", "scenarios_session", "scenarios_sessionstep", "conversations_update"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")  # noqa: S608
            assert "s3cr3t" not in cursor.fetchone()[0], table


def test_personal_data_in_a_call_is_hidden_in_what_people_read(lead: Lead, crm: Crm) -> None:
    ClientField.objects.create(key="passport", label="Passport", is_private=True)
    asked = {"method": "POST", "query": {"phone": "+380501112233"}, "body": {"passport": "{{ passport }}", "order": 7}}
    start(lead, make_scenario(lead.channel.bot, calling(crm.url, **asked)), order=1, passport="AB-99123")
    with sender():
        until(ended)
    [call] = crm.asked
    assert (call["path"], json.loads(call["body"])) == ("/orders/1?phone=%2B380501112233", {"passport": "AB-99123", "order": 7})
    shown = {"method": "POST", "url": f"{crm.url}/orders/1?phone=+380*******33", "body": {"passport": "***", "order": 7}}
    assert Call.objects.get().shown == shown
    assert Event.objects.get(kind="call.made").details["request"] == shown
    told = json.dumps(list(SessionStep.objects.values_list("events", flat=True)))
    assert ("AB-99123" in told, "80501112233" in told) == (False, False)


def test_what_was_said_before_a_call_leaves_before_it_unless_the_messenger_keeps_it(lead: Lead, crm: Crm) -> None:
    start(lead, make_scenario(lead.channel.bot, calling(crm.url)), order=1)
    assert outcalls.claim(1, limit=5) == []
    Call.objects.update(created_at=timezone.now() - outcalls.PATIENCE)
    [call] = outcalls.claim(1, limit=5)
    Call.objects.update(created_at=timezone.now(), claimed_by=None)
    assert outcalls.claim(1, limit=5) == []
    Outbox.objects.all().delete()
    assert outcalls.claim(1, limit=5) == [call]


def test_a_system_that_keeps_failing_is_left_alone_and_the_dialogues_go_on(lead: Lead, crm: Crm) -> None:
    crm.answers += [(500, {}, b"oops")] * 6
    scenario = make_scenario(lead.channel.bot, calling(crm.url, retries=4, backoff_seconds=0.1))
    start(lead, scenario, order=1)
    with sender():
        until(ended)
        start(lead, scenario, order=2)
        until(ended)
    assert len(crm.asked) == breaker.FAILURES
    assert said(lead)[1] == "server_error: The system answered 500."
    assert said(lead)[3].endswith(f"has failed again and again; it is called again in {breaker.OPEN_SECONDS} s.")
    held = HeldHost.objects.get()
    assert (crm.url.endswith(held.host), held.reason) == (True, "It answered 500.")
