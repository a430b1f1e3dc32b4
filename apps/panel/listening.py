"""One connection to the database listens for the whole process; whoever streams to a browser is woken when their chat has news.

NOTIFY is only a wake-up: what is told is always read by cursor, so that a lost one costs at most `LOOK_SECONDS`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.conversations import feed
from apps.core import notices

logger = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

LOOK_SECONDS = 5.0
GATHER_SECONDS = 0.02
RECONNECT_SECONDS = (0.5, 1, 2, 5)
DATABASE_THREADS = 4


class Hub:
    """Who waits for which lead, and the task that wakes them."""

    def __init__(self) -> None:
        self.listening = False
        self.stopping = asyncio.Event()
        self._waiting: dict[int, set[asyncio.Event]] = {}
        self._changed = asyncio.Event()
        self._cursor = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._connections: set[BaseDatabaseWrapper] = set()
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="live-database")

    @property
    def waiting(self) -> int:
        return sum(len(events) for events in self._waiting.values())

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(work()) for work in (self._listen, self._look)]

    def stop(self) -> None:
        """Ends every stream; called as soon as the process is asked to stop, because servers wait for open streams."""
        self.stopping.set()
        self._wake_all()

    async def close(self) -> None:
        self.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._close_database)

    @contextlib.asynccontextmanager
    async def woken(self, lead_id: int) -> AsyncIterator[asyncio.Event]:
        """An event that is set when something of this lead has changed; clear it before reading."""
        wake = asyncio.Event()
        self._waiting.setdefault(lead_id, set()).add(wake)
        try:
            yield wake
        finally:
            others = self._waiting[lead_id]
            others.discard(wake)
            if not others:
                del self._waiting[lead_id]

    def streams_of(self, lead_id: int) -> int:
        return len(self._waiting.get(lead_id, ()))

    async def in_database(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `work` in one of the few threads that have a connection."""

        def done() -> T:
            close_old_connections()
            self._connections.add(connections["default"])
            return work(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, done)

    def _close_database(self) -> None:
        self._threads.shutdown(wait=True)
        for used in self._connections:
            used.inc_thread_sharing()  # its own thread has ended
            used.close()

    # --- from the database to whoever waits -----------------------------------------------------------------------------

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async for channel, payload in notices.hear("feed", "typing"):
                    self.listening, failures = True, 0
                    self._noticed(channel, payload)
            except notices.LOST as error:
                logger.warning("the live feed lost the database; trying again", error=type(error).__name__)
            self.listening = False
            await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
            failures += 1

    def _noticed(self, channel: str, payload: str) -> None:
        if channel == "typing" and payload.isdecimal():
            self._wake({int(payload)})
        else:
            self._changed.set()

    async def _look(self) -> None:
        """Reads whose chats have news since the last look. Many changes within a moment are one look."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            if not self._waiting:
                self._cursor = 0
                continue
            try:
                leads, self._cursor = await self.in_database(_changed_leads, self._cursor)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the live feed cannot read; trying again", error=type(error).__name__)
                continue
            self._wake_all() if leads is None else self._wake(leads)

    def _wake(self, lead_ids: set[int]) -> None:
        for lead_id in lead_ids & self._waiting.keys():
            for wake in self._waiting[lead_id]:
                wake.set()

    def _wake_all(self) -> None:
        self._wake(set(self._waiting))


def _changed_leads(after: int) -> tuple[set[int] | None, int]:
    """Leads with news after the cursor, and the newest cursor; None for the leads means: anybody may have."""
    if not after:
        return None, feed.head()
    leads: set[int] = set()
    while True:
        page = feed.read(after)
        if page.reset:
            return None, page.cursor
        leads |= {item.lead_id for item in page.items}
        if page.cursor == after or not page.items:
            return leads, page.cursor
        after = page.cursor
