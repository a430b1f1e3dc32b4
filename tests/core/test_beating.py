"""A clock that is set back does not put the beat to sleep, neither while it runs nor over a restart."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery

from apps.core.beating import SteadyScheduler
from apps.core.looking import Looker, Question

pytestmark = pytest.mark.django_db


class Noting(SteadyScheduler):
    """Notes what it would send."""

    def apply_entry(self, entry: object, producer: object = None) -> None:
        sent.append(str(entry))


sent: list[str] = []


@pytest.fixture
def app() -> Celery:
    made = Celery("beating", broker="memory://", set_as_current=False)
    made.conf.beat_schedule = {
        "often": {"task": "often", "schedule": 0.05},
        "hourly": {"task": "hourly", "schedule": 3600.0},
    }
    sent.clear()
    return made


def made(app: Celery, file: Path, *asked: Question) -> Noting:
    scheduler = Noting(app=app, schedule_filename=str(file))
    scheduler._looker = Looker(list(asked))
    return scheduler


def put_an_hour_ahead(scheduler: SteadyScheduler) -> None:
    """As everything is that ran before the clock was set back."""
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() + timedelta(hours=1)


def ticked(scheduler: SteadyScheduler, *, seconds: float = 0.3) -> int:
    before, end = len(sent), time.monotonic() + seconds
    while time.monotonic() < end:
        scheduler.tick()
        time.sleep(0.01)
    return len(sent) - before


def test_it_goes_on_when_the_clock_is_set_back(app: Celery, tmp_path: Path) -> None:
    scheduler = made(app, tmp_path / "schedule")
    assert ticked(scheduler) >= 2
    put_an_hour_ahead(scheduler)
    assert ticked(scheduler) <= 1
    scheduler._ahead = 0.0
    assert ticked(scheduler) >= 2
    scheduler.close()


def test_it_goes_on_after_a_restart(app: Celery, tmp_path: Path) -> None:
    scheduler = made(app, tmp_path / "schedule")
    put_an_hour_ahead(scheduler)
    scheduler.close()
    again = made(app, tmp_path / "schedule")
    assert ticked(again) >= 2
    again.close()


def test_what_has_something_to_do_is_sent_besides_the_clock(app: Celery, tmp_path: Path) -> None:
    app.conf.beat_schedule = {}
    scheduler = made(app, tmp_path / "schedule", Question("due", "true", 1.0), Question("nothing", "false", 1.0))
    assert ticked(scheduler) == 1
    assert sent[0].startswith("<ScheduleEntry: due due()")
    scheduler.close()


def test_it_wakes_for_the_next_look_however_long_the_clock_has_nothing(app: Celery, tmp_path: Path) -> None:
    app.conf.beat_schedule = {}
    scheduler = made(app, tmp_path / "schedule")
    assert 0.5 < scheduler.tick() <= 1.0
    scheduler.close()
