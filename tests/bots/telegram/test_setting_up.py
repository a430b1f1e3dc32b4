"""Connecting a channel, its health, updates by webhook and by polling, files in."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from apps.bots.adapter import Account, BadContentError, ConfigError, Credentials, Health, Request, RetryError, VerificationError
from apps.bots.registry import adapters
from apps.bots.telegram.transport import FILE_BYTES
from tests.bots.conftest import CHAT, TOKEN, Telegram, telegram_credentials

SECRET = "shared-with-telegram_1"
HEADER = "x-telegram-bot-api-secret-token"


@dataclass
class Ourselves:
    """A web server in our place: keeps what was posted, answers with the given statuses first."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Request(method=request.method, headers=headers, body=await request.read()))
        self.arrived.set()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def wait_for(self, count: int) -> list[Request]:
        async with asyncio.timeout(5):
            while len(self.requests) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.requests


@pytest.fixture
async def ourselves() -> AsyncIterator[Ourselves]:
    place = Ourselves()
    application = web.Application()
    application.router.add_post("/webhooks/telegram/{id}", place.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    place.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/telegram/0b5d"
    yield place
    await runner.cleanup()


async def test_connecting_tells_as_whom_and_registers_the_webhook(telegram: Telegram) -> None:
    account = await telegram.adapter.activate(telegram.credentials, webhook_url="https://bus.example/webhooks/telegram/0b5d")

    assert account == Account(
        name="Emulated 123456", external_id="123456", username="emulated_123456_bot", link="https://t.me/emulated_123456_bot"
    )
    bot = telegram.emulator.world.bots[TOKEN]
    assert (bot.webhook.url, bot.webhook.secret) == ("https://bus.example/webhooks/telegram/0b5d", SECRET)
    assert bot.allowed == {"message", "edited_message", "callback_query", "my_chat_member"}
    assert "secret_token" not in telegram.emulator.ledger.entries[-1]["params"]


async def test_connecting_without_a_public_address_takes_the_webhook_away(telegram: Telegram) -> None:
    await telegram.adapter.activate(telegram.credentials, webhook_url="https://bus.example/x")
    await telegram.adapter.activate(telegram.credentials, webhook_url="")

    assert telegram.emulator.world.bots[TOKEN].webhook.url == ""


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://bus.example/x", "https"), ("https://bus.example:8000/x", "ports 80, 88, 443 or 8443")],
)
async def test_an_address_that_telegram_refuses_is_told(telegram: Telegram, url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        await telegram.adapter.activate(telegram.credentials, webhook_url=url)


async def test_a_channel_without_a_secret_is_not_connected(telegram: Telegram) -> None:
    unsafe = Credentials(channel_id=3, config={}, secrets={"token": TOKEN})
    with pytest.raises(ConfigError, match="secret"):
        await telegram.adapter.activate(unsafe, webhook_url="https://bus.example/x")

    assert telegram.emulator.ledger.entries == []


async def test_a_wrong_token_says_where_to_get_a_right_one(telegram: Telegram) -> None:
    for token in ("999:revoked", "not a token", "", "1:2/../3"):
        bot = telegram.emulator.world.bot(token)
        if bot:
            bot.revoked = True
        with pytest.raises((ConfigError, RetryError)) as caught:
            await telegram.adapter.activate(telegram_credentials(token or "0:"), webhook_url="")
        assert not token or token not in caught.value.reason


async def test_a_healthy_webhook(telegram: Telegram, ourselves: Ourselves) -> None:
    await telegram.adapter.activate(telegram.credentials, webhook_url=ourselves.url)

    assert await telegram.adapter.health(telegram.credentials, webhook_url=ourselves.url) == Health(ok=True)


async def test_a_webhook_that_telegram_cannot_reach(telegram: Telegram) -> None:
    url = "http://127.0.0.1:9/webhooks/telegram/0b5d"
    await telegram.adapter.activate(telegram.credentials, webhook_url=url)
    telegram.does("text", text="hi")
    async with asyncio.timeout(5):
        while not telegram.emulator.world.bots[TOKEN].webhook.last_error_message:  # noqa: ASYNC110 - Telegram tells only who asks
            await asyncio.sleep(0.01)
    health = await telegram.adapter.health(telegram.credentials, webhook_url=url)

    assert (health.ok, health.pending) == (False, 1)
    assert "Connection failed" in health.text


async def test_a_webhook_that_somebody_took_away(telegram: Telegram) -> None:
    health = await telegram.adapter.health(telegram.credentials, webhook_url="https://bus.example/x")

    assert not health.ok
    assert "Save the channel" in health.text


async def test_updates_come_by_webhook_with_the_secret(telegram: Telegram, ourselves: Ourselves) -> None:
    await telegram.adapter.activate(telegram.credentials, webhook_url=ourselves.url)
    telegram.does("text", text="Привіт")
    (request,) = await ourselves.wait_for(1)

    telegram.adapter.verify(telegram.credentials, request)
    (inbound,) = telegram.adapter.parse(json.loads(request.body))
    assert (inbound.event_key, inbound.chat_id, inbound.text) == ("u:700001", str(CHAT), "Привіт")


async def test_a_webhook_is_repeated_until_it_is_taken_and_chats_keep_their_order(telegram: Telegram, ourselves: Ourselves) -> None:
    ourselves.statuses = [503, 500]
    await telegram.adapter.activate(telegram.credentials, webhook_url=ourselves.url)
    telegram.does("text", text="first")
    telegram.does("text", text="second")
    requests = await ourselves.wait_for(4)

    assert [json.loads(request.body)["message"]["text"] for request in requests] == ["first", "first", "first", "second"]


async def test_updates_that_waited_come_when_the_webhook_is_set(telegram: Telegram, ourselves: Ourselves) -> None:
    for index in range(30):
        telegram.does("text", index + 1, text=f"hi {index}")
    await telegram.adapter.activate(telegram.credentials, webhook_url=ourselves.url)
    requests = await ourselves.wait_for(30)

    assert len({json.loads(request.body)["update_id"] for request in requests}) == 30


async def test_the_same_webhook_twice_has_the_same_event_key(telegram: Telegram, ourselves: Ourselves) -> None:
    await telegram.adapter.activate(telegram.credentials, webhook_url=ourselves.url)
    (update_id,) = telegram.does("text", text="hi")
    await ourselves.wait_for(1)
    bot = telegram.emulator.world.bots[TOKEN]
    assert await telegram.emulator.delivery.replay(bot, update_id, times=3, together=True) == [200, 200, 200]

    keys = {telegram.adapter.parse(json.loads(request.body))[0].event_key for request in await ourselves.wait_for(4)}
    assert keys == {"u:700001"}


def signed(**headers: str) -> Request:
    return Request(method="POST", headers=headers, body=b"{}")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: SECRET.upper()},
        {HEADER: f" {SECRET}"},
        {HEADER: SECRET[:-1]},
        {HEADER: f"sha256={SECRET}"},
        {HEADER: "secret-of-another-channel"},
        {HEADER: "п" * len(SECRET)},
        {HEADER.upper(): SECRET},
        {"authorization": SECRET},
        {HEADER: hashlib.sha256(SECRET.encode()).hexdigest()},
    ],
)
def test_a_webhook_without_the_right_secret_is_not_telegrams(headers: dict[str, str]) -> None:
    with pytest.raises(VerificationError) as caught:
        adapters["telegram"].verify(telegram_credentials(), signed(**headers))

    assert SECRET not in str(caught.value)


