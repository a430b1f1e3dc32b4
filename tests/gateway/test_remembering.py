"""Rows that every call needs: read again after a while by one, while the others go on with what they know, for as long again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from apps.gateway.remembering import Remembered

pytestmark = pytest.mark.django_db(transaction=True)


class Table:
    """A row that takes a moment to read."""

    def __init__(self) -> None:
        self.value: str | None = "old"
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()

    def load(self) -> str | None:
        self.reads += 1
        self.gate.wait(5)
        return self.value


def test_one_reads_again_and_the_others_use_what_is_known(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0.4
    table, rows = Table(), Remembered[str, str]()
    assert rows.get("key", table.load) == "old"
    time.sleep(0.41)
    table.value = "new"
    table.gate.clear()
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(rows.get, "key", table.load)
        while table.reads < 2:
            time.sleep(0.001)
        assert [rows.get("key", table.load) for _time in range(5)] == ["old"] * 5
        table.gate.set()
        assert reading.result() == "new"
    assert table.reads == 2
    assert rows.get("key", table.load) == "new"


def test_what_is_known_is_used_for_as_long_again_at_most(settings: Settings) -> None:
    """A database that does not answer must not keep a revoked key alive."""
    settings.CACHE_CHECK_SECONDS = 0.1
    table, rows = Table(), Remembered[str, str]()
    rows.get("key", table.load)
    time.sleep(0.11)
    table.value = None
    table.gate.clear()
    with ThreadPoolExecutor(2) as readers:
        first = readers.submit(rows.get, "key", table.load)
        time.sleep(0.15)
        second = readers.submit(rows.get, "key", table.load)
        time.sleep(0.05)
        assert not second.done()
        table.gate.set()
        assert (first.result(), second.result()) == (None, None)


def test_with_no_time_to_remember_each_call_reads(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0
    table, rows = Table(), Remembered[str, str]()
    for value in ("old", "new", None):
        table.value = value
        assert rows.get("key", table.load) == value
    assert table.reads == 3
