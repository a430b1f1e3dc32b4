"""The Celery application. A task is a hint that there is work; PostgreSQL is the queue of record (docs/running.md)."""

import os
import sys
import warnings
from pathlib import Path
from typing import Any, Self

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import beat_init, celeryd_after_setup
from django.conf import settings
from django.utils.log import configure_logging
from kombu import Connection

from apps.core import collecting

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


# Beat knows tasks by their names alone and asks the database in plain SQL: it does without Django's applications, and so with less memory.
_PROGRAM = Path(sys.argv[0])
IS_BEAT = "celery" in {_PROGRAM.name, _PROGRAM.parent.name} and "beat" in sys.argv[1:]

app = Celery("dialogbus", amqp=SteadyAMQP, fixups=[] if IS_BEAT else None)
app.config_from_object("django.conf:settings", namespace="CELERY")
if not IS_BEAT:
    app.autodiscover_tasks()


@celeryd_after_setup.connect
def load_kinds(**_signal: object) -> None:
    """A worker knows all messengers, blocks and actions before it takes anything in hand: the first use of one costs a second of imports."""
    from apps.bots.registry import adapters  # noqa: PLC0415 - models can be imported only when Django is ready
    from apps.scenarios.registry import actions, blocks  # noqa: PLC0415

    for registry in (adapters, blocks, actions):
        len(registry)
    collecting.settle()


@beat_init.connect
def set_up_beats_log(**_signal: object) -> None:
    """As `django.setup` does elsewhere. That it is not done here, and the database asked all the same, is no mistake."""
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    warnings.filterwarnings("ignore", message="Accessing the database during app initialization", category=RuntimeWarning)
