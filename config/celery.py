"""The Celery application. A task is a hint that there is work; PostgreSQL is the queue of record (docs/running.md)."""

import os
import sys
import time
from typing import Any, Self

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import after_task_publish, beat_init, celeryd_after_setup
from django.db import DatabaseError, close_old_connections
from kombu import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # `manage.py check` makes them; here they would load every page

RECONNECT_SECONDS = 1.0


class SteadyConnection(Connection):
    """Tries the broker again each second. The library's own pauses grow to half a minute, and so long would nobody work after Redis is back."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Self:
        pauses = {"interval_start": RECONNECT_SECONDS, "interval_step": 0, "interval_max": RECONNECT_SECONDS}
        return super().ensure_connection(*args, **{**kwargs, **pauses})


class SteadyAMQP(AMQP):
    Connection = SteadyConnection


app = Celery("dialogbus", amqp=SteadyAMQP)
app.config_from_object("django.conf:settings", namespace="CELERY")
if "beat" not in sys.argv:  # which knows tasks by their names alone
    app.autodiscover_tasks()

SIGN_OF_LIFE_SECONDS = 5.0


@celeryd_after_setup.connect
def load_kinds(**_signal: object) -> None:
    """A worker knows all messengers, blocks and actions before it takes anything in hand: the first use of one costs a second of imports."""
    from apps.bots.registry import adapters  # noqa: PLC0415 - models can be imported only when Django is ready
    from apps.scenarios.registry import actions, blocks  # noqa: PLC0415

    for registry in (adapters, blocks, actions):
        len(registry)


@beat_init.connect
def show_beats_life(**_signal: object) -> None:
    """In the process of beat every hint that really went out is a sign of life for `/health/`, noted every few seconds."""
    noted = -SIGN_OF_LIFE_SECONDS

    def note(**_published: object) -> None:
        nonlocal noted
        if time.monotonic() - noted >= SIGN_OF_LIFE_SECONDS:
            noted = time.monotonic()
            note_beat()

    after_task_publish.connect(note, weak=False, dispatch_uid="beat.life")


def note_beat() -> None:
    """Says that beat lives; a database that is away never stops the clock."""
    from apps.core.health import beat_heart  # noqa: PLC0415 - models can be imported only when Django is ready

    close_old_connections()
    try:
        beat_heart("beat")
    except DatabaseError:
        close_old_connections()
