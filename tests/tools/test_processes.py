import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tools.processes import MARK, Process, Program, end_marked, wait_until

SLEEPS = "import time; time.sleep(60)"
IGNORES_REQUESTS = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
HAS_A_CHILD = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]).pid, flush=True); {SLEEPS}"
HOLDS_A_LEASHED_CHILD = """
import sys, time
from pathlib import Path
from tools.processes import Process, Program
child = Process(Program("child", [sys.executable, "-c", "import time; time.sleep(60)"], {}, Path("/")), Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


class Runner:
    """Starts pieces of Python and ends them when the test is over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Process] = []

    def __call__(self, code: str, *, grace: float = 5, mark: str = "") -> Process:
        program = Program(f"p{len(self.started)}", [sys.executable, "-c", code], {MARK: mark}, self.folder, grace=grace)
        process = Process(program, self.folder / f"{program.name}.log")
        process.start()
        self.started.append(process)
        return process


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    for process in runner.started:
        process.kill()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_exit_code_and_the_output_are_kept(run: Runner) -> None:
    process = run("print('hello'); raise SystemExit(3)")

    assert process.wait(5) == 3
    assert process.last_lines() == "hello"
    assert not process.alive()


def test_stop_asks_first(run: Runner) -> None:
    process = run(SLEEPS)

    assert process.stop() == -signal.SIGTERM


def test_who_ignores_the_request_is_killed_after_its_grace(run: Runner) -> None:
    process = run(IGNORES_REQUESTS, grace=0.2)
    assert wait_until(lambda: process.last_lines() == "ready", seconds=5)

    assert process.stop() == -signal.SIGKILL


def test_children_that_outlive_their_leader_are_ended_with_it(run: Runner) -> None:
    process = run(HAS_A_CHILD)
    assert wait_until(lambda: process.last_lines().isdigit(), seconds=5)
    child = int(process.last_lines())

    os.kill(process.pid, signal.SIGKILL)

    assert process.wait(5) == -signal.SIGKILL
    assert wait_until(lambda: gone(child), seconds=5)


def test_a_paused_process_goes_on_after_resume(run: Runner) -> None:
    process = run("import time\nwhile True: print(time.time(), flush=True); time.sleep(0.01)")
    assert wait_until(lambda: process.last_lines() != "", seconds=5)
    process.pause()
    assert wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, seconds=5)
    length = process.log.stat().st_size
    time.sleep(0.1)

    assert process.log.stat().st_size == length
    process.resume()
    assert wait_until(lambda: process.log.stat().st_size > length, seconds=5)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's leash is Linux's")
def test_nothing_outlives_a_starter_that_was_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", HOLDS_A_LEASHED_CHILD, str(tmp_path / "child.log")], stdout=subprocess.PIPE, text=True
    )
    with starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        assert not gone(child)

        starter.kill()

    assert wait_until(lambda: gone(child), seconds=5)


def test_only_processes_with_exactly_our_mark_are_ended(run: Runner) -> None:
    ours, stranger, unmarked = run(SLEEPS, mark="/a/.run"), run(SLEEPS, mark="/a/.run/test"), run(SLEEPS)

    assert end_marked("/a/.run") == [ours.pid]

    assert not ours.alive()
    assert stranger.alive()
    assert unmarked.alive()
