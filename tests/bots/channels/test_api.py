"""The webhook by which an external messenger learns what we say, received by a web server in its place."""

import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from apps.bots.adapter import BadContentError, ConfigError, Credentials, Health, RateLimitedError, RetryError
from apps.bots.content import Content
from apps.bots.outgoing_webhook import FACTS
from apps.bots.registry import adapters
from apps.bots.signing import is_signed, signature, signed_headers

SECRET = "known-to-both-sides-1"
DOCUMENTED = {
    "wh_type", "message_id", "message_text", "message_type", "channel_id", "company_id", "task_id", "thread_id", "manager_id", "external_chat_id",
    "contacts", "get_contact", "title", "operator", "close", "success", "interest", "is_bot", "panel_url", "share_url", "event_id", "trace_id",
    "created_at", "buttons", "attachments",
}  # fmt: skip
api = adapters["api"]


@dataclass
class Receiver:
    """The other system: keeps what came, answers as told."""

    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.status, headers=self.headers, body=self.body)

    def told(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.calls[-1][1])
        return parsed

    def credentials(self, **config: Any) -> Credentials:
        return Credentials(channel_id=3, config={"webhook_url": self.url, **config}, secrets={"signing_secret": SECRET})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    place = Receiver()
    application = web.Application()
    application.router.add_post("/hook", place.take)
    application.router.add_get("/hook/{name}", place.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield place
    await runner.cleanup()


async def test_connecting_asks_whether_somebody_listens(receiver: Receiver) -> None:
    account = await api.activate(receiver.credentials(task_id="17"), webhook_url="")

    assert (account.name, account.external_id, receiver.calls) == ("127.0.0.1", "17", [])
    assert await api.health(receiver.credentials(), webhook_url="") == Health(ok=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/hook", "127.0.0.1 port 9 does not accept connections."),
        ("http://10.0.0.5/hook", "10.0.0.5 is an address inside a private network or a reserved one."),
        ("ftp://127.0.0.1/hook", "http"),
    ],
)
async def test_a_webhook_that_cannot_be_called_is_said_when_it_is_saved_and_later(receiver: Receiver, url: str, reason: str) -> None:
    receiver.url = url
    with pytest.raises(ConfigError, match=re.escape(reason)):
        await api.activate(receiver.credentials(), webhook_url="")
    health = await api.health(receiver.credentials(), webhook_url="")
    assert (health.ok, reason in health.text) == (False, True)


@pytest.mark.django_db(transaction=True)
async def test_a_file_is_fetched_from_its_address(receiver: Receiver) -> None:
    receiver.body = b"PNG"
    assert await api.download(receiver.credentials(), f"{receiver.url}/1.png") == b"PNG"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("status", "error"), [(404, BadContentError), (503, RetryError)])
async def test_a_file_that_is_not_there_is_given_up_or_tried_again(receiver: Receiver, status: int, error: type[Exception]) -> None:
    receiver.status = status
    with pytest.raises(error, match=f"answered {status}"):
        await api.download(receiver.credentials(), f"{receiver.url}/1.png")


@pytest.mark.django_db(transaction=True)
async def test_a_file_of_an_inner_address_is_not_fetched(receiver: Receiver) -> None:
    with pytest.raises(BadContentError, match="private network"):
        await api.download(receiver.credentials(), "http://10.0.0.5/1.png")


async def test_every_documented_parameter_is_there(receiver: Receiver) -> None:
    await api.send(receiver.credentials(), "123456789", Content(text="Hi"))

    told = receiver.told()
    assert told.keys() >= DOCUMENTED
    assert {name for name in DOCUMENTED if told[name] is None} == {*FACTS, "company_id", "task_id", "get_contact"}


