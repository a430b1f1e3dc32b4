"""A CRM that hangs, drips, floods or lies takes one exit of the block, and the dialogue goes on."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from apps.conversations.models import Call, Message
from apps.events.models import Event
from apps.identity.models import Lead
from apps.scenarios.models import Session
from tests.conversations.sending import sender, until
from tests.making import make_channel, make_lead
from tests.scenarios.making import make_scenario
from tests.scenarios.test_outside_calls import calling, ended
from tests.scenarios.test_runtime import said, start
from tools.emulators.crm.client import Control
from tools.emulators.crm.server import running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crm() -> Iterator[Control]:
    """The emulated CRM in a loop of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    urls: list[str] = []

    async def serve() -> None:
        async with running() as crm:
            loops.append(asyncio.get_running_loop())
            urls.append(crm.url)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(5)
    yield Control(urls[0])
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture
def lead() -> Lead:
    return make_lead(make_channel(kind="widget"), chat_id="w_1", name="Anna")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"do": "hang"}, "timeout: No answer within 0.5 s."),
        ({"do": "drip"}, "timeout: No answer within 0.5 s."),
        ({"do": "huge"}, "server_error: "),
        ({"do": "html", "status": 200}, "server_error: The system's answer is not JSON."),
        ({"do": "garbage"}, "server_error: The system's answer is not JSON."),
        ({"do": "cut"}, "server_error: "),
        ({"do": "500"}, "server_error: The system answered 500."),
        ({"do": "404"}, "client_error: The system refused the request with 404."),
        ({"do": "302", "to": "http://169.254.169.254/"}, "client_error: The system answered 302; redirects are not followed."),
    ],
    ids=lambda value: str(value["do"]) if isinstance(value, dict) else "",
)
def test_whatever_the_crm_does_takes_its_exit(lead: Lead, crm: Control, step: dict[str, object], expected: str) -> None:
    crm.script({**step, "times": -1})
    start(lead, make_scenario(lead.channel.bot, calling(crm.url, timeout=0.5)), order=1)
    with sender():
        until(ended)
    heard = said(lead)
    assert heard[0] == "One moment."
    assert heard[1].startswith(expected)
    assert len(heard) == 2
    assert Call.objects.get().attempts == 1


def test_each_attempt_stands_in_the_log_with_whom_it_was_about(lead: Lead, crm: Control) -> None:
    crm.script({"do": "503"}, {"do": "hang"}, {"do": "ok"})
    start(lead, make_scenario(lead.channel.bot, calling(crm.url, timeout=0.5, retries=2, backoff_seconds=0.1)), order=1)
    with sender():
        until(ended)
    log = Event.objects.filter(kind__startswith="call.").order_by("id").values_list("kind", "status", "details__answer", "details__attempt")
    assert list(log) == [("call.retried", "fail", 503, 1), ("call.retried", "fail", "timeout", 2), ("call.made", "success", 200, 3)]
    chat = Message.objects.values_list("conversation_id", flat=True).distinct().get()
    about = set(Event.objects.filter(kind__startswith="call.").values_list("person_id", "lead_id", "conversation_id", "session_id"))
    assert about == {(lead.person_id, lead.pk, chat, Session.objects.get().pk)}
