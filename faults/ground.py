"""The ground of a run: a private PostgreSQL and Valkey, the emulators of the messenger and the CRM, and every process of the product.

Single-threaded: whoever waits calls `wait`, which also starts again what died, as any supervisor of an installation does.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from faults.servants import Servant
from faults.strangers import Strangers
from tools import emulators, keys, places, postgres, programs, valkey  # noqa: F401  emulators are started by name
from tools.demo import ask
from tools.emulators import crm as crm_emulator
from tools.emulators import telegram as telegram_emulator
from tools.places import CLONE
from tools.ports import free_port
from tools.processes import MARK, Process, Program, end_marked, wait_until

Json = dict[str, Any]
DATABASE = "dialogbus"
RESTART_SECONDS = 0.3
FURTHER_SYSTEMS = 3
FULL = {"web": 1, "worker": 2, "sender": 2, "beat": 1}


class NotUpError(Exception):
    """A process did not come up; the text ends with its log."""


@dataclass
class Ground:
    """`wanted` are the processes that are started again when they die; `deaths` counts how often each did."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    deaths: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    base_url: str = ""
    database_options: tuple[str, ...] = ()
    disk_mb: int = 0  # the database's disk is a memory disk of that size; 0: it lies where the rest lies
    strangers: Strangers = field(default_factory=Strangers)
    starts: dict[str, float] = field(default_factory=dict)
    _dead_since: dict[str, float] = field(default_factory=dict)
    _clerk: Servant | None = None

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def ledger(self) -> Path:
        """What the messenger accepted."""
        return self.folder / "telegram.ndjson"

    @property
    def refusals(self) -> Path:
        return self.folder / "telegram-refusals.ndjson"

    @property
    def crm_ledger(self) -> Path:
        return self.folder / "crm.ndjson"

    @property
    def disk(self) -> Path:
        """Where the database's files lie."""
        return self.folder / "disk" if self.disk_mb else self.folder

    # --- coming up ----------------------------------------------------------------------------------------------------

    def start(self, counts: Mapping[str, int] = FULL) -> None:
        """Servers, emulators, database, processes; returns when all of them answer."""
        self.logs.mkdir(exist_ok=True)
        self.start_servers()
        self.start_emulators()
        self.settings()
        self.migrate()
        self.start_product(counts)
        self.clerk("setting", key="crm_token", value=self.secrets["crm token"])

    def start_servers(self) -> None:
        if self.disk_mb:
            self.disk.mkdir(mode=0o755)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.disk_mb}m,mode=0755", "tmpfs", str(self.disk)], check=True)
        self.postgres = self.add(Process(self._database_program(), self.logs / "postgres.log"))
        self.postgres.start()
        postgres.await_database(self.postgres, self.disk, DATABASE)
        password = keys.MAKERS["VALKEY_PASSWORD"]()
        self.secrets["valkey password"] = password
        self.valkey, self.redis_url = valkey.start(self.folder, password=password, mark=str(self.folder), log=self.logs / "valkey.log")
        self.add(self.valkey)

    def _database_program(self) -> Program:
        program = postgres.program(self.disk)
        return replace(program, argv=[*program.argv, *self.database_options])

    def start_emulators(self) -> None:
        ports = free_port(), free_port()
        files = ("--ledger", str(self.ledger)), ("--refusals", str(self.refusals))
        self.telegram = self._emulator("telegram", ports[0], *files[0], *files[1])
        self.crm = self._emulator("crm", ports[1], "--ledger", str(self.crm_ledger))
        self.telegram_url, self.crm_url = (f"http://127.0.0.1:{port}" for port in ports)
        for process, url in ((self.telegram, self.telegram_url), (self.crm, self.crm_url)):
            if not wait_until(lambda url=url: ask(f"{url}/control/stats")[0] != 0, seconds=30):  # type: ignore[misc]
                raise NotUpError(process.last_lines())

    def further_system(self, number: int) -> str:
        """Address of one more CRM on a port of its own (the breaker counts by host and port); it writes to the same ledger."""
        name, port = f"crm{number + 2}", self.further_ports[number]
        if name not in self.processes:
            argv = [sys.executable, "-m", "tools.emulators.crm", "--port", str(port), "--ledger", str(self.crm_ledger)]
            process = self.add(Process(Program(name, argv, {**_plain_env(), MARK: str(self.folder)}, CLONE), self.logs / f"{name}.log"))
            process.start()
        url = f"http://127.0.0.1:{port}"
        self.wait(lambda: ask(f"{url}/control/stats")[0] != 0, seconds=30)
        return url

    def _emulator(self, name: str, port: int, *arguments: str) -> Process:
        argv = [sys.executable, "-m", f"tools.emulators.{name}", "--port", str(port), *arguments]
        process = self.add(Process(Program(name, argv, {**_plain_env(), MARK: str(self.folder)}, CLONE), self.logs / f"{name}.log"))
        process.start()
        return process

    def settings(self) -> None:
        """The environment of the product's processes."""
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        self.port = port
        made = {name: keys.MAKERS[name]() for name in ("SECRET_KEY", "BLIND_INDEX_KEY", "FIELD_KEYS")}
        self.further_ports = [free_port() for _ in range(FURTHER_SYSTEMS)]
        self.secrets |= {name: value.rpartition(":")[2] for name, value in made.items()} | {"crm token": f"crm-{os.urandom(16).hex()}"}
        self.env = {
            **_plain_env(),
            **made,
            MARK: str(self.folder),
            "DATABASE_URL": postgres.url(self.disk, DATABASE),
            "REDIS_URL": self.redis_url,
            "PUBLIC_URL": self.base_url,
            "TELEGRAM_API_URL": self.telegram_url,
            "OUTGOING_ALLOW": ",".join(f"127.0.0.1:{port}" for port in (urlsplit(self.crm_url).port, *self.further_ports)),
            "MEDIA_ROOT": str(self.folder / "media"),
            "STATIC_ROOT": str(self.folder / "static"),
            "EXTRA_BLOCKS": "faults.blocks",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def start_product(self, counts: Mapping[str, int] = FULL) -> None:
        for kind, count in counts.items():
            for number in range(1, count + 1):
                self.want(f"{kind}{number}")
        self.await_up(seconds=120)  # all of them load everything at the same time

    def want(self, name: str) -> Process:
        """Start this process (`worker2`, `beat1`, …) and keep it running from now on."""
        self.wanted.add(name)
        process = self.processes.get(name) or self.add(Process(self._program(name), self.logs / f"{name}.log"))
        if not process.alive():
            process.start()
        return process

    def _program(self, name: str) -> Program:
        """The product's own program; its sessions carry its name, so that the matrix can tell whose they are."""
        kind, env = name.rstrip("0123456789"), {**self.env, "PGAPPNAME": name}
        if kind == "web":
            return replace(programs.web(env, port=self.port), name=name)
        if kind == "beat":
            return programs.beat(env, folder=self.folder, name=name)
        made: Program = getattr(programs, kind)(env, name=name)
        return made

    def add(self, process: Process) -> Process:
        self.processes[process.name] = process
        return process

    def await_up(self, *, seconds: float = 60) -> None:
        """Until every wanted process shows a sign of life that is younger than its start."""
        if not self.wait(lambda: ask(f"{self.base_url}/health/live")[0] == 200, seconds=seconds):  # noqa: PLR2004
            raise NotUpError(self.processes["web1"].last_lines(30))
        kinds = {name.rstrip("0123456789") for name in self.wanted} - {"web", "live"}
        if not self.wait(lambda: kinds <= self._beating(), seconds=seconds):
            raise NotUpError(f"no sign of life of {kinds - self._beating()}")

    def _beating(self) -> set[str]:
        with suppress(psycopg.Error):
            return {row[0] for row in self.rows("SELECT DISTINCT name FROM core_heartbeat WHERE at > now() - interval '30 s'")}
        return set()

    def migrate(self, *to: str, settings: str = "config.settings") -> str:
        """Bring the database to what the release with these settings needs, or to an app's migration; what that says."""
        return self.run(programs.manage({**self.env, "DJANGO_SETTINGS_MODULE": settings}, "migrate", "--no-input", *to, name="migrate"))

    def run(self, program: Program) -> str:
        """A command to its end; its output."""
        done = subprocess.run(list(program.argv), env=dict(program.env), cwd=program.cwd, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotUpError(f"{program.name}: {done.stdout[-1500:]}\n{done.stderr[-3000:]}")
        return done.stdout

    # --- living -------------------------------------------------------------------------------------------------------

    def wait(self, condition: Callable[[], object], *, seconds: float, step: float = 0.02) -> bool:
        """Whether it came true in time; meanwhile the dead are started again."""
        end = time.monotonic() + seconds
        while True:
            self.tick()
            if condition():
                return True
            if time.monotonic() > end:
                return False
            time.sleep(step)

    def sleep(self, seconds: float) -> None:
        self.wait(lambda: False, seconds=seconds)

    def tick(self) -> None:
        now = time.monotonic()
        self.strangers.look(())
        for name in self.wanted:
            process = self.processes[name]
            if process.alive():
                continue
            if name not in self._dead_since:
                self._dead_since[name] = now
                self.deaths[name] = self.deaths.get(name, 0) + 1
            if now - self._dead_since[name] >= RESTART_SECONDS:
                del self._dead_since[name]
                process.start()
                self.starts[name] = time.time()

    def kill(self, name: str) -> float:
        """`kill -9`; the moment. Whatever is wanted comes back by itself."""
        moment = time.time()
        self.processes[name].kill()
        self.tick()
        return moment

    def drop(self, name: str) -> None:
        """Stop it in order and keep it down."""
        self.wanted.discard(name)
        self.processes[name].stop()

    def named(self, kind: str) -> list[str]:
        return sorted(name for name in self.wanted if name.rstrip("0123456789") == kind)

    # --- asking -------------------------------------------------------------------------------------------------------

    @contextmanager
    def database(self, *, autocommit: bool = True) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """A session of the auditor's own, past the product."""
        with psycopg.connect(
            host=str(self.disk / "postgres"), user=postgres.SUPERUSER, dbname=DATABASE, autocommit=autocommit, connect_timeout=3
        ) as connection:
            yield connection

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return connection.execute(sql.encode(), params).fetchall()

    def value(self, sql: str, *params: object) -> Any:
        return self.rows(sql, *params)[0][0]

    def clerk(self, do: str, **command: object) -> Any:
        """Ask the clerk (see `clerking`)."""
        if self._clerk is None or not self._clerk.alive():
            self._clerk = Servant("faults.clerk", self.env, self.logs / "clerk.log")
        answer = self._clerk.ask(do=do, **command)
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}")
        return answer["answer"]

    def messenger(self, bot: Mapping[str, Any] | None = None) -> telegram_emulator.Control:
        return telegram_emulator.Control(self.telegram_url, str(bot["bot_token"]) if bot else "")

    def crm_control(self, url: str = "") -> crm_emulator.Control:
        return crm_emulator.Control(url or self.crm_url)

    # --- going down ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        if self._clerk is not None:
            self._clerk.close()
        self.wanted.clear()
        for process in self.processes.values():
            process.resume()
            process.kill()
        end_marked(str(self.folder))
        if self.disk_mb:
            subprocess.run(["umount", "--lazy", str(self.disk)], check=False)


def _plain_env() -> dict[str, str]:
    """The present environment without what the product's settings would read from it."""
    ours = programs.settings_variables() | {"DJANGO_SETTINGS_MODULE", "PYTEST_CURRENT_TEST", "PYTHONWARNINGS"}
    return {name: value for name, value in os.environ.items() if name not in ours}


@contextmanager
def running(counts: Mapping[str, int] = FULL, *, keep: Path | None = None, **options: Any) -> Iterator[Ground]:
    """A ground for the length of the block. `keep`: where its logs and ledgers are copied to in the end."""
    with places.temporary_data() as folder:
        ground = Ground(folder, **options)
        try:
            ground.start(counts)
            yield ground
        finally:
            ground.close()
            if keep is not None:
                shutil.copytree(ground.logs, keep / "logs", dirs_exist_ok=True)
                for path in folder.glob("*.ndjson"):
                    shutil.copy(path, keep)
