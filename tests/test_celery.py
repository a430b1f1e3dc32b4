from collections.abc import Iterator

import pytest
from celery.signals import after_task_publish

from apps.core.models import Heartbeat
from config.celery import app, show_beats_life


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
