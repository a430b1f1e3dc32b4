"""`make demo`: everything on this machine under one supervisor. `make stop` ends it from another terminal."""

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from types import FrameType
from typing import Any

from tools import frontend, keys, places, programs, single
from tools.fingerprints import of_product
from tools.parent import follow_make
from tools.places import CLONE, RUN
from tools.ports import PortTakenError, check_free
from tools.postgres import PostgresError
from tools.processes import MARK, Process, Program, end_marked
from tools.programs import Ports
from tools.servers import Servers
from tools.supervisor import Supervisor, say
from tools.valkey import ValkeyError

LOCK = RUN / "demo.lock"
NOTE = RUN / "demo.json"
TOKEN = RUN / "demo-token"
SECRETS = RUN / "secrets.env"
LOGS = RUN / "logs"
ADMIN = "admin"
HEALTHY_WITHIN = 90.0
EXPECTED = (PortTakenError, PostgresError, ValkeyError, places.PlaceError)


class StopRequestedError(Exception):
    """Ctrl-C, `make stop` or a closed terminal."""


class StepFailedError(Exception):
    """A step of the start failed; the text ends with what the step said."""


@dataclass
class Demo:
    """The running demo. `requests`: how often somebody asked it to stop; the second time it no longer waits for anybody."""

    ports: Ports
    supervisor: Supervisor = field(default_factory=Supervisor)
    env: dict[str, str] = field(default_factory=dict)
    requests: int = 0

    def ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self.requests += 1

    def tick(self) -> None:
        self.supervisor.tick()
        if self.requests:
            raise StopRequestedError
        time.sleep(0.1)

    def run(self) -> None:
        started = time.monotonic()
        secrets = keys.keep_secrets(SECRETS)
        settings = self.start_servers(secrets)
        self.env = {**os.environ, **settings, MARK: str(RUN)}
        self.build_frontend()
        self.migrate()
        since = datetime.now(UTC)
        self.start_programs()
        demo = self.load(secrets["ADMIN_PASSWORD"])
        self.start_crm(demo)
        self.await_health(since)
        self.write_note(demo, settings, secrets["ADMIN_PASSWORD"])
        say(self.welcome(demo, secrets["ADMIN_PASSWORD"], seconds=time.monotonic() - started))
        while True:
            self.tick()

    def start_servers(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The settings of this demo, as environment variables."""
        data = places.data_folder()
        if RUN not in data.parents:
            say(f"Data folder: {data} (the database's user cannot reach files inside {RUN}, or their path is too long)")
        servers = Servers(data, LOGS, str(RUN), secrets["VALKEY_PASSWORD"]).start(self.supervisor)
        passed_on = {name: os.environ[name] for name in programs.settings_variables() if os.environ.get(name)}
        own = {
            "STATIC_ROOT": str(RUN / "static"),
            "MEDIA_ROOT": str(RUN / "media"),
            "LIVE_URL": self.live_url,
            "DEMO": "1",
        }
        from_secrets = {name: secrets[name] for name in ("SECRET_KEY", "BLIND_INDEX_KEY", "FIELD_KEYS")}
        return {**from_secrets, **passed_on, **servers, **own}

    def run_step(self, program: Program) -> str:
        """Runs a command to its end and answers what it printed; the start stops when it fails."""
        log = LOGS / f"{program.name}.log"
        log.unlink(missing_ok=True)
        process = Process(program, log)
        try:
            process.start()
            while process.alive():
                self.tick()
        finally:
            process.kill()
        if process.exit_code:
            raise StepFailedError(f"{program.name} failed. The end of {log}:\n{process.last_lines(25)}")
        printed = log.read_text(errors="replace")
        log.unlink()  # may hold a secret that was shown once
        return printed

    def load(self, password: str) -> dict[str, Any]:
        """Loads the demo's bot and answers its `bot_id`, `token`, `user_id` and `demo_url`."""
        addresses = ("--crm-url", self.crm_url, "--base-url", self.base_url, "--token-file", str(TOKEN))
        arguments = (*addresses, "--admin-user", ADMIN, f"--admin-password={password}", "--json")  # it may begin with a dash
        printed = self.run_step(programs.manage(self.env, "load_demo", *arguments, name="load_demo"))
        answers = [line for line in printed.splitlines() if line.startswith("{") and '"bot_id"' in line]
        if not answers:
            raise StepFailedError(f"load_demo told nothing about its bot:\n{printed}")
        return dict(json.loads(answers[-1]))

    def build_frontend(self) -> None:
        """The demo runs without the builder's pages too: the admin says so and offers the JSON editor."""
        try:
            frontend.build(self.run_step)
        except StepFailedError as error:
            say(f"The pages of the scenario builder could not be built; the admin offers the JSON editor instead.\n{error}")

    def migrate(self) -> None:
        """Skipped for the embedded database when no file of the product has changed since the last time."""
        note, present = places.data_folder() / "migrated", of_product(CLONE)
        if not os.environ.get("DATABASE_URL") and note.exists() and note.read_text() == present:
            return
        self.run_step(programs.manage(self.env, "migrate", "--no-input", name="migrate"))
        note.write_text(present)

    def start_programs(self) -> None:
        """They come up while the demo's data are loaded."""
        intake = (
            programs.web(self.env, port=self.ports.web),
            programs.live(self.env, port=self.ports.live),
            programs.beat(self.env, folder=RUN),
        )
        for program in intake:
            self.start_program(program, stage=1)
        for program in (programs.worker(self.env), programs.sender(self.env)):
            self.start_program(program, stage=2)

    def start_crm(self, demo: Mapping[str, Any]) -> None:
        bot = {name: str(demo[name]) for name in ("bot_id", "user_id", "token")}
        self.start_program(programs.democrm(self.env, port=self.ports.crm, base_url=self.base_url, **bot), stage=1)

    def start_program(self, program: Program, *, stage: int) -> None:
        self.supervisor.start(Process(program, LOGS / f"{program.name}.log"), stage=stage)

    def await_health(self, since: datetime) -> None:
        """Until every part is well and every process has shown a sign of life of this very run."""
        end = time.monotonic() + HEALTHY_WITHIN
        status, body = 0, ""
        while not (status == HTTPStatus.OK and is_of_this_run(body, since) and ask(self.crm_url)[0]):
            if time.monotonic() > end:
                raise StepFailedError(f"Not all is well after {HEALTHY_WITHIN:.0f} s. /health/ says {status}: {body}\nLogs: {LOGS}")
            for _ in range(3):
                self.tick()
            status, body = ask(f"{self.base_url}/health/")

    def write_note(self, demo: Mapping[str, Any], settings: Mapping[str, str], password: str) -> None:
        addresses = {"base_url": self.base_url, "crm_url": self.crm_url, "live_url": self.live_url}
        note = {**addresses, "admin": {"user": ADMIN, "password": password}, **demo, "env": dict(settings)}
        keys.write_private(NOTE, json.dumps(note, indent=2, ensure_ascii=False) + "\n")

    def welcome(self, demo: Mapping[str, Any], password: str, *, seconds: float) -> str:
        return f"""
Dialog Bus is up ({seconds:.0f} s).

  Demo page   {self.base_url}/demo/   a web chat beside a small CRM: press "New order"
  Admin       {self.base_url}/admin/   user: {ADMIN}   password: {password}
  API         {self.base_url}/docs/{demo["bot_id"]}
  For scripts {NOTE}   logs: {LOGS}

Ctrl-C stops everything that was started here (or `make stop` in another terminal).
"""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def live_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.live}"

    @property
    def crm_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.crm}"


