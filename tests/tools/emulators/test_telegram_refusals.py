"""What the emulated Telegram refuses, as the real one does; scripted faults; the emulator as a process of its own."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from telegram import Bot, KeyboardButton, ReplyKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from tests.tools.emulators.conftest import CHAT, TOKEN
from tools.emulators.telegram import Control, Emulator

ROOT = Path(__file__).resolve().parents[3]


# --- what Telegram refuses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"text": ""}, "text is empty"),
        ({"text": " \n"}, "text is empty"),
        ({"text": "x" * 4097}, "too long"),
        ({"text": "😀" * 2049}, "too long"),
        ({"text": "<b>x", "parse_mode": "HTML"}, "end tag corresponding to start tag"),
        ({"text": "<p>x</p>", "parse_mode": "HTML"}, "Unsupported start tag"),
        ({"text": "x</b>", "parse_mode": "HTML"}, "Unexpected end tag"),
        ({"text": "<b><i>x</b></i>", "parse_mode": "HTML"}, "Unmatched end tag"),
        ({"text": "1 < 2", "parse_mode": "HTML"}, "Unclosed start tag"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": ""}]]}}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": "é" * 33}]]}}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "url": "nowhere"}]]}}, "URL"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A"}]]}}, "exactly one action"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "", "callback_data": "a"}]]}}, "non-empty"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]] * 101}}, "too long"),
        ({"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "A", "callback_data": "a"}] * 9]}}, "too long row"),
        ({"text": "x", "reply_markup": "not json"}, "can't parse"),
        ({"text": "x", "reply_markup": []}, "object expected"),
        ({"text": "x", "reply_parameters": {"message_id": 9}}, "replied not found"),
        ({"text": "x", "chat_id": ""}, "chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
    ],
)
async def test_messages_that_are_refused(emulator: Emulator, options: dict[str, Any], reason: str) -> None:
    answer = await post(emulator, "sendMessage", {"chat_id": CHAT, **options})

    assert (answer["ok"], answer["error_code"]) == (False, 400)
    assert reason.lower() in answer["description"].lower()
    assert emulator.ledger.entries == []
    assert [entry["status"] for entry in emulator.refusals.entries] == [400]


async def post(emulator: Emulator, method: str, params: dict[str, Any], token: str = TOKEN) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.post(f"{emulator.url}/bot{token}/{method}", json=params) as answer:
        parsed: dict[str, Any] = await answer.json()
        assert answer.status == parsed.get("error_code", 200)
        return parsed


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_bodies_that_are_refused(emulator: Emulator, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{emulator.url}/bot{TOKEN}/sendMessage", data=body, headers=headers) as answer,
    ):
        assert answer.status == 400


async def test_names_of_methods_may_be_in_any_case_and_parameters_in_any_form(emulator: Emulator) -> None:
    async with aiohttp.ClientSession() as session:
        for method, form in (
            ("sendmessage", {"data": {"chat_id": "5", "text": "form"}}),
            ("SENDMESSAGE", {"params": {"chat_id": "5", "text": "query"}}),
        ):
            async with session.post(f"{emulator.url}/bot{TOKEN}/{method}", **form) as answer:  # type: ignore[arg-type]
                assert answer.status == 200

    assert [entry["method"] for entry in emulator.ledger.entries] == ["sendMessage", "sendMessage"]


async def test_tokens(emulator: Emulator) -> None:
    assert (await post(emulator, "getMe", {}, token="no-token"))["error_code"] == 404
    assert (await post(emulator, "getMe", {}))["result"]["id"] == 123456
    assert (await post(emulator, "danceForMe", {}))["error_code"] == 404
    emulator.world.bots[TOKEN].revoked = True
    assert (await post(emulator, "getMe", {}))["error_code"] == 401


async def test_groups_are_not_asked_for_phones(bot: Bot) -> None:
    with pytest.raises(BadRequest, match=r"[Pp]rivate chats only"):
        await bot.send_message(-5, "Phone?", reply_markup=ReplyKeyboardMarkup([[KeyboardButton("Share", request_contact=True)]]))


async def test_big_files_are_refused(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="too big"):
        await bot.send_photo(CHAT, b"x" * (10 * 1024 * 1024 + 1))
    with pytest.raises(BadRequest, match="identifier"):
        await bot.send_photo(CHAT, "no-such-file")
    with pytest.raises(BadRequest, match=r"[Cc]aption is too long"):
        await bot.send_photo(CHAT, b"x", caption="x" * 1025)


async def test_a_closed_world_lets_bots_write_only_to_who_wrote_first(bot: Bot, emulator: Emulator) -> None:
    emulator.options.closed = True
    with pytest.raises(BadRequest, match=r"[Cc]hat not found"):
        await bot.send_message(CHAT, "Hi")
    emulator.act(TOKEN, CHAT, "start")

    assert (await bot.send_message(CHAT, "Hi")).text == "Hi"


async def test_blocking_and_migrating(bot: Bot, emulator: Emulator) -> None:
    emulator.act(TOKEN, CHAT, "block")
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(CHAT, "Hi")
    emulator.act(TOKEN, CHAT, "unblock")
    await bot.send_message(CHAT, "Hi")
    emulator.act(TOKEN, -5, "migrate", to=-1005)
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(-5, "Hi")
    updates = await bot.get_updates()

    assert caught.value.new_chat_id == -1005
    assert [update.my_chat_member.new_chat_member.status for update in updates if update.my_chat_member] == ["kicked", "member"]


# --- faults and rates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ({"do": "429", "retry_after": 3}, RetryAfter), ({"do": "403"}, Forbidden), ({"do": "400"}, BadRequest), ({"do": "401"}, InvalidToken),
        ({"do": "409"}, Conflict), ({"do": "500"}, NetworkError), ({"do": "migrated", "to": -1007}, ChatMigrated), ({"do": "cut"}, NetworkError),
        ({"do": "html"}, NetworkError), ({"do": "garbage"}, TelegramError), ({"do": "redirect"}, NetworkError),
    ],
)  # fmt: skip
async def test_a_scripted_answer_is_given_once(bot: Bot, emulator: Emulator, step: dict[str, Any], error: type[Exception]) -> None:
    emulator.script([step], token=TOKEN, chat_id=CHAT)
    with pytest.raises(error):
        await bot.send_message(CHAT, "Hi")

    assert emulator.messages(TOKEN, CHAT) == []
    assert (await bot.send_message(CHAT, "Hi")).message_id == 1


@pytest.mark.parametrize(
    "step",
    [{"do": "accept_then_cut"}, {"do": "cut", "accept": True}, {"do": "accept_then_hang", "seconds": 0.1}, {"do": "html", "accept": True}],
)
async def test_a_message_may_be_taken_although_the_answer_is_lost(bot: Bot, emulator: Emulator, step: dict[str, Any]) -> None:
    emulator.script([step], token=TOKEN, chat_id=CHAT)
    with pytest.raises(NetworkError):
        await bot.send_message(CHAT, "Hi")

    assert [message["text"] for message in emulator.messages(TOKEN, CHAT)] == ["Hi"]
    assert emulator.ledger.counts["sendMessage"] == 1


@pytest.mark.parametrize("step", [{"do": "drip", "seconds": 0.2}, {"do": "delay", "seconds": 0.2}])
async def test_a_slow_answer_is_a_right_one(bot: Bot, emulator: Emulator, step: dict[str, Any]) -> None:
    emulator.script([step], token=TOKEN)
    started = time.monotonic()

    assert (await bot.send_message(CHAT, "Hi")).text == "Hi"
    assert time.monotonic() - started >= 0.2


async def test_scripts_count_and_name_methods(bot: Bot, emulator: Emulator) -> None:
    emulator.script([{"do": "500", "times": 2}, {"do": "403"}], token=TOKEN, method="sendMessage")
    for error in (NetworkError, NetworkError, Forbidden):
        await bot.get_me()
        with pytest.raises(error):
            await bot.send_message(CHAT, "Hi")
    emulator.script([{"do": "500", "times": -1}], token="999:another-bot")

    assert (await bot.send_message(CHAT, "Hi")).message_id == 1
    with pytest.raises(Exception, match="unknown steps"):
        emulator.script([{"do": "explode"}])


async def test_rates_are_those_of_telegram(bot: Bot, emulator: Emulator) -> None:
    clock = [0.0]
    emulator.rates.clock = lambda: clock[0]
    emulator.options.enforce_rates = True
    for index in range(30):
        await bot.send_message(index + 1, "Hi")
    with pytest.raises(RetryAfter):
        await bot.send_message(99, "Hi")
    clock[0] = 0.5
    with pytest.raises(RetryAfter):
        await bot.send_message(99, "Hi")
    assert emulator.rates.violations == 2
    clock[0] = 1.1
    await bot.send_message(99, "Hi")


async def test_a_group_takes_twenty_a_minute(bot: Bot, emulator: Emulator) -> None:
    clock = [0.0]
    emulator.rates.clock = lambda: clock[0]
    emulator.options.enforce_rates = True
    for index in range(20):
        clock[0] = index * 0.1
        await bot.send_message(-5, "Hi")
    with pytest.raises(RetryAfter):
        await bot.send_message(-5, "Hi")


# --- as a process of its own ------------------------------------------------------------------------------------------


async def test_three_thousand_messages_a_second_are_possible(tmp_path: Path) -> None:
    """The bound is low on purpose, since the machine is shared; the figure itself stands in the ledger's times."""
    ledger = tmp_path / "calls.ndjson"
    command = [sys.executable, "-m", "tools.emulators.telegram", "--port", "0", "--ledger", str(ledger)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout
        url = (await process.stdout.readline()).decode().strip()
        await flood(url, count=3_000)
        control = Control(url, TOKEN)
        stats = await asyncio.to_thread(control.stats)
        assert (stats["accepted"], stats["refused"], stats["violations"]) == ({"sendMessage": 3_000}, {}, 0)
        assert len(await asyncio.to_thread(control.text, CHAT, "hi")) == 1
        assert (await asyncio.to_thread(control.messages, CHAT))[-1]["text"] == "hi"
        await asyncio.to_thread(control.script, {"do": "403"}, chat_id=CHAT)
        with pytest.raises(RuntimeError, match="no button"):
            await asyncio.to_thread(control.press, CHAT, "Nobody")
    finally:
        process.terminate()
        await process.wait()
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]

    assert process.returncode == 0
    assert len(lines) == 3_000
    assert lines[0].keys() == {"time", "bot", "method", "chat_id", "message_ids", "params"}
    assert TOKEN not in ledger.read_text()
    assert lines[-1]["time"] - lines[0]["time"] < 6


async def flood(url: str, *, count: int) -> None:
    """Many callers, each with a connection of its own."""
    left = iter(range(count))
    async with aiohttp.ClientSession() as session:

        async def caller() -> None:
            for index in left:
                async with session.post(f"{url}/bot{TOKEN}/sendMessage", json={"chat_id": index % 500 + 1, "text": "Hi"}) as answer:
                    assert answer.status == 200

        await asyncio.gather(*(caller() for _ in range(32)))
