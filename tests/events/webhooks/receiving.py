"""A receiver of webhooks on loopback that answers as told and remembers what it was sent; and a pusher in a thread of the test."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from apps.events.models import Subscription
from apps.events.webhooks import deliveries
from apps.events.webhooks.pushing import Pusher

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """`answers` are given in turn, then `always`. Challenges are answered right and not remembered, unless `echoes` is off."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    always: Answer = (204, {}, b"")
    echoes: bool = True
    refuses: list[str] = field(default_factory=list)  # kinds of events that get one 500 each
    got: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        if b'"webhook.challenge"' in request.body:
            return (200, {}, json.dumps({"challenge": request.json["challenge"]}).encode()) if self.echoes else (200, {}, b"ok")
        self.got.append(request)
        if request.json["type"] in self.refuses:
            self.refuses.remove(request.json["type"])
            return 500, {}, b""
        return self.answers.pop(0) if self.answers else self.always

    def kinds(self) -> list[str]:
        return [request.json["type"] for request in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    known = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request({name.lower(): value for name, value in self.headers.items()}, body, time.monotonic())
            status, headers, answer = known.answer(request)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), "Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def pushing() -> Iterator[Pusher]:
    """A pusher that runs until the block ends."""
    started = threading.Event()
    box: list[tuple[Pusher, asyncio.AbstractEventLoop]] = []

    async def work() -> None:
        box.append((Pusher(), asyncio.get_running_loop()))
        started.set()
        await box[0][0].run()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    started.wait(5)
    pusher, loop = box[0]
    try:
        yield pusher
    finally:
        loop.call_soon_threadsafe(pusher.stop)
        thread.join(20)


def until(condition: Callable[[], object], *, seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)


def subscribe(url: str, *kinds: str, **fields: Any) -> Subscription:
    """A confirmed subscription."""
    row = Subscription.objects.create(**{"name": "CRM", "url": url, "kinds": list(kinds) or ["*"], **fields})
    deliveries.set_state(row, Subscription.State.ACTIVE)
    return row
