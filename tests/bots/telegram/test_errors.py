"""Every way in which Telegram, or what stands between us and it, can fail."""

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut

from apps.bots.adapter import (
    BadContentError,
    ChatMigratedError,
    ConfigError,
    RateLimitedError,
    RecipientGoneError,
    RetryError,
    SendError,
)
from apps.bots.registry import adapters
from apps.bots.telegram import connections, transport
from apps.bots.telegram.errors import translated
from tests.bots.conftest import TOKEN, Telegram, telegram_credentials


@pytest.fixture
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CALL_SECONDS", 0.4)


async def failure(telegram: Telegram, *steps: dict[str, Any]) -> SendError:
    telegram.answers(*steps)
    with pytest.raises(SendError) as caught:
        await telegram.send(text="Hi")
    return caught.value


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"do": "403"}, RecipientGoneError),
        ({"do": "403", "description": "Forbidden: user is deactivated"}, RecipientGoneError),
        ({"do": "403", "description": "Forbidden: bot is not a member of the channel chat"}, RecipientGoneError),
        ({"do": "400"}, RecipientGoneError),
        ({"do": "400", "description": "Bad Request: PEER_ID_INVALID"}, RecipientGoneError),
        ({"do": "400", "description": "Bad Request: message is too long"}, BadContentError),
        ({"do": "401"}, ConfigError),
        ({"do": "404"}, ConfigError),
        ({"do": "409"}, ConfigError),
    ],
)
async def test_what_cannot_be_repeated(telegram: Telegram, step: dict[str, Any], kind: type[SendError]) -> None:
    assert type(await failure(telegram, step)) is kind


@pytest.mark.parametrize(
    ("step", "doubtful"),
    [
        ({"do": "500"}, False),
        ({"do": "502", "description": "Bad Gateway"}, False),
        ({"do": "html", "status": 502}, True),
        ({"do": "html", "status": 403}, False),
        ({"do": "html", "status": 404}, False),
        ({"do": "html", "status": 429}, False),
        ({"do": "html", "status": 200}, True),
        ({"do": "redirect", "to": "https://elsewhere.example/"}, False),
        ({"do": "garbage"}, True),
        ({"do": "huge", "bytes": 3_000_000}, True),
        ({"do": "cut"}, True),
        ({"do": "accept_then_cut"}, True),
    ],
)
async def test_what_may_work_later(telegram: Telegram, step: dict[str, Any], doubtful: bool) -> None:  # noqa: FBT001
    error = await failure(telegram, step)

    assert isinstance(error, RetryError)
    assert error.doubtful is doubtful


@pytest.mark.usefixtures("_short_deadlines")
@pytest.mark.parametrize("step", [{"do": "hang", "seconds": 2}, {"do": "accept_then_hang", "seconds": 2}, {"do": "drip", "seconds": 30}])
async def test_an_answer_that_does_not_come_in_time_is_not_waited_for(telegram: Telegram, step: dict[str, Any]) -> None:
    started = time.monotonic()
    error = await failure(telegram, step)

    assert isinstance(error, RetryError)
    assert error.doubtful
    assert time.monotonic() - started < 1.5


async def test_a_telegram_that_is_not_there_has_seen_nothing(telegram: Telegram, settings: Settings) -> None:
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    error = await failure(telegram)

    assert isinstance(error, RetryError)
    assert not error.doubtful


async def test_after_a_failure_the_next_message_goes(telegram: Telegram) -> None:
    await failure(telegram, {"do": "cut"}, {"do": "ok"})

    assert (await telegram.send(text="Again")).external_ids == ("1",)


async def test_a_flood_limit_says_how_long_to_wait(telegram: Telegram) -> None:
    error = await failure(telegram, {"do": "429", "retry_after": 7})

    assert isinstance(error, RateLimitedError)
    assert (error.retry_after, error.chat_only) == (7.0, False)


async def test_a_flood_limit_of_a_group_is_the_groups_own(telegram: Telegram) -> None:
    telegram.answers({"do": "429", "retry_after": 30}, chat_id=-77)
    with pytest.raises(RateLimitedError) as caught:
        await telegram.send(-77, text="Hi")

    assert (caught.value.retry_after, caught.value.chat_only) == (30.0, True)