def test_without_a_configured_secret_nothing_is_believed() -> None:
    unsafe = Credentials(channel_id=3, config={}, secrets={"token": TOKEN}, webhook_secret="")
    for headers in ({}, {HEADER: ""}, {HEADER: "anything"}):
        with pytest.raises(VerificationError):
            adapters["telegram"].verify(unsafe, signed(**headers))


def test_the_right_secret_is_believed_whatever_the_body() -> None:
    for body in (b"", b"{}", "Привіт".encode(), b"\x00\xff"):
        adapters["telegram"].verify(telegram_credentials(), Request(method="POST", headers={HEADER: SECRET}, body=body))


async def test_polling_gives_raw_updates_and_the_offset_that_confirms_them(telegram: Telegram) -> None:
    telegram.does("text", text="one")
    telegram.does("raw", update={"message_reaction_of_the_future": {"chat": {"id": 5}}})
    telegram.does("text", text="two")
    telegram.emulator.world.bots[TOKEN].allowed |= {"message_reaction_of_the_future"}
    polled = await telegram.adapter.poll(telegram.credentials, offset=0)
    again = await telegram.adapter.poll(telegram.credentials, offset=0)

    assert [update["update_id"] for update in polled.updates] == [700001, 700003]
    assert polled.offset == 700004
    assert again == polled
    telegram.does("text", text="three")
    assert [update["message"]["text"] for update in (await telegram.adapter.poll(telegram.credentials, offset=700004)).updates] == ["three"]


