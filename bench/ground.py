"""The ground of a measurement: a private PostgreSQL and Valkey as in production (durable), the loopback messenger, and whoever is measured."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.arrivals import Arrivals
from bench.requests import BOT_TOKENS, Address, Kind
from tools import keys, places, postgres, programs, valkey
from tools.demo import ask
from tools.emulators.telegram import Control
from tools.places import CLONE
from tools.ports import free_port
from tools.processes import MARK, Process, Program, wait_until
from tools.stack import NotUpError

WEB_WORKERS = 2  # of the product and of the baselines, as in compose.yaml
SHARED = ("postgres", "valkey", "messenger")


class StepError(Exception):
    """A preparing command failed; the text is what it said."""


@dataclass
class System:
    """One that is measured: where its requests go and which programs work for it."""

    name: str
    addresses: dict[Kind, Address]
    programs: dict[str, int]


@dataclass
class Ground:
    """Servers and messenger; `start_…` add systems beside one another, of which one works at a time."""

    folder: Path
    processes: list[Process] = field(default_factory=list)
    shared: dict[str, int] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)

    # --- servers ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        database = self._process(postgres.program(self.folder))
        postgres.await_database(database, self.folder, "bench")
        password = keys.MAKERS["VALKEY_PASSWORD"]()
        store, self.redis_url = valkey.start(self.folder, password=password, mark=str(self.folder), log=self.logs / "valkey.log")
        self.processes.append(store)
        self.ledger = self.folder / "telegram.ndjson"
        self.ledger.touch()
        self.arrivals = Arrivals(self.ledger)
        self.messenger = f"http://127.0.0.1:{free_port()}"
        port = self.messenger.rpartition(":")[2]
        emulator = self._python("messenger", _plain_env(), "-m", "tools.emulators.telegram", "--port", port, "--ledger", str(self.ledger))
        self._await(emulator, f"{self.messenger}/control/stats")
        self.shared = {"postgres": database.pid, "valkey": store.pid, "messenger": emulator.pid}
        self.env = {
            **_plain_env(),
            **{name: keys.MAKERS[name]() for name in ("SECRET_KEY", "BLIND_INDEX_KEY", "FIELD_KEYS")},
            "TELEGRAM_API_URL": self.messenger,
        }

    def delay(self, seconds: float) -> None:
        """How long the messenger takes for each answer."""
        Control(self.messenger).post("options", delay=seconds)

    def database(self, name: str) -> str:
        postgres.await_database(self.processes[0], self.folder, name)
        return postgres.url(self.folder, name)

    def conninfo(self, name: str) -> str:
        """For the driver itself, without Django."""
        return postgres.url(self.folder, name)

    # --- the product ----------------------------------------------------------------------------------------------------

    def start_product(self, database: str, *, people: int, with_live: bool = False) -> System:
        env = {
            **self.env,
            "DATABASE_URL": self.database(database),
            "REDIS_URL": self.redis_url,
            "EXTRA_CHANNELS": "bench.channels",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        }
        self.step(env, "manage.py", "migrate", "--no-input")
        told: dict[str, Any] = json.loads(self.step(env, "-m", "bench.seeding", str(people)))
        port = free_port()
        web = programs.web(env, port=port)
        started = {
            "web": self._process(replace(web, argv=[*web.argv, "--workers", str(WEB_WORKERS)])),
            "worker": self._process(programs.worker(env)),
            "sender": self._process(programs.sender(env)),
            "beat": self._process(programs.beat(env, folder=self.folder)),
            **({"live": self._process(programs.live(env, port=free_port()))} if with_live else {}),
        }
        self._await(started["web"], f"http://127.0.0.1:{port}/health/live")
        base = f"http://127.0.0.1:{port}"
        addresses: dict[Kind, Address] = {
            "order": Address("order", f"{base}/bots/{told['bot']}/call/order", told["token"], people),
            "order_async": Address("order_async", f"{base}/bots/{told['bot']}/call/order", told["token"], people),
            "answer": Address("answer", f"{base}/webhooks/unlimited/{told['webhook']}", told["secret"], people),
        }
        return System("Dialog Bus", addresses, {name: process.pid for name, process in started.items()})

    # --- baselines ------------------------------------------------------------------------------------------------------

    def start_bare(self, *, people: int) -> System:
        return self._shop("bare Django", "shop_bare", people=people, tasks=False)

    def start_celery(self, *, people: int) -> System:
        return self._shop("Django + a Celery task each", "shop_celery", people=people, tasks=True)

    def start_ptb(self, *, people: int) -> System:
        port, secret = free_port(), secrets.token_urlsafe(24)
        process = self._python("ptb", self._shop_env("", secret, tasks=False), "-m", "bench.baselines.ptb", str(port))
        self._await(process, f"http://127.0.0.1:{port}/")
        return System("bare python-telegram-bot", _shop_addresses(port, "any", secret, people), {"bot": process.pid})

    def _shop(self, name: str, database: str, *, people: int, tasks: bool) -> System:
        port, secret = free_port(), secrets.token_urlsafe(24)
        env = self._shop_env(self.database(database), secret, tasks=tasks)
        token = self.step(env, "-m", "bench.baselines.shop.seeding", str(people)).strip()
        options = (*programs.THREADS, "--workers", str(WEB_WORKERS), "--host", "127.0.0.1", "--port", str(port))
        web = self._python(
            f"{database}-web", env, "-m", "granian", "--interface", "wsgi", *options, "bench.baselines.shop.wsgi:application"
        )
        started = {"web": web.pid}
        if tasks:
            worker = ("-m", "celery", "--quiet", "-A", "bench.baselines.shop.celery", "worker", "--concurrency=2", "--loglevel=WARNING")
            started["worker"] = self._python(f"{database}-worker", env, *worker).pid
        self._await(web, f"http://127.0.0.1:{port}/")
        return System(name, _shop_addresses(port, token, secret, people), started)

    def _shop_env(self, database: str, secret: str, *, tasks: bool) -> dict[str, str]:
        return {
            **self.env,
            "SHOP_DATABASE_URL": database,
            "REDIS_URL": self.redis_url.rpartition("/")[0] + "/1",
            "SHOP_WEBHOOK_SECRET": secret,
            "SHOP_ORDERS_TOKEN": BOT_TOKENS["orders"],
            "SHOP_SURVEY_TOKEN": BOT_TOKENS["survey"],
            "SHOP_TASKS": "1" if tasks else "0",
            "DJANGO_SETTINGS_MODULE": "bench.baselines.shop.settings",
        }

    # --- processes ------------------------------------------------------------------------------------------------------

    def step(self, env: Mapping[str, str], *arguments: str) -> str:
        """Run a preparing command to its end; what it printed."""
        done = subprocess.run([sys.executable, *arguments], env=dict(env), cwd=CLONE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StepError(f"{' '.join(arguments)}:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def stop(self, system: System) -> None:
        for process in self.processes:
            if process.popen and process.pid in system.programs.values():
                process.stop()

    def close(self) -> None:
        for process in reversed(self.processes):
            process.stop() if process.name == "postgres" else process.kill()

    def _python(self, name: str, env: Mapping[str, str], *arguments: str) -> Process:
        return self._process(Program(name, [sys.executable, *arguments], env, CLONE))

    def _process(self, program: Program) -> Process:
        marked = replace(program, env={**program.env, MARK: str(self.folder)}) if program.name != "postgres" else program
        process = Process(marked, self.logs / f"{program.name}.log")
        process.start()
        self.processes.append(process)
        return process

    def _await(self, process: Process, address: str) -> None:
        if not wait_until(lambda: not process.alive() or ask(address)[0] != 0, seconds=60) or not process.alive():
            raise NotUpError(f"{process.name} did not come up:\n{process.last_lines(30)}")


def _shop_addresses(port: int, token: str, secret: str, people: int) -> dict[Kind, Address]:
    base = f"http://127.0.0.1:{port}"
    return {"order": Address("order", f"{base}/order", token, people), "answer": Address("answer", f"{base}/webhook", secret, people)}


def _plain_env() -> dict[str, str]:
    """The present environment without what the settings would read from it."""
    ours = programs.settings_variables() | {"DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in ours}


@contextmanager
def running() -> Iterator[Ground]:
    """A ground for the length of the block."""
    with places.temporary_data() as folder:
        ground = Ground(folder)
        try:
            ground.start()
            yield ground
        finally:
            ground.close()
