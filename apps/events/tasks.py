"""Celery's part of the events: forgetting deliveries whose time is over."""

from celery import shared_task

from apps.events.webhooks import deliveries


@shared_task(name="events.tidy", expires=600)
def tidy() -> int:
    return deliveries.forget_old()
