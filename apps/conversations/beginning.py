"""The moment before messages leave, noted for many at once: what only waits for its slot in a sender's hand has not left (`outbox.begin`)."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from apps.conversations.outbox import Outgoing

Come = tuple[Outgoing, "asyncio.Future[bool]"]


class Beginnings:
    """`note` writes that these are about to leave and tells the ids of those that are still ours. Whoever comes while it runs goes with the next."""

    def __init__(self, note: Callable[[Sequence[Outgoing]], Coroutine[None, None, set[int]]]) -> None:
        self._note = note
        self._come: list[Come] = []
        self._noting: asyncio.Task[None] | None = None

    async def of(self, outgoing: Outgoing) -> bool:
        """Whether it may leave now; False: another sender has it by now. Raises what `note` raised."""
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._come.append((outgoing, told))
        if self._noting is None:
            self._noting = asyncio.create_task(self._note_all())
        return await told

    async def _note_all(self) -> None:
        while self._come:
            come, self._come = self._come, []
            try:
                ours = await self._note([outgoing for outgoing, _told in come])
            except Exception as error:  # noqa: BLE001  told to each that waits
                _tell(come, error)
            else:
                _tell(come, ours)
        self._noting = None


def _tell(come: Sequence[Come], found: set[int] | Exception) -> None:
    for outgoing, told in come:
        if told.done():  # cancelled meanwhile
            continue
        if isinstance(found, Exception):
            told.set_exception(found)
        else:
            told.set_result(outgoing.id in found)
