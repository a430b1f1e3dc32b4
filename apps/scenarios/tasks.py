"""Celery's part of scenarios: the beat looks at what starts by the clock."""

from celery import shared_task

from apps.scenarios.scheduling import sweeping


@shared_task(name="scenarios.schedules", expires=30)
def schedules() -> int:
    return sweeping.sweep()
