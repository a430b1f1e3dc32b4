"""Work that many threads ask for, done for several of them at once by one thread of its own.

A lone caller is served at once; whoever comes while the thread is at work is served in its next batch, so that many share one statement, one
commit and one database session. (Each thread with a session of its own had its own plans, caches and server process: half the cost of a call.)
The thread ends, and its session with it, when nobody has asked for a while.
"""

import _thread
import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from apps.core import hot

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")

MOST = 100
LINGERING = 20.0  # seconds without a question after which the thread ends
GATHERING = 0.008  # seconds after a batch of several, whose callers come again at once, and others with them
LOOK_AFTER_SECONDS = 1.0  # a session that rested longer, or failed, is looked at before it is used again


_serving: set[int] = set()  # threads of this kind


class _Place(Generic[A, R]):
    """One waiting caller."""

    __slots__ = ("answer", "asked", "error", "failed", "served")

    def __init__(self, asked: A, failed: Callable[[BaseException], None] | None = None) -> None:
        self.asked = asked
        self.failed = failed
        self.answer: R | None = None
        self.error: BaseException | None = None
        self.served = _thread.allocate_lock()  # held until there is an answer: the cheapest thing to wait for
        self.served.acquire()


class Together(Generic[A, R]):
    """`work` takes what up to `most` callers ask for and gives an answer for each, in their order. When it fails for several, each is tried
    alone, so that one caller's fault is not another's; unless the database is away, which is told to all of them at once.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R]], *, most: int = MOST, patience: float = 0) -> None:
        """`patience`: seconds that the first of a batch waits for others in any case, where nobody waits for the answer."""
        self.work = work
        self.most = most
        self.patience = patience
        self._asked = threading.Condition()
        self._waiting: deque[_Place[A, R]] = deque()
        self._process = 0  # in which the thread runs; 0: in none
        self._resting_since = 0.0
        self._failed = False
        self._busy = self._several = False

    def __call__(self, asked: A) -> R:
        """The answer to `asked`; raises what `work` raised. Inside a transaction of the caller's it is done alone, as a part of that."""
        if connection.in_atomic_block:
            return self.work([asked])[0]
        place = self._put(_Place(asked))
        place.served.acquire()
        if place.error is not None:
            raise place.error
        return place.answer  # type: ignore[return-value]  # set where no error is

    def without_waiting(self, asked: A, *, failed: Callable[[BaseException], None]) -> None:
        """The same for a caller whom the answer does not concern; `failed` is told when there is none."""
        if connection.in_atomic_block:
            self.work([asked])
        else:
            self._put(_Place(asked, failed))

    def finish(self, *, seconds: float = 2.0) -> None:
        """Wait until nobody waits any more; for the end of a process."""
        end = time.monotonic() + seconds
        while (self._waiting or self._busy) and time.monotonic() < end:
            time.sleep(0.005)

    def _put(self, place: _Place[A, R]) -> _Place[A, R]:
        with self._asked:
            self._waiting.append(place)
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._serve, name=f"together {self.work.__name__}", daemon=True).start()
                atexit.register(self.finish)
            self._asked.notify()
        return place

    # --- the thread -----------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        _serving.add(threading.get_ident())
        hot.dedicate()
        try:
            while batch := self._next():
                self._answer(batch)
        finally:
            _serving.discard(threading.get_ident())
            connection.close()

    def _next(self) -> list[_Place[A, R]]:
        """What waits now, waited for if need be; nothing when nobody has asked for long."""
        with self._asked:
            if not self._waiting:
                self._asked.wait_for(lambda: self._waiting, timeout=getattr(settings, "TOGETHER_LINGERS", LINGERING))
            if not self._waiting:
                self._process = 0
                return []
            self._busy = True
        if len(self._waiting) < self.most and (self.patience or self._several):
            time.sleep(self.patience or GATHERING)
        with self._asked:
            return [self._waiting.popleft() for _place in range(min(self.most, len(self._waiting)))]

    def _answer(self, batch: Sequence[_Place[A, R]]) -> None:
        try:
            if self._failed or time.monotonic() - self._resting_since > LOOK_AFTER_SECONDS:
                close_old_connections()
            self._failed = False
            self._work(batch)
        except BaseException as error:  # noqa: BLE001  raised again where it belongs
            for place in batch:
                place.error = place.error or error
        finally:
            self._resting_since = time.monotonic()
            self._busy = False
            for place in batch:
                place.served.release()
                if place.failed and place.error:
                    place.failed(place.error)

    def _work(self, batch: Sequence[_Place[A, R]]) -> None:
        self._several = len(batch) > 1
        try:
            answers = self.work([place.asked for place in batch])
            for place, answer in zip(batch, answers, strict=True):
                place.answer = answer
        except (OperationalError, InterfaceError) as error:
            self._failed = True
            for place in batch:
                place.error = error
        except Exception as error:  # noqa: BLE001  raised again where it belongs
            if len(batch) == 1:
                batch[0].error = error
                return
            for place in batch:
                self._work([place])


def _each(asked: Sequence[Callable[[], Any]]) -> list[Any]:
    return [work() for work in asked]


_aside = Together(_each)


def aside(work: Callable[[], T]) -> T:
    """`work`, which reads the database, in the one session that the process has for such things, unless this thread has one open already.
    For small tables kept in memory: they must not make every thread of a server open a session.
    """
    if connection.connection is not None or threading.get_ident() in _serving:
        return work()
    answer: T = _aside(work)
    return answer
