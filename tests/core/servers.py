"""Small HTTP servers on loopback that misbehave on purpose."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """One request as it came over the wire."""

    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines) if name}


@dataclass
class Server:
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that reads a request, keeps it and lets `answer` write whatever it likes; over TLS when given a context."""
    server = Server()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    thread = threading.Thread(target=_run, args=(loop, server, answer, ready, tls), daemon=True)
    thread.start()
    ready.wait(5)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def _run(
    loop: asyncio.AbstractEventLoop,
    server: Server,
    answer: Answer,
    ready: threading.Event,
    tls: ssl.SSLContext | None,
) -> None:
    asyncio.set_event_loop(loop)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            while not reader.at_eof():
                received = await _read(reader)
                server.received.append(received)
                await answer(received, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = loop.run_until_complete(asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls))
    server.port = listener.sockets[0].getsockname()[1]
    ready.set()
    loop.run_forever()
    listener.close()
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n")
    received = Received(head=head, body=b"")
    length = int(received.headers.get("content-length", "0"))
    received.body = await reader.readexactly(length) if length else b""
    return received


def reply(status: str = "200 OK", body: bytes = b"", **headers: str) -> Answer:
    """An answer with a length; `Content_Type` becomes `Content-Type`."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(message)

    return answer
