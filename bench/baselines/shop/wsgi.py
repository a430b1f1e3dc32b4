"""The web process of the baseline."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.baselines.shop.settings")

from bench.baselines.shop.celery import app  # noqa: F401  tasks are published by this application

application = get_wsgi_application()