async def test_what_is_known_is_told(receiver: Receiver) -> None:
    context = {
        "message_id": 77, "thread_id": "t_9", "trace_id": "e9fa-234c", "title": "Anna K", "contacts": {"phone": "+380501112233"}, "operator": False,
        "author": "operator", "created_at": "2026-11-21T12:00:00Z", "panel_url": "https://bus.example/panel/t_9",
    }  # fmt: skip
    content = Content.model_validate({
        "text": "Your order is packed",
        "buttons": [[{"id": "ok", "label": "OK", "token": "b:4Kd9.0"}, {"id": "u", "kind": "url", "label": "Site", "url": "https://x.example/"}]],
        "media": [{"kind": "image", "url": "https://x.example/1.jpg", "name": "1.jpg", "caption": "Front"}],
        "location": {"latitude": 1.5, "longitude": 2.5, "title": "Shop"},
        "contact": {"phone": "+380500000000", "name": "Shop", "own": True},
    }).model_copy(update={"context": context})  # fmt: skip
    sent = await api.send(receiver.credentials(task_id="17", company_id="co_1"), "123456789", content)

    told = receiver.told()
    assert sent.external_ids == ("m_77",)
    assert told.pop("event_id").startswith("e_")
    assert told == {
        "wh_type": "message", "message_id": "m_77", "message_text": "Your order is packed", "message_format": "plain", "message_type": "operator",
        "channel_id": "ch_3", "company_id": "co_1", "task_id": "17", "thread_id": "t_9", "manager_id": None, "external_chat_id": "123456789",
        "contacts": {"phone": "+380501112233"}, "get_contact": True, "title": "Anna K", "operator": False, "close": None, "success": None,
        "interest": None, "is_bot": None, "panel_url": "https://bus.example/panel/t_9", "share_url": None, "trace_id": "e9fa-234c",
        "created_at": "2026-11-21T12:00:00Z",
        "buttons": [
            {"id": "b:4Kd9.0", "kind": "callback", "label": "OK", "url": None},
            {"id": "u", "kind": "url", "label": "Site", "url": "https://x.example/"},
        ],
        "attachments": [{"type": "image", "url": "https://x.example/1.jpg", "name": "1.jpg", "caption": "Front"}],
        "location": {"latitude": 1.5, "longitude": 2.5, "title": "Shop"}, "contact": {"phone": "+380500000000", "name": "Shop"},
    }  # fmt: skip


async def test_typing_is_an_event_of_its_own(receiver: Receiver) -> None:
    await api.send(receiver.credentials(), "5", Content(typing=2))

    assert receiver.told()["wh_type"] == "typing"


async def test_the_webhook_is_signed(receiver: Receiver) -> None:
    await api.send(receiver.credentials(), "5", Content(text="Привіт"))

    headers, body = receiver.calls[0]
    assert is_signed(SECRET, headers=headers, body=body, now=time.time())
    assert headers["x-event-id"] == json.loads(body)["event_id"]
    assert headers["content-type"] == "application/json"


async def test_a_repeat_has_the_same_event_id_and_another_message_has_not(receiver: Receiver) -> None:
    for content in (Content(text="Hi", context={"message_id": 1}), Content(text="Hi", context={"message_id": 1}), Content(text="Hi", context={"message_id": 2}),
                    Content(text="Hi", context={"message_id": 2, "part": 1})):  # fmt: skip
        await api.send(receiver.credentials(), "5", content)

    ids = [headers["x-event-id"] for headers, _body in receiver.calls]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_success(receiver: Receiver, status: int) -> None:
    receiver.status = status

    assert len((await api.send(receiver.credentials(), "5", Content(text="Hi"))).external_ids) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 500, 502, 503])
