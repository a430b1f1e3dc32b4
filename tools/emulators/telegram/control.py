"""`/control/…`: what tests do to the emulator. Bodies and answers are JSON; `bot` is a token.

POST act {bot, chat_id, action, ...}          a person does something → {update_ids}
POST script {steps, bot?, chat_id?, method?}  prescribe answers (see `faults`)
POST bots {token, username?, name?, revoked?} describe a bot
POST replay {bot, update_id, times?, together?} post a webhook update again → {statuses}
POST options {delay?, closed?, enforce_rates?, webhook_retry?}
GET  messages?bot=&chat_id=                   what stands in the chat → {messages, keyboard, actions}
GET  stats?bot=                               counts, waiting updates, violations of rates, answers to presses
POST reset                                    forget scripts, bots and files
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tools.emulators.telegram.calls import parsed_json
from tools.emulators.telegram.refusals import RefusalError, bad_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tools.emulators.telegram.server import Emulator
    from tools.emulators.telegram.state import Bot, Json

    Command = Callable[[Emulator, dict[str, Any]], Awaitable[Json]]


def add_routes(application: web.Application, emulator: Emulator) -> None:
    """Hang the commands into the application."""
    for (method, name), command in COMMANDS.items():
        application.router.add_route(method, f"/control/{name}", endpoint(emulator, command))


def endpoint(emulator: Emulator, command: Command) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that gives the command its JSON (or query) and answers refusals."""

    async def handle(request: web.Request) -> web.Response:
        try:
            given = parsed_json(await request.read()) if request.method == "POST" else dict(request.query)
            return web.json_response(await command(emulator, given))
        except RefusalError as error:
            return web.json_response(error.body(), status=error.status)

    return handle


def named_bot(emulator: Emulator, given: dict[str, Any]) -> Bot:
    """The bot of the given token."""
    bot = emulator.world.bot(str(given.get("bot", "")))
    if bot is None:
        raise bad_request("bot: a token like 123456:ABC is needed")
    return bot


async def act(emulator: Emulator, given: dict[str, Any]) -> Json:
    """Let a person act."""
    bot, action, chat_id = named_bot(emulator, given), str(given.get("action", "")), int(given.get("chat_id", 0))
    details = {key: value for key, value in given.items() if key not in {"bot", "chat_id", "action"}}
    return {"update_ids": emulator.act(bot.token, chat_id, action, **details)}


async def script(emulator: Emulator, given: dict[str, Any]) -> Json:
    """Prescribe answers."""
    chat_id = given.get("chat_id")
    emulator.script(
        list(given.get("steps", [])), token=str(given.get("bot", "")), chat_id=int(chat_id) if chat_id else None, method=given.get("method")
    )
    return {"scripts": len(emulator.faults.scripts)}


async def describe(emulator: Emulator, given: dict[str, Any]) -> Json:
    """Name a bot or revoke its token."""
    bot = named_bot(emulator, {"bot": given.get("token")})
    bot.username, bot.name = given.get("username", bot.username), given.get("name", bot.name)
    bot.revoked = bool(given.get("revoked", bot.revoked))
    bot.json |= {"username": bot.username, "first_name": bot.name}
    return bot.json


async def replay(emulator: Emulator, given: dict[str, Any]) -> Json:
    """Post an update again."""
    bot, update_id = named_bot(emulator, given), int(given.get("update_id", 0))
    if update_id not in bot.history:
        raise bad_request("unknown update_id")
    statuses = await emulator.delivery.replay(bot, update_id, times=int(given.get("times", 1)), together=bool(given.get("together")))
    return {"statuses": statuses}


async def options(emulator: Emulator, given: dict[str, Any]) -> Json:
    """Change how the emulator behaves for everybody."""
    for key in dataclasses.asdict(emulator.options).keys() & given.keys():
        setattr(emulator.options, key, type(getattr(emulator.options, key))(given[key]))
    return dataclasses.asdict(emulator.options)


async def messages(emulator: Emulator, given: dict[str, Any]) -> Json:
    """What a person sees in the chat."""
    bot, chat_id = named_bot(emulator, given), int(given.get("chat_id", 0))
    chat = bot.chats.get(chat_id)
    if chat is None:
        return {"messages": [], "keyboard": None, "actions": []}
    return {"messages": list(chat.messages.values()), "keyboard": chat.keyboard, "actions": chat.actions}


async def stats(emulator: Emulator, given: dict[str, Any]) -> Json:
    """Figures of the process and, when named, of one bot."""
    figures: Json = {"accepted": emulator.ledger.counts, "refused": emulator.refusals.counts, "violations": emulator.rates.violations}
    if given.get("bot"):
        bot = named_bot(emulator, given)
        figures |= {"waiting": len(bot.updates), "webhook": bool(bot.webhook.url), "answers": bot.answers, "polled": bot.poll is not None}
    return figures


async def reset(emulator: Emulator, _given: dict[str, Any]) -> Json:
    """Forget everything but the options and the ledgers."""
    emulator.faults.scripts.clear()
    for known in (emulator.world.bots, emulator.world.files, emulator.world.paths):
        known.clear()
    return {}


COMMANDS: dict[tuple[str, str], Command] = {
    ("POST", "act"): act,
    ("POST", "script"): script,
    ("POST", "bots"): describe,
    ("POST", "replay"): replay,
    ("POST", "options"): options,
    ("GET", "messages"): messages,
    ("GET", "stats"): stats,
    ("POST", "reset"): reset,
}
