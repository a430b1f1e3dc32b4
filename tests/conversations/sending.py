"""A real sender in a thread of the test, against the Telegram emulator in its own loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import InterfaceError, OperationalError, connection

from apps.conversations import advancing, pacing
from apps.conversations.sending import Sender
from apps.core import redis
from apps.core.claimant import Claimant
from tools.emulators.telegram import running


@contextmanager
def sender() -> Iterator[Sender]:
    """A sender that runs until the block ends, beside a Redis that has run for a while: after an empty one the rates wait for their window."""
    redis.client().set(pacing.EPOCH, 1)
    started = threading.Event()
    box: list[tuple[Sender, asyncio.AbstractEventLoop]] = []

    def serve() -> None:
        asyncio.run(work())

    async def work() -> None:
        box.append((Sender(), asyncio.get_running_loop()))
        started.set()
        await box[0][0].run()

    thread = threading.Thread(target=serve)
    thread.start()
    started.wait(5)
    running, loop = box[0]
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(running.stop)
        thread.join(20)


@contextmanager
def emulated() -> Iterator[str]:
    """The emulator in a loop of its own; its address."""
    ready = threading.Event()
    box: list[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with running() as emulator:
            box.append((emulator.url, asyncio.get_running_loop(), asyncio.Event()))
            ready.set()
            await box[0][2].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(5)
    url, loop, stop = box[0]
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)


def until(condition: Callable[[], object], *, seconds: float = 8) -> None:
    """Drain and wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        advancing.drain()
        time.sleep(0.02)


async def lose_session(of: Claimant) -> None:
    """The server ends its database session."""
    with suppress(OperationalError, InterfaceError):
        await of.run(_end_my_session)


def _end_my_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
