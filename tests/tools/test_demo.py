"""The demo as a whole, with real processes in a folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tools import places, ports, programs
from tools.demo import ask
from tools.places import CLONE
from tools.processes import marked, wait_until

START_WITHIN = 120


class Demo:
    """A demo under its own supervisor, as `make demo` starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = str(free_neighbours())
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, *arguments: str) -> "subprocess.Popen[bytes]":
        of_tests = programs.settings_variables()
        env = {name: value for name, value in os.environ.items() if name not in of_tests}
        env |= {"DIALOG_BUS_FOLDER": str(self.folder), "PORT": self.port}
        with self.said.open("wb") as output:
            return subprocess.Popen([sys.executable, "-m", "tools.demo", *arguments], cwd=CLONE, env=env, stdout=output, stderr=output)

    @property
    def said(self) -> Path:
        return self.folder / "said"

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of a command that ends by itself."""
        return self.launch(*arguments).wait(START_WITHIN), self.said.read_text()

    def start(self) -> dict[str, Any]:
        """The note that a started demo writes."""
        note = self.folder / "demo.json"
        note.unlink(missing_ok=True)  # of a demo that was killed
        process = self.process = self.launch()
        assert wait_until(lambda: note.exists() or process.poll() is not None, seconds=START_WITHIN)
        assert process.poll() is None, self.said.read_text()
        return dict(json.loads(note.read_text()))

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def left(self) -> list[str]:
        """Command lines of whatever runs on behalf of this folder."""
        running = list(psutil.process_iter(["pid", "name", "cmdline"]))
        carrying = {process.pid for process in marked(str(self.folder))}
        lines = {process.pid: " ".join(process.info["cmdline"] or ()) for process in running}
        databases = {process.pid for process in running if process.info["name"] == "postgres" and str(self.folder) in lines[process.pid]}
        return [lines.get(pid, "") for pid in carrying | databases]


def free_neighbours() -> int:
    """A port whose two neighbours are free as well."""
    return next(port for port in iter(ports.free_port, None) if port < 65000 and not any(ports.is_taken(port + n) for n in range(3)))


@pytest.fixture
def demo() -> Iterator[Demo]:
    with places.temporary_data() as folder:
        demo = Demo(folder)
        yield demo
        demo.kill()
        wait_until(lambda: demo.left() == [], seconds=20)


def test_a_taken_port_is_told_before_anything_starts(demo: Demo) -> None:
    with socket.create_server(("127.0.0.1", int(demo.port) + 1)):
        code, output = demo.run()

    assert code == 1
    assert f"Port {int(demo.port) + 1} (for the live feed) is taken by another program." in output
    assert not (demo.folder / "data").exists()


@pytest.mark.parametrize("port", ["80", "70000", "eight"])
def test_an_unusable_port_is_refused(demo: Demo, port: str) -> None:
    demo.port = port

    assert demo.run() == (1, f"PORT={port} is not usable: give a number from 1024 to 65000 (the demo takes it and the next two).\n")


def test_stop_without_a_demo_says_so(demo: Demo) -> None:
    demo.folder.mkdir(exist_ok=True)

    assert demo.run("stop") == (0, "No demo of this clone is running.\n")


@pytest.mark.timeout(300)
def test_the_demo_comes_up_and_leaves_nothing_behind(demo: Demo) -> None:
    (demo.folder / "secrets.env").write_text("ADMIN_PASSWORD=-made-by-chance\n")  # one of 64 begins like an option
    first = demo.start()
    assert first["admin"]["password"] == "-made-by-chance"
    assert ask(f"{first['base_url']}/health/")[0] == 200
    assert set(first) >= {"base_url", "crm_url", "live_url", "admin", "bot_id", "token", "user_id", "env"}
    assert (demo.folder / "demo.json").stat().st_mode & 0o777 == 0o600

    manage = [sys.executable, "manage.py", "migrate", "--check"]
    assert subprocess.run(manage, cwd=CLONE, env={**os.environ, **first["env"]}, check=False).returncode == 0

    code, output = demo.run()
    assert code == 1
    assert "running already" in output

    demo.kill()
    assert wait_until(lambda: demo.left() == [], seconds=20), demo.left()

    again = demo.start()
    assert again["admin"] == first["admin"]
    assert again["bot_id"] == first["bot_id"]

    assert demo.process is not None
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(40) == 0
    assert demo.left() == []
    assert not (demo.folder / "demo.json").exists()
