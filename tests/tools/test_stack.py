import os
import signal
from pathlib import Path

import pytest

from tools.demo import ask
from tools.processes import Program, wait_until
from tools.stack import NotUpError, Stack


def test_a_killed_web_process_leaves_its_port_and_starts_again(tmp_path: Path) -> None:
    with Stack(os.environ, tmp_path) as stack:
        address = stack.web()
        web = stack.processes["web"]
        assert ask(f"{address}/health/live") == (200, '{"status": "ok"}')

        os.kill(web.pid, signal.SIGKILL)
        assert web.wait(5) == -signal.SIGKILL
        assert ask(f"{address}/health/live")[0] == 0

        web.start()
        assert wait_until(lambda: ask(f"{address}/health/live")[0] == 200, seconds=20)

    assert not web.alive()
    assert ask(f"{address}/health/live")[0] == 0


def test_a_process_that_cannot_start_shows_why(tmp_path: Path) -> None:
    with (
        Stack({**os.environ, "DJANGO_SETTINGS_MODULE": "config.nothing"}, tmp_path) as stack,
        pytest.raises(NotUpError, match="web did not come up"),
    ):
        stack.web()


def test_nothing_runs_after_the_block(tmp_path: Path) -> None:
    with Stack({}, tmp_path) as stack:
        process = stack.start(Program("sleeper", ["sleep", "60"], {"PATH": "/usr/bin:/bin"}, tmp_path))
        assert process.alive()

    assert process.exit_code == -signal.SIGKILL
