import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import pytest
import redis

from tools import places, postgres, valkey
from tools.processes import Process, end_marked, wait_until

# These start servers of their own: about a second each.


@pytest.fixture
def data() -> Iterator[Path]:
    with places.temporary_data() as folder:
        yield folder


@pytest.fixture
def database(data: Path) -> Iterator[Process]:
    process = Process(postgres.program(data, durable=False), data / "postgres.log")
    process.start()
    postgres.await_database(process, data, "dialogbus")
    yield process
    process.kill()


def ask(data: Path, question: LiteralString) -> object:
    """The first column of the first row; None for a statement that answers no rows."""
    with psycopg.connect(postgres.url(data, "dialogbus")) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def test_upper_case_works_for_cyrillic(data: Path, database: Process) -> None:
    assert database.alive()
    assert ask(data, "SELECT upper('привет, ёж')") == "ПРИВЕТ, ЁЖ"
    assert ask(data, "SELECT 'ЗАКАЗ' ILIKE '%заказ%'") is True


def test_the_database_listens_on_no_port_and_nobody_else_can_enter(data: Path, database: Process) -> None:
    assert psutil.Process(database.pid).net_connections("tcp") == []
    assert (data / "postgres").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
def test_the_database_does_not_run_as_root(database: Process) -> None:
    assert psutil.Process(database.pid).username() == postgres.SYSTEM_USER


def test_the_database_stops_cleanly_and_keeps_its_data(data: Path, database: Process) -> None:
    ask(data, "CREATE TABLE kept AS SELECT 41 AS value")

    assert database.stop() == 0

    database.start()
    postgres.await_database(database, data, "dialogbus")
    assert ask(data, "SELECT value FROM kept") == 41


def test_a_database_that_was_killed_starts_again(data: Path, database: Process) -> None:
    os.kill(database.pid, signal.SIGKILL)
    assert database.wait(5) == -signal.SIGKILL

    again = Process(postgres.program(data, durable=False), data / "postgres.log")
    try:
        again.start()
        postgres.await_database(again, data, "dialogbus")
        assert ask(data, "SELECT 1") == 1
    finally:
        again.kill()


def test_a_left_over_database_is_stopped_before_the_next_start(data: Path, database: Process) -> None:
    postgres.program(data, durable=False)

    assert database.wait(5) == 0


def test_a_stale_note_with_a_strangers_number_ends_nobody(data: Path, database: Process) -> None:
    database.stop()
    (data / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data / 'postgres'}\n")

    again = Process(postgres.program(data, durable=False), data / "postgres.log")
    try:
        again.start()
        postgres.await_database(again, data, "dialogbus")
        assert ask(data, "SELECT 1") == 1
    finally:
        again.kill()


def test_programs_out_of_the_users_reach_are_copied(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = postgres.reachable_programs(data, postgres.system_user())
    assert wheel.is_relative_to(Path(postgres._installed(None)))
    answers = iter([False, False])
    monkeypatch.setattr(postgres, "_runs", lambda *_: next(answers))

    copied = postgres.reachable_programs(data, postgres.system_user())

    monkeypatch.undo()
    assert copied.is_relative_to(data)
    assert postgres._runs(copied / "postgres", postgres.system_user())
    assert postgres._runs(copied / "initdb", postgres.system_user())


@pytest.fixture
def broker(data: Path) -> Iterator[tuple[Process, str]]:
    process, address = valkey.start(data, password="secret", mark=str(data), log=data / "valkey.log")
    yield process, address
    process.kill()


def test_valkey_wants_its_password(broker: tuple[Process, str]) -> None:
    _, address = broker

    with redis.Redis.from_url(address) as connection:
        assert connection.ping() is True
    with redis.Redis.from_url(address.replace("secret", "wrong")) as connection, pytest.raises(redis.AuthenticationError):
        connection.ping()


def test_valkey_stops_cleanly_and_keeps_its_data(broker: tuple[Process, str]) -> None:
    process, address = broker
    with redis.Redis.from_url(address) as connection:
        connection.set("kept", "41")

    assert process.stop() == 0

    process.start()
    assert wait_until(lambda: valkey._answers(address), seconds=5)
    with redis.Redis.from_url(address) as connection:
        assert connection.get("kept") == b"41"


def test_a_left_over_valkey_is_known_by_its_mark(data: Path, broker: tuple[Process, str]) -> None:
    assert end_marked(str(data)) == [broker[0].pid]
