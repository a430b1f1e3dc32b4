"""The moment before messages leave, noted for many at once: what only waits for its slot in a sender's hand has not left (`outbox.begin`)."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import InterfaceError, OperationalError, connection

from apps.conversations.outbox import Outgoing
from apps.core import hot

Come = tuple[Outgoing, "asyncio.Future[bool]"]


class Beginnings:
    """`note` writes that these are about to leave and tells the ids of those that are still ours. Whoever comes while it runs goes with the next.
    In a thread and a session of its own: behind a claim of many the slot would be over.
    """

    def __init__(self, note: Callable[[Sequence[Outgoing]], set[int]]) -> None:
        self._note = note
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sender-beginnings")
        self._come: list[Come] = []
        self._noting: asyncio.Task[None] | None = None

    async def of(self, outgoing: Outgoing) -> bool:
        """Whether it may leave now; False: another sender has it by now. Raises what `note` raised."""
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._come.append((outgoing, told))
        if self._noting is None:
            self._noting = asyncio.create_task(self._note_all())
        return await told

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, _disconnect)
        self._thread.shutdown(wait=True)

    async def _note_all(self) -> None:
        while self._come:
            come, self._come = self._come, []
            try:
                rows = [outgoing for outgoing, _told in come]
                ours = await asyncio.get_running_loop().run_in_executor(self._thread, self._in_own_session, rows)
            except Exception as error:  # noqa: BLE001  told to each that waits
                _tell(come, error)
            else:
                _tell(come, ours)
        self._noting = None

    def _in_own_session(self, rows: Sequence[Outgoing]) -> set[int]:
        hot.dedicate()
        try:
            return self._note(rows)
        except (OperationalError, InterfaceError):
            connection.close()
        return self._note(rows)  # the session was ended while it rested; noting twice is harmless


def _disconnect() -> None:
    connection.close()  # asked in the thread itself: each has its own


def _tell(come: Sequence[Come], found: set[int] | Exception) -> None:
    for outgoing, told in come:
        if told.done():  # cancelled meanwhile
            continue
        if isinstance(found, Exception):
            told.set_exception(found)
        else:
            told.set_result(outgoing.id in found)
