"""Celery's part of the web chat: what is no longer needed is removed."""

from celery import shared_task

from apps.panel import uploading, visitors


@shared_task(name="panel.tidy", expires=600)
def tidy() -> int:
    """Runs hourly; removes unused uploads and visitors whose token has run out."""
    return uploading.remove_unused() + visitors.remove_expired()
