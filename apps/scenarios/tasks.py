"""Celery's part of scenarios: the beat looks at what starts by the clock, and at what is published at a moment."""

from celery import shared_task

from apps.scenarios.jail import journal
from apps.scenarios.scheduling import sweeping
from apps.scenarios.versions import planning


@shared_task(name="scenarios.schedules", expires=30)
def schedules() -> int:
    return sweeping.sweep()


@shared_task(name="scenarios.publish_due", expires=10)
def publish_due() -> int:
    return planning.publish_due()


@shared_task(name="scenarios.tidy", expires=600)
def tidy() -> int:
    return journal.tidy()
