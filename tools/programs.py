"""The programs that make up the product, as the demo and the tests start them. `compose.yaml` starts the same ones."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.places import CLONE
from tools.processes import Program

# A call that waits for its scenario holds a thread, and a thread holds a database connection: hence their number.
THREADS = ("--blocking-threads", "32", "--blocking-threads-idle-timeout", "300", "--backpressure", "256")
WEB = ("-m", "config.web", "--interface", "wsgi", "--no-ws", "--workers-kill-timeout", "5", "--respawn-failed-workers", *THREADS)
LIVE = ("-m", "uvicorn", "config.asgi:application", "--timeout-graceful-shutdown", "2", "--no-access-log", "--log-level", "warning")
CELERY = ("-m", "celery", "--quiet", "-A", "config")
WORKER = (
    *CELERY,
    "worker",
    "--pool=threads",
    "--concurrency=4",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=INFO",
)
SENDER = ("manage.py", "run_sender")
BEAT = (*CELERY, "beat", "--pidfile=", "--loglevel=WARNING")


@dataclass(frozen=True)
class Ports:
    """Three neighbours on loopback."""

    web: int

    @property
    def live(self) -> int:
        return self.web + 1

    @property
    def crm(self) -> int:
        return self.web + 2

    def by_use(self) -> dict[str, int]:
        return {"web pages": self.web, "live feed": self.live, "demo CRM": self.crm}


def settings_variables() -> set[str]:
    """The environment variables that the settings read."""
    return set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', (CLONE / "config/settings.py").read_text()))


def web(env: Mapping[str, str], *, port: int) -> Program:
    return _python("web", env, *WEB, "--host", "127.0.0.1", "--port", str(port), "config.wsgi:application")


def live(env: Mapping[str, str], *, port: int) -> Program:
    return _python("live", env, *LIVE, "--host", "127.0.0.1", "--port", str(port))


def worker(env: Mapping[str, str], *, name: str = "worker") -> Program:
    return _python(name, env, *WORKER, f"--hostname={name}@%h")


def sender(env: Mapping[str, str], *, name: str = "sender") -> Program:
    return _python(name, env, *SENDER)


def beat(env: Mapping[str, str], *, folder: Path, name: str = "beat") -> Program:
    return _python(name, env, *BEAT, f"--schedule={folder / (name + '-schedule')}")


def democrm(env: Mapping[str, str], *, port: int, base_url: str, bot_id: str, user_id: str, token: str) -> Program:
    """Its key goes by the environment: a command line can be read by every user of the machine."""
    arguments = ("--port", str(port), "--base-url", base_url, "--bot-id", bot_id, "--user-id", user_id)
    return _python("crm", {**env, "DEMOCRM_TOKEN": token}, "-m", "tools.democrm", *arguments)


def manage(env: Mapping[str, str], *arguments: str, name: str = "manage") -> Program:
    return _python(name, env, "manage.py", *arguments)


def _python(name: str, env: Mapping[str, str], *arguments: str) -> Program:
    return Program(name, [sys.executable, *arguments], {"MALLOC_ARENA_MAX": "2", **env, "PYTHONUNBUFFERED": "1"}, CLONE)
