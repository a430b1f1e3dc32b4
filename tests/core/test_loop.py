import asyncio
import os
import subprocess
import sys
import threading

import pytest

from apps.core import loop
from apps.core.trace import current_trace_id, trace


async def _answer() -> str:
    await asyncio.sleep(0)
    return current_trace_id()


def test_work_runs_in_the_callers_chain() -> None:
    with trace("crm-chain-1"):
        assert loop.run(_answer()) == "crm-chain-1"


def test_errors_come_back() -> None:
    async def fail() -> None:
        raise LookupError("x")

    with pytest.raises(LookupError):
        loop.run(fail())


def test_many_threads_share_one_loop() -> None:
    async def which() -> int:
        return id(asyncio.get_running_loop())

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(loop.run(which()))) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [id(loop.background_loop())] * 8


def test_waiting_for_the_loop_on_the_loop_is_an_error() -> None:
    async def inside() -> None:
        loop.run(_answer())

    with pytest.raises(RuntimeError, match="wait for itself"):
        loop.run(inside())


FORKING = """
import asyncio, os
from apps.core import loop

async def answer():
    return os.getpid()

assert loop.run(answer()) == os.getpid()
child = os.fork()
if child == 0:
    os._exit(0 if loop.run(answer()) == os.getpid() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
async def close():
    print("closed", flush=True)

loop.close_at_exit(close)
"""


def test_a_forked_child_has_a_loop_of_its_own_and_the_end_closes_what_is_open() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=20, env={**os.environ, "PYTHONPATH": "."}, check=False
    )
    assert (done.returncode, done.stdout) == (0, "closed\n"), done.stderr
