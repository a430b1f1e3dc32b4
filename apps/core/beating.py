"""A beat that a wrong clock does not put to sleep.

Celery's own counts by the wall clock and keeps when each task ran last: after the clock was set back an hour it sends nothing for an hour, and a
restart does not help, because the times are kept on disk. This one forgets what lies in the future, at the start and whenever the clock jumps.

What has to be swept every few seconds is not sent by the clock at all: each second the database is asked what there is to do (`looking`).
"""

import time
from typing import Any

from celery.beat import PersistentScheduler
from celery.schedules import schedule

from apps.core.looking import LOOK_SECONDS, Looker, Question

JUMP_SECONDS = 2.0
EXPIRE_SECONDS = 5.0  # a hint that nobody took is given again


class SteadyScheduler(PersistentScheduler):
    """`CELERY_BEAT_SCHEDULER`."""

    _ahead: float | None = None  # of the monotonic clock
    _looker: Looker

    def setup_schedule(self) -> None:
        super().setup_schedule()
        self._forget_future()
        self._looker = Looker()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        ahead = time.time() - time.monotonic()
        if self._ahead is not None and abs(ahead - self._ahead) > JUMP_SECONDS:
            self._forget_future()
        self._ahead = ahead
        if self._looker.rest() == 0.0:
            for question in self._looker.look():
                self.apply_entry(self._entry(question), producer=self.producer)
        return min(float(super().tick(*args, **kwargs)), self._looker.rest())

    def _entry(self, question: Question) -> Any:
        expires = max(EXPIRE_SECONDS, question.pace)
        return self.Entry(
            name=question.task, task=question.task, schedule=schedule(LOOK_SECONDS), options={"expires": expires}, app=self.app
        )

    def _forget_future(self) -> None:
        for entry in self.schedule.values():
            now = entry.default_now()
            entry.last_run_at = min(entry.last_run_at or now, now)
        self._heap = None  # made anew from the entries by the next tick
