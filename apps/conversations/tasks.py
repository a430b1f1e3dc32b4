"""Celery's part: hints become drains, beat becomes sweeps. All the work and all the truth are elsewhere."""

import time

from celery import shared_task

from apps.conversations import draining, sweeping
from apps.core.heart import beat_heart

DRAIN_SECONDS = 30.0
HEART_SECONDS = 5.0


class _Hearts:
    """A sign of life is a commit: not with each sweep."""

    beaten = float("-inf")

    def is_due(self) -> bool:
        due = time.monotonic() - self.beaten >= HEART_SECONDS
        self.beaten = time.monotonic() if due else self.beaten
        return due


_hearts = _Hearts()


@shared_task(name="conversations.drain", expires=60)
def drain() -> int:
    """Drain, wait a moment for more, and so on while more comes, for at most half a minute; then hint again, so that a busy worker can be
    stopped between drains.
    """
    return draining.drain(seconds=DRAIN_SECONDS)


@shared_task(name="conversations.sweep", expires=5)
def sweep() -> int:
    if _hearts.is_due():
        beat_heart("worker")
    return sweeping.sweep()


@shared_task(name="conversations.tidy", expires=600)
def tidy() -> None:
    sweeping.tidy()
