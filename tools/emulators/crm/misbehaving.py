"""What the CRM answers when a script says so.

A step is `{"do": <kind>, "times": 1, ...}`; `times` -1 = for ever. Kinds and their further keys:
`ok`; a status such as `500`, `404`, `429` (retry_after), `302` (to); `delay` seconds; `hang` seconds; `cut` (closed unanswered); `drip` seconds
(a byte at a time); `huge` bytes; `html` status; `garbage` (200, half a JSON).
With `"accept": true` the request takes effect before the answer goes wrong; `accept_then_cut` and `accept_then_hang` say it in one word.
"""

import asyncio
import fnmatch
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
FOR_EVER = -1
CHUNK = 65_536


@dataclass
class Script:
    """Steps for requests that match."""

    path: str
    chat: str
    steps: deque[Json] = field(default_factory=deque)

    def matches(self, path: str, chat: str) -> bool:
        return bool(self.steps) and fnmatch.fnmatchcase(path, self.path) and self.chat in {"", chat}


@dataclass
class Scripts:
    """All scripts, in the order in which they were given."""

    known: list[Script] = field(default_factory=list)

    def add(self, steps: list[Json], *, path: str, chat: str) -> None:
        unknown = {str(step.get("do")) for step in steps if not _is_known(str(step.get("do")))}
        if unknown:
            raise ValueError(f"unknown steps {sorted(unknown)}; a status or one of {', '.join(sorted(KINDS))}")
        self.known.append(Script(path, chat, deque(steps)))

    def take(self, path: str, chat: str) -> Json:
        """The step for this request, used up unless it repeats; without one, all is well."""
        for script in self.known:
            if script.matches(path, chat):
                step = script.steps[0]
                times = int(step.get("times", 1))
                if times > 1:
                    step["times"] = times - 1
                elif times != FOR_EVER:
                    script.steps.popleft()
                return step
        return {"do": "ok"}


def _is_known(kind: str) -> bool:
    return kind in KINDS or (kind.isdigit() and 200 <= int(kind) < 600)  # noqa: PLR2004


def accepts(step: Json) -> bool:
    """Whether the request takes effect."""
    return bool(step.get("accept", step["do"] in ACCEPTING))


async def answer(request: web.Request, step: Json, right: Json) -> web.StreamResponse:
    """The answer that the step prescribes; `right` is the proper one."""
    kind = str(step["do"])
    return await KINDS[kind](request, step, right) if kind in KINDS else await _status(request, step, right)


async def _status(_request: web.Request, step: Json, right: Json) -> web.StreamResponse:
    headers = {"Retry-After": str(step["retry_after"])} if "retry_after" in step else {}
    if "to" in step:
        headers["Location"] = str(step["to"])
    return web.json_response(right if accepts(step) else {"error": step["do"]}, status=int(step["do"]), headers=headers)


async def _well(_request: web.Request, _step: Json, right: Json) -> web.StreamResponse:
    return web.json_response(right)


async def _delay(_request: web.Request, step: Json, right: Json) -> web.StreamResponse:
    await asyncio.sleep(float(step.get("seconds", 1)))
    return web.json_response(right)


async def _hang(request: web.Request, step: Json, right: Json) -> web.StreamResponse:
    await asyncio.sleep(float(step.get("seconds", 60)))
    return await _cut(request, step, right)


async def _cut(request: web.Request, _step: Json, _right: Json) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _drip(request: web.Request, step: Json, right: Json) -> web.StreamResponse:
    body = str(right).encode()
    reply = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await reply.prepare(request)
    for position in range(len(body)):
        await reply.write(body[position : position + 1])
        await asyncio.sleep(float(step.get("seconds", 30)) / len(body))
    return reply


async def _huge(request: web.Request, step: Json, _right: Json) -> web.StreamResponse:
    reply = web.StreamResponse(headers={"Content-Type": "application/json"})
    await reply.prepare(request)
    for _ in range(int(step.get("bytes", 50_000_000)) // CHUNK + 1):
        await reply.write(b" " * CHUNK)
    return reply


async def _page(_request: web.Request, step: Json, _right: Json) -> web.StreamResponse:
    return web.Response(status=int(step.get("status", 200)), content_type="text/html", text="<html><body>Please sign in</body></html>")


async def _garbage(_request: web.Request, _step: Json, _right: Json) -> web.StreamResponse:
    return web.Response(body=b'{"id": ', content_type="application/json")


KINDS: dict[str, Callable[[web.Request, Json, Json], Awaitable[web.StreamResponse]]] = {
    "ok": _well,
    "delay": _delay,
    "hang": _hang,
    "cut": _cut,
    "drip": _drip,
    "huge": _huge,
    "html": _page,
    "garbage": _garbage,
    "accept_then_cut": _cut,
    "accept_then_hang": _hang,
}
ACCEPTING = frozenset({"ok", "delay", "drip", "huge", "garbage", "accept_then_cut", "accept_then_hang"})
