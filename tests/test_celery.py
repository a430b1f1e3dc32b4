from collections.abc import Iterator

import pytest
from celery.signals import after_task_publish
from kombu.exceptions import OperationalError

from apps.core.models import Heartbeat
from config.celery import app, show_beats_life
from tools.ports import free_port


@pytest.fixture
def _beat() -> Iterator[None]:
    show_beats_life()
    yield
    after_task_publish.disconnect(dispatch_uid="beat.life")


@pytest.mark.django_db(transaction=True)  # a process of its own takes a connection of its own
@pytest.mark.usefixtures("_beat")
def test_a_hint_that_went_out_is_beats_sign_of_life() -> None:
    app.send_task("conversations.sweep")
    app.send_task("conversations.sweep")

    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["beat"]


@pytest.mark.django_db(transaction=True)  # a process of its own takes a connection of its own
def test_other_processes_give_no_sign_for_beat() -> None:
    app.send_task("conversations.sweep")

    assert not Heartbeat.objects.exists()


def test_the_tasks_of_the_clock_exist() -> None:
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_a_broker_that_is_away_is_asked_again_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.celery.RECONNECT_SECONDS", 0.01)
    pauses: list[float] = []
    with app.connection_for_read(f"redis://127.0.0.1:{free_port()}/0") as broker, pytest.raises(OperationalError):
        broker.ensure_connection(lambda _error, pause: pauses.append(pause), 4)
    assert pauses == [0.01] * 4
    assert app.conf.broker_connection_max_retries is None
