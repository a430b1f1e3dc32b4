"""One drain a process; whoever comes later leaves the work to it, and no hint is lost between two of them."""

import threading
import time
from collections.abc import Callable

import pytest

from apps.conversations import advancing, draining, waking
from apps.core import redis


@pytest.fixture(autouse=True)
def _own_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_drains", draining.Drains())
    monkeypatch.setattr(draining, "LINGERING", 0.3)


def test_a_drain_takes_what_is_posted_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    monkeypatch.setattr(advancing, "drain", lambda **_stop: _note(looked))
    thread = threading.Thread(target=lambda: draining.drain(seconds=5))
    thread.start()
    _until(lambda: len(looked) == 1)
    waking.workers()
    _until(lambda: len(looked) == 2)
    thread.join(timeout=3)
    assert len(looked) == 3  # and once more when it goes
    assert not redis.client().exists(waking.WAITING_KEY)


def test_a_second_drain_leaves_the_work_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draining._drains.enter()
    assert first
    asked: list[float] = []
    monkeypatch.setattr(advancing, "drain", lambda **_stop: _note(asked))
    assert draining.drain(seconds=5) == 0
    assert asked == []
    assert waking.hinted(within=0.2)  # the first one will look again


def test_beside_a_drain_that_is_stuck_another_begins() -> None:
    assert draining._drains.enter()
    draining._drains.moved -= draining.STUCK
    assert draining._drains.enter()


def test_hints_are_coalesced_until_a_worker_looks() -> None:
    waking.hint_taken()
    waking.workers()
    waking.workers()
    assert redis.client().llen(waking.WAKE_KEY) == 1
    waking.hint_taken()
    waking.workers()
    assert redis.client().llen(waking.WAKE_KEY) == 2


def _note(looked: list[float]) -> int:
    looked.append(time.monotonic())
    return 0


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 3
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)