async def test_a_flood_limit_while_typing_keeps_the_message_back(telegram: Telegram) -> None:
    telegram.answers({"do": "429", "retry_after": 5}, method="sendChatAction")
    with pytest.raises(RateLimitedError):
        await telegram.send(text="Hi", typing=1)

    assert telegram.sees() == []


def test_seconds_to_wait_may_come_as_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    error = RetryAfter(timedelta(seconds=9))

    assert isinstance(error.retry_after, timedelta)
    told = translated(error, chat_id="1")
    assert isinstance(told, RateLimitedError)
    assert told.retry_after == 9.0


async def test_a_group_that_became_a_supergroup_tells_its_new_id(telegram: Telegram) -> None:
    error = await failure(telegram, {"do": "migrated", "to": -1001234567890})

    assert isinstance(error, ChatMigratedError)
    assert error.chat_id == "-1001234567890"


async def test_a_person_who_blocked_the_bot_gets_nothing_and_is_gone(telegram: Telegram) -> None:
    telegram.does("block")

    assert "blocked by the user" in (await failure(telegram)).reason


async def test_a_person_who_never_started_the_bot_is_gone(telegram: Telegram) -> None:
    telegram.emulator.options.closed = True

    assert isinstance(await failure(telegram), RecipientGoneError)


async def test_a_revoked_token_is_the_channels_problem(telegram: Telegram) -> None:
    telegram.does("start")
    telegram.emulator.world.bots[TOKEN].revoked = True

    assert isinstance(await failure(telegram), ConfigError)


def test_bad_content_is_not_taken_for_a_network_problem() -> None:
    """Both are `NetworkError`s of the library: order matters."""
    assert type(translated(BadRequest("anything"), chat_id="1")) is BadContentError
    assert type(translated(BadRequest("anything"), setting_up=True)) is ConfigError
    assert type(translated(TimedOut(), chat_id="1")) is RetryError
    assert type(translated(NetworkError("x"), chat_id="1")) is RetryError


@pytest.mark.usefixtures("_short_deadlines")
@pytest.mark.parametrize(
    "step",
    [
        {"do": "401"}, {"do": "404"}, {"do": "cut"}, {"do": "hang", "seconds": 1}, {"do": "html", "status": 502}, {"do": "garbage"},
        {"do": "redirect", "to": "/x"}, {"do": "500"}, {"do": "429"},
    ],
)  # fmt: skip
async def test_no_token_is_in_an_error_or_in_the_log(telegram: Telegram, caplog: pytest.LogCaptureFixture, step: dict[str, Any]) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.answers(step, chat_id=None)
    fresh = telegram_credentials("777:never-seen-token")
    telegram.emulator.script([step], token=fresh.secrets["token"])
    for credentials in (telegram.credentials, fresh):
        with pytest.raises(SendError) as caught:
            await telegram.adapter.activate(credentials, webhook_url="")
        chain = [caught.value, caught.value.__cause__]
        assert caught.value.__suppress_context__
        told = [*map(repr, chain), *(record.getMessage() for record in caplog.records), caplog.text, repr(credentials)]
        assert not [text for text in told if TOKEN in text or "never-seen-token" in text]


async def test_closing_is_for_now_only(telegram: Telegram) -> None:
    await telegram.send(text="one")
    await connections.close()
    await connections.close()

    assert (await telegram.send(text="two")).external_ids == ("2",)


def test_connections_belong_to_their_loop(settings: Settings) -> None:
    """A loop that ended (a command, an `asyncio.run`) leaves nothing that the next one could stumble over."""
    settings.TELEGRAM_API_URL = "http://127.0.0.1:9"
    adapter = adapters["telegram"]

    async def once() -> None:
        with pytest.raises(RetryError):
            await adapter.activate(telegram_credentials(), webhook_url="")
        await connections.close()

    asyncio.run(once())
    asyncio.run(once())
