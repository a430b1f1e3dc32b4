"""Work that many threads ask for, done for several of them at once.

Who comes while nobody is at work begins at once; who comes meanwhile is served in the next batch, by one of those who wait. So a lone caller
waits for nobody, and many share one statement and one commit. Nothing runs in the background: whoever got an answer had the work done.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

A = TypeVar("A")
R = TypeVar("R")

MOST = 100


@dataclass(eq=False)
class _Place(Generic[A, R]):
    """One waiting caller. `called`: it is served, or it is its turn to serve."""

    asked: A
    called: threading.Event = field(default_factory=threading.Event)
    served: bool = False
    answer: R | None = None
    error: BaseException | None = None


class Together(Generic[A, R]):
    """`work` takes what up to `most` callers ask for and gives an answer for each, in their order. When it fails for several, each is tried
    alone, so that one caller's fault is not another's; unless the database is away, which is told to all of them at once.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R]], *, most: int = MOST) -> None:
        self.work = work
        self.most = most
        self._lock = threading.Lock()
        self._waiting: list[_Place[A, R]] = []
        self._busy = False

    def __call__(self, asked: A) -> R:
        """The answer to `asked`; raises what `work` raised. Not to be called inside a transaction of the caller's."""
        place = _Place[A, R](asked)
        with self._lock:
            self._waiting.append(place)
            serves, self._busy = not self._busy, True
        if not serves:
            place.called.wait()
        if not place.served:
            self._serve()
        if place.error is not None:
            raise place.error
        return place.answer  # type: ignore[return-value]  # set where no error is

    def _serve(self) -> None:
        """One batch, the caller's own place among it; then the next one in the queue serves."""
        with self._lock:
            batch, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
        try:
            self._work(batch)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            if following:
                following.called.set()
            for place in batch:
                place.called.set()

    def _work(self, batch: Sequence[_Place[A, R]]) -> None:
        for place in batch:
            place.served, place.error = True, RuntimeError("The work was broken off.")
        try:
            answers = self.work([place.asked for place in batch])
            for place, answer in zip(batch, answers, strict=True):
                place.answer, place.error = answer, None
        except (OperationalError, InterfaceError) as error:
            for place in batch:
                place.error = error
        except Exception as error:  # noqa: BLE001  raised again where it belongs
            if len(batch) == 1:
                batch[0].error = error
                return
            for place in batch:
                self._work([place])
