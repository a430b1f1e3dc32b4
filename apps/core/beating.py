"""A beat that a wrong clock does not put to sleep.

Celery's own counts by the wall clock and keeps when each task ran last: after the clock was set back an hour it sends nothing for an hour, and a
restart does not help, because the times are kept on disk. This one forgets what lies in the future, at the start and whenever the clock jumps.
"""

import time
from typing import Any

from celery.beat import PersistentScheduler

JUMP_SECONDS = 2.0


class SteadyScheduler(PersistentScheduler):
    """`CELERY_BEAT_SCHEDULER`."""

    _ahead: float | None = None  # of the monotonic clock

    def setup_schedule(self) -> None:
        super().setup_schedule()
        self._forget_future()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        ahead = time.time() - time.monotonic()
        if self._ahead is not None and abs(ahead - self._ahead) > JUMP_SECONDS:
            self._forget_future()
        self._ahead = ahead
        return float(super().tick(*args, **kwargs))

    def _forget_future(self) -> None:
        for entry in self.schedule.values():
            now = entry.default_now()
            entry.last_run_at = min(entry.last_run_at or now, now)
        self._heap = None  # made anew from the entries by the next tick
