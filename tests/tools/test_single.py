import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import single

HOLDS = """
import signal, sys, time
from pathlib import Path
from tools import single
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with single.only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holding(lock: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(lock)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_instance_is_told_who_runs(tmp_path: Path) -> None:
    with holding(tmp_path / "lock") as other:
        with pytest.raises(single.AlreadyRunningError) as refusal, single.only_one(tmp_path / "lock"):
            pass
        other.kill()

    assert refusal.value.pid == other.pid


def test_stop_ends_the_holder(tmp_path: Path) -> None:
    with holding(tmp_path / "lock") as other:
        assert single.stop_other(tmp_path / "lock", seconds=5) is True
        assert other.wait(5) == 0


def test_the_note_of_a_killed_holder_points_at_nobody(tmp_path: Path) -> None:
    """The number may be somebody else's by now: here it is our own, and we are still alive afterwards."""
    lock = tmp_path / "lock"
    with holding(lock) as other:
        other.kill()
    assert lock.read_text() == str(other.pid)
    lock.write_text(str(os.getpid()))

    assert single.stop_other(lock) is False
    with single.only_one(lock):
        assert single.holder(lock) == os.getpid()


def test_nothing_to_stop_where_nothing_was_started(tmp_path: Path) -> None:
    assert single.stop_other(tmp_path / "lock") is False
