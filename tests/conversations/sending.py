"""A real sender in a thread of the test, against the Telegram emulator in its own loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from apps.conversations import advancing
from apps.conversations.sending import Sender


@contextmanager
def sender() -> Iterator[Sender]:
    """A sender that runs until the block ends."""
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


def until(condition: Callable[[], object], *, seconds: float = 8) -> None:
    """Drain and wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        advancing.drain()
        time.sleep(0.02)
