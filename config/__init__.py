"""The Celery application is loaded with the settings, so that a shared task finds its broker in every process."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
