"""What is due is due by the database's clock, whatever ours says."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.core import dbclock


@pytest.fixture(autouse=True)
def _unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbclock, "_known", None)


def test_the_machines_own_time_until_the_database_was_asked() -> None:
    assert abs(dbclock.now() - timezone.now()) < timedelta(seconds=1)


@pytest.mark.django_db
def test_a_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    right = dbclock.keep()
    monkeypatch.setattr(timezone, "now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    assert timedelta(0) <= dbclock.now() - right < timedelta(seconds=1)
    assert dbclock.keep() - right < timedelta(seconds=1)


@pytest.mark.django_db
def test_it_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    right = dbclock.keep()
    monkeypatch.setattr(dbclock, "_known", (datetime(2001, 1, 1, tzinfo=UTC), -dbclock.ASK_AGAIN_SECONDS))
    assert timedelta(0) <= dbclock.keep() - right < timedelta(seconds=5)
