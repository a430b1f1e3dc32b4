"""`migrate` beside a running release, with the migration of `faults.later` and a second real session."""

import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from io import StringIO

import psycopg
import pytest
from django.apps import AppConfig, apps
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core.management.commands import migrate

TABLES = "conversations_message", "conversations_update", "conversations_call"
READ = "LOCK conversations_call IN ACCESS SHARE MODE"  # as a backup holds every table
pytestmark = pytest.mark.django_db(transaction=True)


class Told(StringIO):
    """What the command says; `then` is called when it says that it tries again."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.then = then

    def write(self, text: str) -> int:
        if "tried again" in text:
            self.then()
        return super().write(text)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app of the later release is there; `INSTALLED_APPS` would have all the others begin once more."""
    config = AppConfig("faults.later", import_module("faults.later"))
    config.apps, config.models = apps, {}
    monkeypatch.setitem(apps.app_configs, config.label, config)
    monkeypatch.setattr(migrate, "PAUSE_SECONDS", 0.01)
    yield
    call_command("migrate", config.label, "zero", verbosity=0)


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """The session of a process of the release before."""
    known = connection.get_connection_params() | {"cursor_factory": psycopg.Cursor, "application_name": "the release before"}
    with psycopg.connect(**known) as session:
        yield session
        session.rollback()


def _migrate(told: Told, **options: object) -> str:
    call_command("migrate", "later", stdout=told, **options)
    return told.getvalue()


def _changed() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'later' ORDER BY 1 DESC")
        return [name for (name,) in cursor.fetchall()]


def test_a_table_in_use_is_tried_again(other: psycopg.Connection) -> None:
    other.execute(READ)
    said = _migrate(Told(other.rollback))
    assert said.count("tried again") == 1
    assert "(the release before)" in said
    assert set(_changed()) == set(TABLES)


def test_it_ends_with_advice_when_a_table_stays_in_use(other: psycopg.Connection) -> None:
    other.execute(READ)
    with pytest.raises(CommandError, match=rf"run migrate again\..* process {other.info.backend_pid} \(the release before\)"):
        _migrate(Told(), patience=0)
    assert _changed() == []
    other.rollback()
    assert "tried again" not in _migrate(Told())
    assert set(_changed()) == set(TABLES)


@pytest.mark.parametrize("lock_ms", [migrate.LOCK_MS, 30_000])
def test_a_deadlock_ends_nobody(other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, lock_ms: int) -> None:
    """With the second value it is PostgreSQL that finds the deadlock, after its second."""
    monkeypatch.setattr(migrate, "LOCK_MS", lock_ms)
    other.execute("LOCK conversations_update IN ROW EXCLUSIVE MODE")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    failed: list[Exception] = []

    def write_a_message() -> None:
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True) as watch:
            waits = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
            end = time.monotonic() + 10
            while watch.execute(waits, [pid]).fetchone() is None and time.monotonic() < end:
                pass
        try:
            other.execute("LOCK conversations_message IN ROW EXCLUSIVE MODE")
            other.commit()
        except psycopg.Error as error:
            failed.append(error)

    writer = threading.Thread(target=write_a_message)
    writer.start()
    said = _migrate(Told(writer.join))
    assert failed == []
    assert said.count("tried again") == 1
    assert set(_changed()) == set(TABLES)


def test_what_is_done_in_steps_waits_instead(other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("faults.later.migrations.0001_columns").Migration, "atomic", False)
    other.execute(READ)
    end = threading.Timer(migrate.LOCK_MS / 1000 + 0.5, other.rollback)
    end.start()
    assert "tried again" not in _migrate(Told())
    assert set(_changed()) == set(TABLES)


def test_the_session_waits_afterwards_as_before() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        before = cursor.fetchone()
        _migrate(Told())
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == before
