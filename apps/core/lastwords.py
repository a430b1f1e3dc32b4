"""What a process had in hand when it died, told to those that serve on: processes that were forked from one parent share this memory.

Work whose transaction never happened leaves nothing behind when its process dies, not even that somebody died with it. A process therefore writes the
names of what it begins with, and wipes them out when it comes back from it; what stands in the place of a dead process was in its hand. It costs a
few microseconds and no database; it is forgotten when the parent ends, and where processes are not forked nothing is known of anybody else.
"""

import fcntl
import mmap
import os
import time
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

PLACES = 64  # the parent and the last 63 processes that it has forked
MOST = 126  # names in one place; more are not remembered
REMEMBERED_SECONDS = 600.0
_FORK, _COUNT, _NAMES = 0, 1, 2  # within a place
_WIDTH = _NAMES + MOST


class LastWords:
    """Made by the parent before it forks. A place is held by a lock that a process loses with its life, however it ends, and before its parent has
    noticed.
    """

    def __init__(self) -> None:
        self._file = os.memfd_create("last words")
        os.ftruncate(self._file, PLACES * _WIDTH * 4)
        self._memory = memoryview(mmap.mmap(self._file, 0)).cast("I")
        self._parent = os.getpid()
        self._forks = 0
        self._place = 0
        self._heard: set[int] = set()
        self._left: dict[int, float] = {}
        os.register_at_fork(before=self._before_fork, after_in_child=self._in_child)

    def _before_fork(self) -> None:
        if os.getpid() == self._parent:
            self._forks += 1

    def _in_child(self) -> None:
        if os.getppid() != self._parent:
            return
        self._place = next((place for place in self._in_turn() if self._lock(place)), 0)
        self._memory[self._at(_COUNT)] = 0
        self._memory[self._at(_FORK)] = self._forks

    def _in_turn(self) -> Iterator[int]:
        """The place that was given longest ago first."""
        yield from (1 + (self._forks + further) % (PLACES - 1) for further in range(PLACES - 1))

    def _at(self, word: int, place: int | None = None) -> int:
        return (self._place if place is None else place) * _WIDTH + word

    @contextmanager
    def in_hand(self, names: Collection[str]) -> Iterator[None]:
        """For as long as what these name is worked on; by one thread of a process at a time."""
        marks = [_mark(name) for name in names][:MOST]
        for place, mark in enumerate(marks, self._at(_NAMES)):
            self._memory[place] = mark
        self._memory[self._at(_COUNT)] = len(marks)
        try:
            yield
        finally:
            self._memory[self._at(_COUNT)] = 0

    def doubtful(self, names: Collection[str]) -> frozenset[str]:
        """Those with which a process has died within the last minutes."""
        for place in range(1, PLACES):
            if self._memory[self._at(_COUNT, place)] and place != self._place:
                self._hear(place)
        now = time.monotonic()
        return frozenset(name for name in names if self._left and self._left.get(_mark(name), 0) > now)

    def _hear(self, place: int) -> None:
        """Of a process that has something in its hand or died with it."""
        fork = self._memory[self._at(_FORK, place)]
        if fork in self._heard or not self._lock(place):
            return
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
        self._heard.add(fork)
        begin = self._at(_NAMES, place)
        until = time.monotonic() + REMEMBERED_SECONDS
        self._left |= dict.fromkeys(self._memory[begin : begin + self._memory[self._at(_COUNT, place)]], until)

    def _lock(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return False
        return True


def _mark(name: str) -> int:
    """Two names with one mark do no harm: both are doubtful."""
    return zlib.crc32(name.encode())


_words: LastWords | None = None


def share() -> None:
    """From now on the processes that this one forks tell one another."""
    global _words  # noqa: PLW0603  one for the whole process
    _words = LastWords()


@contextmanager
def in_hand(names: Collection[str]) -> Iterator[None]:
    """See `LastWords.in_hand`; nothing where nobody shares."""
    if _words is None:
        yield
    else:
        with _words.in_hand(names):
            yield


def doubtful(names: Collection[str]) -> frozenset[str]:
    """See `LastWords.doubtful`."""
    return _words.doubtful(names) if _words else frozenset()
