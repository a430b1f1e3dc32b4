import subprocess
import sys

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from config.celery import app
from tools.ports import free_port


def test_the_tasks_of_the_clock_exist() -> None:
    app.loader.import_default_modules()

    assert ({entry["task"] for entry in app.conf.beat_schedule.values()} | set(settings.LOOKS)) - set(app.tasks) == set()


BEAT = """
import sys
sys.argv = ["/somewhere/celery/__main__.py", "beat"]
from config.celery import app
app.loader.init_worker()
app.finalize()
from apps.core.beating import SteadyScheduler
from apps.core.looking import Looker
from django.apps import apps
print(len(Looker().asked), apps.ready, "rest_framework" in sys.modules, "conversations.sweep" in app.tasks)
"""


def test_beat_does_without_djangos_applications() -> None:
    done = subprocess.run([sys.executable, "-c", BEAT], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [str(len(settings.LOOKS)), "False", "False", "False"]


def test_a_broker_that_is_away_is_asked_again_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.celery.RECONNECT_SECONDS", 0.01)
    pauses: list[float] = []
    with app.connection_for_read(f"redis://127.0.0.1:{free_port()}/0") as broker, pytest.raises(OperationalError):
        broker.ensure_connection(lambda _error, pause: pauses.append(pause), 4)
    assert pauses == [0.01] * 4
    assert app.conf.broker_connection_max_retries is None
