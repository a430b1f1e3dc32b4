"""The whole product as real processes on a database of its own, with the demo loaded: what a newcomer has after `make demo`."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg

from tools import programs
from tools.demo import ask
from tools.places import CLONE
from tools.ports import free_port
from tools.processes import wait_until
from tools.stack import Stack

ADMIN, PASSWORD = "admin", "a-made-up-password"


@dataclass
class Stage:
    """Addresses and keys of the running product; `stack` holds its processes, to be stopped and started by tests of faults."""

    base_url: str
    live_url: str
    crm_url: str
    demo: dict[str, Any]
    env: dict[str, str]
    stack: Stack

    @property
    def demo_page(self) -> str:
        return f"{self.base_url}/demo/"

    def manage(self, *arguments: str) -> str:
        """What `manage.py` prints."""
        program = programs.manage(self.env, *arguments)
        done = subprocess.run(program.argv, env=program.env, cwd=program.cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> Any:
        """The JSON that this code prints, run inside the product; None when it prints nothing."""
        assert self.inside.stdin
        assert self.inside.stdout
        self.inside.stdin.write(json.dumps(code) + "\n")
        self.inside.stdin.flush()
        answer = json.loads(self.inside.stdout.readline())
        assert not answer["error"], answer["error"]
        lines = answer["said"].strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    @cached_property
    def inside(self) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-m", "tests.browser.inside"]
        return subprocess.Popen(argv, env=self.env, cwd=CLONE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        if "inside" in self.__dict__:
            self.inside.communicate(timeout=10)


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Starts web, live, worker, sender, beat and the CRM; all are gone at the end, and so is their database."""
    with database() as database_url, Stack({}, folder) as stack:
        crm, live = free_port(), free_port()
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url,
            "REDIS_URL": other_redis(),
            "SECRET_KEY": secrets.token_urlsafe(40),
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"),
            "DEMO": "1",
            "LIVE_URL": f"http://127.0.0.1:{live}",
            "OUTGOING_ALLOW": f"127.0.0.1:{crm}",
            "LOG_LEVEL": "WARNING",
        }
        stack.env = env
        made = Stage("", env["LIVE_URL"], f"http://127.0.0.1:{crm}", {}, env, stack)
        made.manage("migrate", "--no-input", "-v0")
        stack.start(programs.live(env, port=live))
        base_url = stack.web()
        demo = json.loads(
            made.manage(
                "load_demo",
                "--base-url",
                base_url,
                "--crm-url",
                made.crm_url,
                "--admin-user",
                ADMIN,
                "--admin-password",
                PASSWORD,
                "--json",
            )
            .strip()
            .splitlines()[-1]
        )
        for start in (stack.worker, stack.sender, stack.beat):
            start()
        start_crm(stack, crm, base_url, demo, folder)
        stage = Stage(base_url, env["LIVE_URL"], made.crm_url, demo, env, stack)
        await_up(stage)
        try:
            yield stage
        finally:
            stage.close()


def start_crm(stack: Stack, port: int, base_url: str, demo: dict[str, Any], folder: Path) -> None:
    program = programs.democrm(
        stack.env, port=port, base_url=base_url, bot_id=str(demo["bot_id"]), user_id=str(demo["user_id"]), token=demo["token"]
    )
    own_state = ("--state", str(folder / "crm.json"))
    stack.start(type(program)(program.name, [*program.argv, *own_state], program.env, program.cwd))


def await_up(stage: Stage) -> None:
    addresses = (f"{stage.base_url}/health/", f"{stage.live_url}/live/health", f"{stage.crm_url}/health")
    for address in addresses:
        well = wait_until(lambda address=address: ask(address)[0] == 200, seconds=60)  # type: ignore[misc]
        logs = "\n".join(f"--- {name}\n{process.last_lines(8)}" for name, process in stage.stack.processes.items())
        assert well, f"{address} answers {ask(address)}\n{logs}"


@contextmanager
def database() -> Iterator[str]:
    """An empty database beside the one that the environment names."""
    given = urlsplit(os.environ["DATABASE_URL"])
    name = f"browser_{os.getpid()}_{secrets.token_hex(3)}"
    server = {"host": unquote(given.hostname or ""), "port": given.port, "user": given.username, "password": given.password}
    options: dict[str, Any] = {key: value for key, value in server.items() if value}
    with psycopg.connect(**options, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(given._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def other_redis() -> str:
    """A numbered database of the same server that other tests do not empty."""
    given = urlsplit(os.environ["REDIS_URL"])
    number = int(given.path.strip("/") or 0)
    return urlunsplit(given._replace(path=f"/{(number + 8) % 16}"))


__all__ = ["ADMIN", "CLONE", "PASSWORD", "Stage", "stage"]
