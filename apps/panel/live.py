"""The live process: server-sent events for web chats, `/live/widget`. Everything else goes to Django.

A stream tells exactly what `GET /widget/v1/events` would, as soon as it happens. It is an accelerator: nothing is lost without it.
"""

import asyncio
import contextlib
import json
import signal
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from apps.panel import showing, tickets
from apps.panel.listening import Hub
from apps.panel.models import WidgetVisitor

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BEAT_SECONDS = 15.0
LONGEST_STREAM_SECONDS = 3600.0
STREAMS_PER_LEAD = 12
MAX_STREAMS = 2000
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class RefusedError(Exception):
    """The stream is not opened: status and a word for programs."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Live:
    """The ASGI application of the live process, around Django's."""

    def __init__(self, django: Application) -> None:
        self.django = django
        self.hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/live/widget":
            await self._widget(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/live/health":
            await self._health(send)
        else:
            await self.django(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._hub()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self.hub:
                    await self.hub.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _hub(self) -> Hub:
        """The process's hub; begun with the first stream where the server knows no lifespan."""
        if self.hub is None:
            self.hub = Hub()
            await self.hub.start()
            _stop_when_asked(self.hub)
        return self.hub

    async def _health(self, send: Send) -> None:
        hub = await self._hub()
        await _answer(send, 200 if hub.listening else 503, {"listening": hub.listening, "streams": hub.waiting})

    async def _widget(self, scope: Scope, receive: Receive, send: Send) -> None:
        hub = await self._hub()
        try:
            ticket = _ticket(scope)
            lead_id = await hub.in_database(_lead_id, ticket.visitor_id)
            _check_room(hub, lead_id)
        except RefusedError as refusal:
            await _answer(send, refusal.status, {"code": refusal.code}, headers=[(b"retry-after", b"5")] if refusal.status == 503 else [])  # noqa: PLR2004
            return
        except (DatabaseError, InterfaceError):
            await _answer(send, 503, {"code": "unavailable"}, headers=[(b"retry-after", b"2")])
            return
        await send({"type": "http.response.start", "status": 200, "headers": _stream_headers(ticket)})
        with contextlib.suppress(OSError):
            await _stream(hub, ticket, lead_id=lead_id, after=_after(scope), receive=receive, send=send)


async def _stream(hub: Hub, ticket: tickets.Ticket, *, lead_id: int, after: int, receive: Receive, send: Send) -> None:
    """Until the browser leaves, the session ends, the process stops, or the stream has grown old (the browser then comes again)."""
    gone = asyncio.create_task(_gone(receive))
    ends = asyncio.get_running_loop().time() + LONGEST_STREAM_SECONDS
    news, typing = True, False
    try:
        async with hub.woken(lead_id) as wake:
            await _chunk(send, ": open\n\n")
            while not gone.done() and not hub.stopping.is_set() and asyncio.get_running_loop().time() < ends:
                wake.clear()
                page = await _read(hub, ticket.visitor_id, after if news else None)
                if page is None:
                    break
                if page:
                    await _tell(send, page, typing=typing)
                    after, typing = int(page["cursor"]), page["typing"]
                else:
                    await _chunk(send, "event: beat\ndata: {}\n\n")
                news = await _awaits(wake, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def _tell(send: Send, page: showing.Shown, *, typing: bool) -> None:
    """Sends what is news to a page that shows `typing` already."""
    if page["events"] or page.get("reset") or page["typing"] != typing:
        await _chunk(send, f"id: {page['cursor']}\nevent: events\ndata: {json.dumps(page, ensure_ascii=False)}\n\n")


async def _awaits(wake: asyncio.Event, gone: "asyncio.Task[None]") -> bool:
    """True when there may be news or the browser left, False when only time has passed."""
    waking = asyncio.create_task(wake.wait())
    done, _waiting = await asyncio.wait({waking, gone}, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    waking.cancel()
    return bool(done)


async def _read(hub: Hub, visitor_id: int, after: int | None) -> showing.Shown | None:
    """The news after the cursor; without one only a look whether the session lives. None ends the stream: the session is over, or the
    database is away and the page does better to ask elsewhere.
    """
    with contextlib.suppress(DatabaseError, InterfaceError):
        return await hub.in_database(_events, visitor_id, after)
    return None


def _events(visitor_id: int, after: int | None) -> showing.Shown | None:
    visitor = _visitor(visitor_id)
    if visitor is None:
        return None
    return {} if after is None else showing.events(visitor, after=after)


def _lead_id(visitor_id: int) -> int:
    visitor = _visitor(visitor_id)
    lead = showing.lead_of(visitor) if visitor else None
    if lead is None:
        raise RefusedError(401, "session_ended")
    return lead.pk


def _visitor(visitor_id: int) -> WidgetVisitor | None:
    return WidgetVisitor.objects.filter(pk=visitor_id, expires_at__gt=timezone.now(), channel__is_active=True).first()


def _ticket(scope: Scope) -> tickets.Ticket:
    """The ticket is bound to the page's origin; a browser leaves the header out only where page and stream share one."""
    if scope["method"] != "GET":
        raise RefusedError(405, "method_not_allowed")
    ticket = tickets.read(_query(scope, "ticket"))
    if ticket is None:
        raise RefusedError(401, "ticket_expired")
    if _header(scope, b"origin") not in {"", ticket.origin}:
        raise RefusedError(403, "origin_not_allowed")
    return ticket


def _check_room(hub: Hub, lead_id: int) -> None:
    if hub.stopping.is_set() or hub.waiting >= getattr(settings, "LIVE_MAX_STREAMS", MAX_STREAMS):
        raise RefusedError(503, "full")
    if hub.streams_of(lead_id) >= STREAMS_PER_LEAD:
        raise RefusedError(429, "too_many_streams")


def _after(scope: Scope) -> int:
    text = _header(scope, b"last-event-id") or _query(scope, "after")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else 0  # noqa: PLR2004


def _query(scope: Scope, name: str) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get(name, [""])[0]


def _header(scope: Scope, name: bytes) -> str:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")


def _stream_headers(ticket: tickets.Ticket) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
        (b"access-control-allow-origin", ticket.origin.encode()),
        (b"vary", b"Origin"),
    ]


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _chunk(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int, body: dict[str, Any], *, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    head = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _stop_when_asked(hub: Hub) -> None:
    """Servers wait for open streams before they tell the application that they stop; so the signal itself ends the streams."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _chained(before, lambda: loop.call_soon_threadsafe(hub.stop)))


def _chained(before: Callable[..., Any], first: Callable[[], Any]) -> Callable[..., Any]:
    def handle(*args: Any) -> Any:
        with contextlib.suppress(RuntimeError):
            first()
        return before(*args)

    return handle
