"""A live feed in a thread of the test, and a browser's side of its streams."""

import asyncio
import contextlib
import http.client
import json
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from apps.panel.live import Live
from tools.ports import free_port


@dataclass
class Running:
    """`port` of the server; `live` is the application, for looking inside."""

    port: int
    live: Live


@contextlib.contextmanager
def live_feed() -> Iterator[Running]:
    async def no_django(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    live, port = Live(no_django), free_port()
    server = uvicorn.Server(uvicorn.Config(live, port=port, log_level="warning", timeout_graceful_shutdown=2, lifespan="on", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        deadline = threading.Event()
        while not server.started and thread.is_alive():
            deadline.wait(0.02)
        yield Running(port, live)
    finally:
        if live.hub:
            live.hub.stop()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@dataclass
class Stream:
    """One open stream; `next` waits for its next event."""

    address: str
    port: int
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    head: dict[str, str] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self._connection.request("GET", f"{parts.path}?{parts.query}", headers=self.headers)
        answer = self._connection.getresponse()
        self.status, self.head = answer.status, {name.lower(): value for name, value in answer.getheaders()}
        self._events: queue.Queue[tuple[str, str, Any]] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(answer,), daemon=True)
        self._thread.start()
        if self.status != 200:
            self.close()

    def _read(self, answer: http.client.HTTPResponse) -> None:
        name = given = ""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for raw in answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("id: "):
                    given = line[4:]
                elif line.startswith("data: "):
                    self._events.put((given, name, json.loads(line[6:])))
        answer.close()
        self.ended.set()

    def next(self, *, name: str = "events", seconds: float = 10) -> tuple[str, Any]:
        while True:
            given, said, data = self._events.get(timeout=seconds)
            if said == name:
                return given, data

    def quiet(self, *, seconds: float = 0.4) -> bool:
        try:
            self.next(seconds=seconds)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        """As a browser that leaves: the connection is gone, whatever is being read from it."""
        with contextlib.suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()


def status_of(address: str, port: int) -> int:
    """0 when nobody listens."""
    try:
        opened = Stream(address, port)
    except OSError:
        return 0
    opened.close()
    return opened.status
