"""The host of scripts that may touch the world: `callApi` through the guarded client, `table` through custom data."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db import connections
from django.utils.translation import gettext as _

from apps.core import breaker, http
from apps.core.outgoing import OutgoingError, OutgoingRequest, RefusedError, Reply
from apps.scenarios.jail import journal, tables
from apps.scenarios.jail.outcome import HostError, Json

MOST_SECONDS = 10.0  # security.md 2
SERVER_ERROR = 500
T = TypeVar("T")


class OutsideHost:
    """`key` is the same for every attempt of this run: each call carries it with its number, so that a repeated run repeats no effect in a
    system that honours Idempotency-Key. `repeatable`: what was done is kept, so that a repeated run is told and does not do it again.
    `bot_id`: whose tables there are; None = none. `name` stands in the history of records.
    """

    def __init__(self, *, key: str, trace_id: str = "", bot_id: int | None = None, name: str = "", repeatable: bool = False) -> None:
        self._key, self._trace_id, self._bot_id, self._name, self._repeatable = key, trace_id, bot_id, name, repeatable

    async def call_api(self, request: Json, *, number: int) -> Json:
        if not self._repeatable:
            return await self._called(request, number)
        known = await asyncio.to_thread(_in_thread, lambda: journal.recall(self._key, "call", number))
        if known is not None:
            return dict(known["value"])
        answer = await self._called(request, number)
        await asyncio.to_thread(_in_thread, lambda: journal.keep(self._key, "call", number, answer))
        return answer

    async def table(self, request: Json, *, number: int) -> Any:
        bot_id = self._bot_id
        if bot_id is None:
            raise HostError(_("There are no tables here."))
        return await asyncio.to_thread(_in_thread, lambda: self._worked(request, number, bot_id))

    def _worked(self, request: Json, number: int, bot_id: int) -> Any:
        if self._repeatable and request.get("verb") in tables.WRITES:
            return journal.once(self._key, "table", number, lambda: tables.work(request, bot_id=bot_id, name=self._name))
        return tables.work(request, bot_id=bot_id, name=self._name)

    async def _called(self, request: Json, number: int) -> Json:
        made = self._request(request, number)
        host = urlsplit(made.url).netloc.rpartition("@")[2].lower()
        if await asyncio.to_thread(breaker.is_open, host):
            raise HostError(
                _("%(host)s has failed again and again; it is called again in %(n)s s.") % {"host": host, "n": breaker.OPEN_SECONDS}
            )
        try:
            reply = await http.fetch(made)
        except RefusedError as error:  # we refused, the host was not asked
            raise HostError(str(error)) from error
        except OutgoingError as error:
            await asyncio.to_thread(breaker.note, host, good=False)
            raise HostError(str(error)) from error
        await asyncio.to_thread(breaker.note, host, good=reply.status < SERVER_ERROR)
        return _answer(reply)

    def _request(self, request: Json, number: int) -> OutgoingRequest:
        """Raises `HostError` for what cannot be a request; the guarded client judges the rest."""
        headers = request.get("headers") or {}
        if not isinstance(headers, dict) or not isinstance(request.get("url"), str):
            raise HostError(_("callApi() needs a url, and headers as an object."))
        body, kind = _body(request.get("body"))
        own = {"Idempotency-Key": f"{self._key}-{number}", **({"X-Trace-Id": self._trace_id} if self._trace_id else {})}
        given = {str(name): str(value) for name, value in headers.items()}
        known = {name.lower() for name in given}
        return OutgoingRequest(
            method=str(request.get("method") or ("GET" if body is None else "POST")),
            url=request["url"],
            headers={**{name: value for name, value in {**kind, **own}.items() if name.lower() not in known}, **given},
            body=body,
            timeout=_seconds(request.get("timeout")),
        )


def _in_thread(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connections.close_all()


def _body(body: Any) -> tuple[bytes | None, dict[str, str]]:
    """Text goes as it is, everything else as JSON."""
    if body is None:
        return None, {}
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), {"Content-Type": "text/plain; charset=utf-8"}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), {"Content-Type": "application/json"}


def _seconds(value: Any) -> float:
    return min(float(value), MOST_SECONDS) if isinstance(value, int | float) and value > 0 else MOST_SECONDS


def _answer(reply: Reply) -> Json:
    text = reply.text()
    try:
        body = json.loads(text) if "json" in reply.media_type or text[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        body = text
    headers = {name.lower(): value[:2000] for name, value in list(reply.headers.items())[:50]}
    return {"ok": reply.ok, "status": reply.status, "headers": headers, "body": body}
