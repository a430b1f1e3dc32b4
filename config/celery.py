"""The Celery application. A task is a hint that there is work; PostgreSQL is the queue of record (docs/running.md)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("dialogbus")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