async def test_everything_else_is_tried_again(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": "/elsewhere"}
    with pytest.raises(RetryError) as caught:
        await api.send(receiver.credentials(), "5", Content(text="Hi"))

    assert str(status) in caught.value.reason
    assert len(receiver.calls) == 1


async def test_410_ends_the_integration(receiver: Receiver) -> None:
    receiver.status = 410
    with pytest.raises(ConfigError):
        await api.send(receiver.credentials(), "5", Content(text="Hi"))


@pytest.mark.parametrize(("given", "seconds"), [("7", 7.0), ("", 10.0), ("soon", 10.0)])
async def test_429_says_how_long_to_wait(receiver: Receiver, given: str, seconds: float) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": given}
    with pytest.raises(RateLimitedError) as caught:
        await api.send(receiver.credentials(), "5", Content(text="Hi"))

    assert caught.value.retry_after == seconds


async def test_a_receiver_that_is_not_there_has_seen_nothing() -> None:
    gone = Credentials(channel_id=3, config={"webhook_url": "http://127.0.0.1:9/hook"}, secrets={"signing_secret": SECRET})
    with pytest.raises(RetryError) as caught:
        await api.send(gone, "5", Content(text="Hi"))

    assert not caught.value.doubtful


@pytest.mark.parametrize("url", ["", "ftp://crm.example/hook", "crm.example/hook", "https://user:pass@crm.example/hook"])
async def test_an_address_that_cannot_be_called_is_the_channels_problem(url: str) -> None:
    wrong = Credentials(channel_id=3, config={"webhook_url": url}, secrets={"signing_secret": SECRET})
    with pytest.raises(ConfigError):
        await api.send(wrong, "5", Content(text="Hi"))
    with pytest.raises(ConfigError):
        await api.activate(wrong, webhook_url="")


async def test_without_a_secret_nothing_is_sent(receiver: Receiver) -> None:
    unsigned = Credentials(channel_id=3, config={"webhook_url": receiver.url}, secrets={})
    with pytest.raises(ConfigError, match="signing secret"):
        await api.send(unsigned, "5", Content(text="Hi"))

    assert receiver.calls == []


async def test_connected_as_the_receivers_host(receiver: Receiver) -> None:
    assert (await api.activate(receiver.credentials(task_id="17"), webhook_url="")).name == "127.0.0.1"


def test_calls_without_an_id_are_all_new() -> None:
    payload = {"chat_id": "5", "message": "Hi"}

    assert api.parse(payload)[0].event_key != api.parse(payload)[0].event_key


# --- signatures -------------------------------------------------------------------------------------------------------

BODY = '{"text":"Привіт"}'.encode()


def test_a_signature_is_the_documented_one() -> None:
    assert signature("s", timestamp="1700000000", body=b"{}") == "sha256=e9232c9945da8456c2dea6b39da7786c07b00bca7a64d5dd1283674713a7b72a"


@pytest.mark.parametrize(
    "change",
    [
        {"x-signature-256": ""},
        {"x-signature-256": "wrong"},
        {"x-timestamp": ""},
        {"x-timestamp": "1700000001"},
        {"x-timestamp": "soon"},
        {"x-timestamp": "-1700000000"},
        {"x-timestamp": "١٧٠٠٠٠٠٠٠٠"},
    ],
)
def test_a_changed_header_is_noticed(change: dict[str, str]) -> None:
    headers = {name.lower(): value for name, value in signed_headers("s", event_id="e", timestamp=1_700_000_000, body=BODY).items()}

    assert is_signed("s", headers=headers, body=BODY, now=1_700_000_299)
    assert not is_signed("s", headers=headers | change, body=BODY, now=1_700_000_000)


def test_another_secret_case_prefix_spacing_or_time_is_noticed() -> None:
    headers = {name.lower(): value for name, value in signed_headers("s", event_id="e", timestamp=1_700_000_000, body=BODY).items()}
    given = headers["x-signature-256"]

    assert not is_signed("another channel's", headers=headers, body=BODY, now=1_700_000_000)
    assert not is_signed("", headers=headers, body=BODY, now=1_700_000_000)
    assert not is_signed("s", headers=headers, body=json.dumps(json.loads(BODY)).encode(), now=1_700_000_000)
    assert not is_signed("s", headers=headers, body=BODY, now=1_700_000_301)
    assert not is_signed("s", headers=headers | {"x-signature-256": given.upper()}, body=BODY, now=1_700_000_000)
    assert not is_signed("s", headers=headers | {"x-signature-256": given.removeprefix("sha256=")}, body=BODY, now=1_700_000_000)