async def test_polling_waits_for_an_update(telegram: Telegram) -> None:
    waiting = asyncio.create_task(telegram.adapter.poll(telegram.credentials, offset=0))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    telegram.does("text", text="hi")
    polled = await waiting

    assert time.monotonic() - started < 1
    assert polled.updates[0]["message"]["text"] == "hi"


async def test_two_pollers_of_one_bot_are_told(telegram: Telegram) -> None:
    first = asyncio.create_task(telegram.adapter.poll(telegram.credentials, offset=0))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(telegram.adapter.poll(telegram.credentials, offset=0))
    with pytest.raises(ConfigError, match="Another program"):
        await first
    telegram.does("text", text="hi")

    assert len((await second).updates) == 1


async def test_polling_while_a_webhook_is_set_is_told(telegram: Telegram) -> None:
    await telegram.adapter.activate(telegram.credentials, webhook_url="https://bus.example/x")
    with pytest.raises(ConfigError):
        await telegram.adapter.poll(telegram.credentials, offset=0)


async def test_nothing_new_leaves_the_offset(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.bots.channels.telegram.POLL_SECONDS", 0)
    polled = await telegram.adapter.poll(telegram.credentials, offset=41)

    assert (polled.updates, polled.offset) == ((), 41)


async def test_a_press_is_acknowledged_and_again_is_no_error(telegram: Telegram) -> None:
    await telegram.send(text="Confirm?", buttons=[[{"id": "y", "label": "Yes"}]])
    telegram.does("press", label="Yes")
    (press,) = await telegram.hears()
    for _ in range(2):
        await telegram.adapter.acknowledge(telegram.credentials, press.callback_id)

    assert [answer["id"] for answer in telegram.emulator.world.bots[TOKEN].answers] == [press.callback_id]


async def test_a_file_that_a_person_sent_is_fetched(telegram: Telegram) -> None:
    telegram.does("file", kind="document", name="act.pdf", data="JVBERi0xLjc=")
    (inbound,) = await telegram.hears()

    assert await telegram.adapter.download(telegram.credentials, inbound.media[0].external) == b"%PDF-1.7"


async def test_a_file_that_telegram_does_not_give_is_told(telegram: Telegram) -> None:
    with pytest.raises(BadContentError, match="file_id"):
        await telegram.adapter.download(telegram.credentials, "unknown")
    stored = telegram.emulator.world.store(data=b"x" * (FILE_BYTES + 1), name="big", mime="video/mp4")
    with pytest.raises(BadContentError, match="too big"):
        await telegram.adapter.download(telegram.credentials, stored.file_id)


def test_a_deep_link_hands_over_the_token() -> None:
    account = Account(name="Shop", username="shop_bot")

    assert adapters["telegram"].deep_link(account, "c_7Zk2Qp") == "https://t.me/shop_bot?start=c_7Zk2Qp"
    assert adapters["telegram"].deep_link(Account(name="Shop"), "c_7Zk2Qp") == ""


def settings_of(kind: str, secrets: dict[str, Any]) -> str:
    return str(adapters[kind].Secrets.model_validate(secrets))


@pytest.mark.parametrize(
    "token", ["", "123456", "123456:", ":abc", "12a:abc", "123456:a b", "123456:abc/../x", "123456:abc\n", "\u0661:abc"]
)
def test_a_token_that_is_none_is_refused_when_it_is_typed(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        settings_of("telegram", {"token": token})
