"""Hints; the work and its state are rows."""

from celery import shared_task

from apps.identity import proving


@shared_task(name="identity.send_codes", expires=600)
def send_codes() -> None:
    proving.deliver_pending()


@shared_task(name="identity.tidy", expires=3600)
def tidy() -> None:
    proving.tidy()
