"""A process, or a part of one, that claims rows: one thread with one database session, which holds the lock of its identity (claimants.py)."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from apps.core import claimants, hot

logger = structlog.get_logger(__name__)
T = TypeVar("T")
R = TypeVar("R")

RETURNING_SECONDS = 3.0  # in which whoever lost a session has another one, when the database is there


class Claimant:
    """When the process or its session dies, whatever it had claimed is free again. `hand`: by table the ids of the claimed rows that are in
    flight or wait to be noted; changed in the thread only. `waiting`: by table, see `claimants.free`.
    """

    def __init__(
        self, name: str, *, tables: Iterable[str], lock_class: int = claimants.LOCK_CLASS, waiting: Mapping[str, str] | None = None
    ) -> None:
        self.identity = 0
        self.hand: dict[str, set[int]] = {table: set() for table in tables}
        self._lock_class = lock_class
        self._waiting = waiting or {}
        self._session: Any = None  # the database session that holds the lock
        self._returned_at = float("-inf")  # with a new session after a lost one; `time.monotonic`
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Run `work` in the thread, in the session that holds our lock; a lost session means a new identity, after what we hold has been
        claimed again. Raises what `work` raised.
        """
        return await self._in_thread(self._as_claimant, work, *args)

    async def enter(self) -> None:
        """Be known before there is work: until then others take us for dead and what we have in hand for free."""
        await self.run(_nothing)

    async def close(self) -> None:
        await self._in_thread(_disconnect)
        self._thread.shutdown(wait=True)

    def abandon(self, table: str, ids: Iterable[int]) -> None:
        """What came of these cannot be noted: let them be found as the claims of a dead process. In the thread."""
        gone = list(ids)
        claimants.abandon(table, gone)
        self.hand[table].difference_update(gone)

    def free(self) -> int:
        """Give back what the dead had, and what is claimed in our name without being in hand; how many there were. In the thread.

        A session is seldom lost alone: whoever is back first does not take for dead who is on the way.
        """
        if time.monotonic() - self._returned_at < RETURNING_SECONDS:
            return 0
        return sum(
            claimants.free(table, identity=self.identity, hand=hand, waiting=self._waiting.get(table, "false"))
            for table, hand in self.hand.items()
        )

    def note(self, table: str, rows: list[R], id_of: Callable[[R], int], settle: Callable[[list[R]], None]) -> None:
        """Write what became of claimed rows, which are out of hand then: all at once; one by one when that fails, so that what cannot be
        noted does not keep the others from it. In the thread.
        """
        try:
            settle(rows)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("what ended cannot be noted together", table=table, rows=len(rows))
            for row in rows:
                self._note_alone(table, id_of(row), row, settle)
        self.hand[table].difference_update(id_of(row) for row in rows)

    def _note_alone(self, table: str, row_id: int, row: R, settle: Callable[[list[R]], None]) -> None:
        try:
            settle([row])
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("what became of this cannot be noted", table=table, row=row_id)
            self.abandon(table, [row_id])

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _as_claimant(self, work: Callable[..., T], *args: Any) -> T:
        """That a connection is there does not say that it is that session: Django connects anew at the end of a transaction that broke."""
        if connection.connection is None or connection.connection is not self._session or connection.connection.closed:
            self._session = None
            connection.close()
            hot.dedicate()
            lost = self.identity != 0
            self.identity = claimants.enter(self._lock_class)
            if lost:
                self._returned_at = time.monotonic()
            for table, hand in self.hand.items():
                claimants.keep(table, identity=self.identity, hand=hand)
            self._session = connection.connection
        try:
            return work(*args)
        except (OperationalError, InterfaceError):
            _disconnect_if_broken()
            raise


def _nothing() -> None:
    """To be run in the thread for the session alone."""


def _disconnect() -> None:
    """Called in the thread: `connection` is that thread's own."""
    connection.close()


def _disconnect_if_broken() -> None:
    """A deadlock or a lock that could not be had is no reason to give up the session, and with it what is in hand."""
    if connection.connection is None or not connection.is_usable():
        connection.close()
