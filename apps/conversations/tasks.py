"""Celery's part: hints become drains, beat becomes sweeps. All the work and all the truth are elsewhere."""

import time

from celery import shared_task

from apps.conversations import advancing, sweeping, waking
from apps.core.health import beat_heart

DRAIN_SECONDS = 30


@shared_task(name="conversations.drain", expires=60)
def drain() -> int:
    """Drain until nothing is due, for at most half a minute; then hint again, so that a busy worker can be stopped between drains."""
    waking.hint_taken()
    until = time.monotonic() + DRAIN_SECONDS
    handled = advancing.drain(stop=lambda: time.monotonic() > until)
    if time.monotonic() > until:
        waking.workers()
    return handled


@shared_task(name="conversations.sweep", expires=5)
def sweep() -> int:
    beat_heart("worker")
    return sweeping.sweep()


@shared_task(name="conversations.tidy", expires=600)
def tidy() -> None:
    sweeping.tidy()
