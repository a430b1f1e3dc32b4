"""One drain for each worker process, which stays for a while when it is done: the next item finds it awake.

A Celery task costs 1.3 to 2 ms of CPU and as much time; a batch costs about as much as four more items in it. So while items come, one drain
takes them all in ever larger batches, and whoever posts wakes it through Redis. A process runs a second one only beside one that is stuck.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from celery.signals import worker_shutting_down
from django.db import close_old_connections

from apps.conversations import advancing, waking
from apps.core import hot

LINGERING = 1.5  # seconds without work after which the worker's thread is free for other things; less than Redis is waited for
STUCK = 0.5  # a batch that takes longer no longer keeps others from beginning


@dataclass
class Drains:
    """Those of this process. `moved`: when one of them last began a batch, infinity while it waits for work."""

    running: int = 0
    moved: float = 0.0
    ending: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> bool:
        """Whether one more is wanted."""
        with self.lock:
            if self.running and time.monotonic() - self.moved < STUCK:
                return False
            self.running += 1
            self.moved = time.monotonic()
            return True

    def leave(self) -> None:
        with self.lock:
            self.running -= 1

    def go_on(self, until: float) -> bool:
        """Called between batches."""
        self.moved = time.monotonic()
        return self.moved < until and not self.ending


_drains = Drains()


def drain(*, seconds: float) -> int:
    """How many items were handled. Whoever comes while another drain of this process goes on leaves the work to that one."""
    if not _drains.enter():
        waking.nudge()
        return 0
    try:
        return _threads.submit(_in_own_session, time.monotonic() + seconds).result()
    finally:
        _drains.leave()


# The same one again and again, whichever of Celery's threads asks: its database session has its plans and caches.
_threads = ThreadPoolExecutor(thread_name_prefix="drain")


def _in_own_session(until: float) -> int:
    close_old_connections()
    hot.dedicate()
    try:
        return _drain(until)
    finally:
        close_old_connections()


def _drain(until: float) -> int:
    def stop() -> bool:
        return not _drains.go_on(until)

    handled = 0
    while not stop():
        waking.hint_taken()
        handled += advancing.drain(stop=stop)
        _drains.moved = float("inf")
        if stop_waiting(until):
            break
    waking.not_waiting()
    handled += advancing.drain(stop=stop)  # what was posted while it still seemed to wait
    if stop():
        waking.more_workers(at_once=True)
    return handled


def stop_waiting(until: float) -> bool:
    """After all is done: wait for a hint; True when none came and nothing more is to be expected."""
    left = until - time.monotonic()
    return left <= 0 or _drains.ending or not waking.hinted(within=min(LINGERING, left))


@worker_shutting_down.connect
def _end(**_signal: object) -> None:
    _drains.ending = True
