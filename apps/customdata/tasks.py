"""Hints; the work and its state are rows."""

from celery import shared_task

from apps.customdata import working


@shared_task(name="customdata.work", expires=60)
def work() -> None:
    if working.work():
        work.delay()


@shared_task(name="customdata.sweep", expires=5)
def sweep() -> None:
    """Finds what a lost hint or a killed worker left."""
    if working.waits():
        working.work()


@shared_task(name="customdata.tidy", expires=3600)
def tidy() -> None:
    working.tidy()
