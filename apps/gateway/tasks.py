"""Celery's part of the gateway: forgetting."""

from celery import shared_task

from apps.gateway import repeating


@shared_task(name="gateway.tidy", expires=600)
def tidy() -> int:
    """Delete the answers of calls whose 24 hours are over."""
    return repeating.forget_old()