def ask(address: str) -> tuple[int, str]:
    """Status (0: no answer) and body, never through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as response:
            return response.status, response.read(4096).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(4096).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def is_of_this_run(body: str, since: datetime) -> bool:
    """Whether no part's last sign of life is older than this start: those of a demo that was just stopped still count as fresh."""
    signs = [part["details"]["last"] for part in json.loads(body)["parts"].values() if "last" in part.get("details", {})]
    return all(datetime.fromisoformat(sign) >= since for sign in signs)


def start() -> int:
    demo = Demo(Ports(chosen_port()))
    catch_signals(demo.ask_to_stop)
    follow_make()
    places.make_run_folder()
    try:
        with single.only_one(LOCK):
            return supervised(demo)
    except single.AlreadyRunningError as other:
        say(f"The demo of this clone is running already (process {other.pid}). Its addresses are in {NOTE}. Stop it with: make stop")
        return 1


def supervised(demo: Demo) -> int:
    """Runs until somebody asks to stop or a step fails, and in either case leaves no process of its own behind."""
    NOTE.unlink(missing_ok=True)
    left = end_marked(str(RUN))
    if left:
        say(f"Ended {len(left)} processes that an earlier demo of this clone had left behind.")
    try:
        check_free(demo.ports.by_use())
        demo.run()
    except StopRequestedError:
        say("Stopping …")
        return 0
    except (StepFailedError, *EXPECTED) as error:
        say(f"\n{error}")
        return 1
    finally:
        NOTE.unlink(missing_ok=True)
        demo.supervisor.stop(impatient=lambda: demo.requests > 1)
        end_marked(str(RUN))
    return 0


def catch_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:  # under nohup it stays ignored
            signal.signal(signum, handler)


def chosen_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 1024 <= int(text) <= 65000:  # noqa: PLR2004
        sys.exit(f"PORT={text} is not usable: give a number from 1024 to 65000 (the demo takes it and the next two).")
    return int(text)


def stop() -> int:
    if single.stop_other(LOCK):
        say("Stopped.")
    else:
        say("No demo of this clone is running.")
    return 0


if __name__ == "__main__":
    sys.exit(stop() if sys.argv[1:] == ["stop"] else start())
