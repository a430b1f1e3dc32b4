import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.processes import Process, Program, wait_until
from tools.supervisor import Supervisor, Watched
from tools.tailing import Tail

SLEEPS = "import time; time.sleep(60)"
TELLS_ITS_END = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(open({0!r}, 'a').write({1!r}) and 0)); print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(report=said.append)
    yield supervisor
    for item in supervisor.watched:
        item.process.kill()


def python(folder: Path, name: str, code: str) -> Process:
    return Process(Program(name, [sys.executable, "-c", code], {}, folder), folder / f"{name}.log")


def test_who_dies_is_started_again_and_it_is_said(tmp_path: Path, supervisor: Supervisor, said: list[str]) -> None:
    process = python(tmp_path, "worker", SLEEPS)
    supervisor.start(process, stage=1)
    first = process.pid
    process.kill()

    supervisor.tick()
    supervisor.tick()

    assert process.alive()
    assert process.pid != first
    assert said == [f"worker ended with signal 9; starting it again now (log: {tmp_path / 'worker.log'})"]


def test_the_pauses_grow_to_half_a_minute(tmp_path: Path) -> None:
    process = python(tmp_path, "worker", SLEEPS)

    pauses = [Watched(process, 1, Tail("worker", process.log), deaths=deaths).pause() for deaths in range(1, 9)]

    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]


def test_who_dies_at_once_is_not_started_in_a_circle(tmp_path: Path, supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(python(tmp_path, "worker", "raise SystemExit(2)"), stage=1)
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        supervisor.tick()
        time.sleep(0.01)

    log = tmp_path / "worker.log"
    assert said == [f"worker ended with exit code 2; starting it again {when} (log: {log})" for when in ("now", "in 1 s")]


def test_stages_stop_one_after_another(tmp_path: Path, supervisor: Supervisor) -> None:
    told = tmp_path / "told"
    for name, stage in (("database ", 9), ("worker ", 2), ("web ", 1)):
        supervisor.start(python(tmp_path, name.strip(), TELLS_ITS_END.format(str(told), name)), stage=stage)
    assert wait_until(lambda: all(item.process.last_lines() == "ready" for item in supervisor.watched), seconds=5)

    supervisor.stop()

    assert told.read_text() == "web worker database "
    assert not any(item.process.alive() for item in supervisor.watched)


def test_only_warnings_and_errors_reach_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text('{"level": "error", "event": "of an earlier run"}\n')
    tail = Tail("web", log)
    with log.open("a") as stream:
        stream.write('{"level": "info", "event": "request"}\n{"level": "warning", "event": "slow", "trace_id": "t1"}\n')
        stream.write('{"level": "warning", "event": "Not Found: /x", "logger": "django.request"}\n')
        stream.write("[INFO] Listening\n[ERROR] Address in use\n")
        stream.write('Traceback (most recent call last):\n  File "x.py", line 1\n    boom()\nValueError: bad\nplain\n{"level": "err')

    assert tail.news() == ["     web | warning: slow trace_id=t1", "     web | [ERROR] Address in use", "     web | ValueError: bad"]
    with log.open("a") as stream:
        stream.write('or", "event": "late"}\n')
    assert tail.news() == ["     web | error: late"]
