"""Celery's part: hints become drains, beat becomes sweeps. All the work and all the truth are elsewhere."""

from celery import shared_task

from apps.conversations import draining, sweeping
from apps.core.health import beat_heart

DRAIN_SECONDS = 30.0


@shared_task(name="conversations.drain", expires=60)
def drain() -> int:
    """Drain, wait a moment for more, and so on while more comes, for at most half a minute; then hint again, so that a busy worker can be
    stopped between drains.
    """
    return draining.drain(seconds=DRAIN_SECONDS)


@shared_task(name="conversations.sweep", expires=5)
def sweep() -> int:
    beat_heart("worker")
    return sweeping.sweep()


@shared_task(name="conversations.tidy", expires=600)
def tidy() -> None:
    sweeping.tidy()
