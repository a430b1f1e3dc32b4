"""Scripted misbehaviour: what a chat (or a whole bot) answers to its next calls.

A step is `{"do": <kind>, "times": 1, ...}`; `times` -1 = for ever. Kinds and their further keys:
`ok`; `429` retry_after; `403`, `400`, `401`, `404`, `409`, `500`, `502` description; `migrated` to; `delay` seconds; `hang` seconds;
`cut` (connection closed unanswered); `drip` seconds (a byte at a time); `huge` bytes; `html` status; `redirect` to; `garbage` (200, not JSON).
With `"accept": true` the call takes effect before the answer goes wrong; `accept_then_cut` and `accept_then_hang` say it in one word.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tools.emulators.telegram.calls import Call
from tools.emulators.telegram.refusals import RefusalError, bad_request, conflict, flood
from tools.emulators.telegram.state import Bot, Json

Effect = Callable[[], Awaitable[Json]]
FOR_EVER = -1
ALIASES = {"accept_then_cut": "cut", "accept_then_hang": "hang"}
ACCEPTING = {"drip", "delay", *ALIASES}


@dataclass
class Script:
    """Steps for calls that match; None matches everything."""

    bot: int | None
    chat_id: int | None
    method: str | None
    steps: deque[Json] = field(default_factory=deque)

    def matches(self, bot: Bot, call: Call) -> bool:
        """Whether the next step is for this call."""
        return (
            bool(self.steps)
            and self.bot in {None, bot.id}
            and self.chat_id in {None, call.chat_id}
            and self.method in {None, call.method.lower()}
            and (self.method is not None or call.method != "getUpdates")
        )


@dataclass
class Faults:
    """All scripts of a process, in the order in which they were given."""

    scripts: list[Script] = field(default_factory=list)

    def add(self, steps: list[Json], *, bot: int | None, chat_id: int | None, method: str | None) -> None:
        """Append steps; getUpdates is touched only when named."""
        unknown = {str(step.get("do")) for step in steps} - set(KINDS)
        if unknown:
            raise bad_request(f"unknown steps {sorted(unknown)}; one of {', '.join(sorted(KINDS))}")
        self.scripts.append(Script(bot, chat_id, method.lower() if method else None, deque(steps)))

    def take(self, bot: Bot, call: Call) -> Json | None:
        """The step for this call, used up unless it repeats."""
        for script in self.scripts:
            if script.matches(bot, call):
                step = script.steps[0]
                times = int(step.get("times", 1))
                if times > 1:
                    step["times"] = times - 1
                elif times != FOR_EVER:
                    script.steps.popleft()
                return step
        return None


def takes_effect(step: Json) -> bool:
    """Whether the call is accepted, whatever the answer."""
    return bool(step.get("accept", str(step["do"]) in ACCEPTING))


async def misbehave(request: web.Request, step: Json, effect: Effect) -> web.StreamResponse:
    """Answer one call as the step says; `effect` runs the method when the step lets it take effect."""
    named = str(step["do"])
    accepted = await effect() if takes_effect(step) else {"ok": True, "result": True}
    return await KINDS[named](request, step, accepted)


async def refused(_request: web.Request, step: Json, _accepted: Json) -> web.StreamResponse:
    """An error in the Bot API's own form."""
    error = refusal(step)
    return web.json_response(error.body(), status=error.status)


def refusal(step: Json) -> RefusalError:
    """The error of a step."""
    status = str(step["do"])
    if status == "429":
        return flood(int(step.get("retry_after", 1)))
    if status == "migrated":
        return bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=int(step["to"]))
    if status == "409":
        return conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
    return RefusalError(int(status), str(step.get("description") or DESCRIPTIONS[status]))


DESCRIPTIONS = {
    "400": "Bad Request: chat not found",
    "401": "Unauthorized",
    "403": "Forbidden: bot was blocked by the user",
    "404": "Not Found",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
}


async def delayed(_request: web.Request, step: Json, accepted: Json) -> web.StreamResponse:
    """The right answer, late."""
    await asyncio.sleep(float(step.get("seconds", 1)))
    return web.json_response(accepted)


async def hang(request: web.Request, step: Json, accepted: Json) -> web.StreamResponse:
    """No answer for `seconds`, then a cut."""
    await asyncio.sleep(float(step.get("seconds", 60)))
    return await cut(request, step, accepted)


async def cut(request: web.Request, _step: Json, _accepted: Json) -> web.StreamResponse:
    """Close the connection without a byte."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def drip(request: web.Request, step: Json, accepted: Json) -> web.StreamResponse:
    """The right answer over `seconds`, a byte at a time."""
    body = web.json_response(accepted).body
    content = body if isinstance(body, bytes) else b"{}"
    answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(content))})
    await answer.prepare(request)
    for position in range(len(content)):
        await answer.write(content[position : position + 1])
        await asyncio.sleep(float(step.get("seconds", 30)) / len(content))
    return answer


async def huge(request: web.Request, step: Json, _accepted: Json) -> web.StreamResponse:
    """A body of `bytes` that never was JSON."""
    answer = web.StreamResponse(status=int(step.get("status", 200)))
    await answer.prepare(request)
    for _ in range(int(step.get("bytes", 50_000_000)) // 65_536 + 1):
        await answer.write(b"x" * 65_536)
    return answer


async def page(_request: web.Request, step: Json, _accepted: Json) -> web.StreamResponse:
    """An HTML page, as a proxy on the way sends it."""
    return web.Response(
        status=int(step.get("status", 502)), content_type="text/html", text="<html><body><h1>Bad Gateway</h1></body></html>"
    )


async def redirect(_request: web.Request, step: Json, _accepted: Json) -> web.StreamResponse:
    """A redirect that must not be followed."""
    return web.Response(status=302, headers={"Location": str(step.get("to", "/elsewhere"))})


async def garbage(_request: web.Request, _step: Json, _accepted: Json) -> web.StreamResponse:
    """200 and half an answer."""
    return web.Response(body=b'{"ok":true,"result":{"message_id":', content_type="application/json")


async def well(_request: web.Request, _step: Json, accepted: Json) -> web.StreamResponse:
    """Nothing wrong this time."""
    return web.json_response(accepted)


KINDS: dict[str, Callable[[web.Request, Json, Any], Awaitable[web.StreamResponse]]] = {
    **dict.fromkeys(("429", "migrated", *DESCRIPTIONS, "409"), refused),
    "delay": delayed,
    "hang": hang,
    "cut": cut,
    "drip": drip,
    "huge": huge,
    "html": page,
    "redirect": redirect,
    "garbage": garbage,
    "ok": well,
    "accept_then_cut": cut,
    "accept_then_hang": hang,
}
ACCEPTING.add("ok")
