"""`make test`: every check, then every test, each with its time. All of them run even when one fails.

The last line is pytest's own, unless a check before it failed: then the last line names it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tools import chromium, keys, places, single
from tools.places import CLONE, RUN
from tools.postgres import PostgresError
from tools.servers import Servers
from tools.supervisor import Supervisor, say
from tools.valkey import ValkeyError

PYTHON = sys.executable
MARK = f"{RUN}/test"
TOGETHER = 2
# What a careful owner sets; `check --deploy` judges the settings as they are in production.
PRODUCTION = {
    "DEBUG": "0",
    "PUBLIC_URL": "https://dialogs.example.com",
    "ALLOWED_HOSTS": "dialogs.example.com",
    "PROXY_COUNT": "1",
    "SECRET_KEY": keys.MAKERS["SECRET_KEY"](),
    "BLIND_INDEX_KEY": keys.MAKERS["BLIND_INDEX_KEY"](),
    "FIELD_KEYS": keys.field_key(),
}


@dataclass(frozen=True)
class Check:
    """One command. `env`: set for this one beside the common environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    check: Check
    code: int
    output: str
    seconds: float

    def line(self) -> str:
        return f"{'ok' if self.code == 0 else 'FAILED':>6}  {self.seconds:6.1f} s  {self.check.name}"


def _python(name: str, *arguments: str, env: Mapping[str, str] | None = None) -> Check:
    return Check(name, [PYTHON, *arguments], env or {})


def _tool(name: str, program: str, *arguments: str) -> Check:
    """A command of the virtual environment, started through its Python: a long path breaks its first line."""
    return _python(name, f"{os.path.dirname(PYTHON)}/{program}", *arguments)  # noqa: PTH120 - `resolve` would leave the environment


CHECKS = (
    _python("mypy --strict", "-m", "mypy"),
    _python("ruff format --check", "-m", "ruff", "format", "--check", "--output-format", "concise", "."),
    _python("ruff check", "-m", "ruff", "check", "--quiet", "--output-format", "concise", "."),
    _tool("import-linter", "lint-imports", "--no-cache"),
    _python("budgets of functions and modules", "-m", "tools.budgets"),
    _python("front end: build, types, tests", "-m", "tools.frontend", "--check"),
    _python("makemigrations --check", "manage.py", "makemigrations", "--check", "--dry-run", "--no-input"),
    _python("check --deploy", "manage.py", "check", "--deploy", "--fail-level", "WARNING", env=PRODUCTION),
    _python("spectacular --validate", "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull),
)


def run_check(check: Check, env: Mapping[str, str]) -> Outcome:
    started = time.monotonic()
    done = subprocess.run(
        check.argv,
        cwd=CLONE,
        env={**env, **check.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(check, done.returncode, done.stdout, time.monotonic() - started)


def run_checks(env: Mapping[str, str]) -> list[Outcome]:
    """Two at a time; told in their own order, a failed one with all that it said."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        outcomes = []
        for outcome in pool.map(lambda check: run_check(check, env), CHECKS):
            outcomes.append(outcome)
            say(outcome.line())
            if outcome.code:
                say(outcome.output)
    return outcomes


def run_tests(env: Mapping[str, str], arguments: Sequence[str]) -> int:
    spread = ("-p", "tests.spreading", f"--processes={TOGETHER}")
    return subprocess.run(
        [PYTHON, "-m", "pytest", *spread, *arguments], cwd=CLONE, env=dict(env), stdin=subprocess.DEVNULL, check=False
    ).returncode


@contextmanager
def test_servers() -> Iterator[dict[str, str]]:
    """The environment of checks and tests: servers of their own unless the environment names some."""
    supervisor = Supervisor()
    data = places.data_folder() / "test"
    data.mkdir(exist_ok=True)
    data.chmod(0o755)
    servers = Servers(data, RUN / "logs" / "test", MARK, keys.MAKERS["VALKEY_PASSWORD"](), durable=False)
    try:
        yield {**os.environ, **servers.start(supervisor)}
    finally:
        supervisor.stop()


def main(arguments: Sequence[str]) -> int:
    if "--format" in arguments:
        return format_code()
    places.make_run_folder()
    try:
        with single.only_one(RUN / "test.lock"), test_servers() as env:
            return check_all(env, only_checks="--only-checks" in arguments)
    except single.AlreadyRunningError as other:
        say(f"The tests of this clone are running already (process {other.pid}); wait for them or stop them.")
    except (PostgresError, ValkeyError, places.PlaceError) as error:
        say(str(error))
    return 1


def check_all(env: Mapping[str, str], *, only_checks: bool) -> int:
    failed = [outcome.check.name for outcome in run_checks(env) if outcome.code]
    tests = 0
    if not only_checks:
        chromium.ensure()
        tests = run_tests(env, os.environ.get("PYTEST_ARGS", "").split())
    if failed:
        say(f"Failed before the tests: {', '.join(failed)}")
    return 1 if failed or tests else 0


def format_code() -> int:
    steps = ([PYTHON, "-m", "ruff", "check", "--fix", "--quiet", "."], [PYTHON, "-m", "ruff", "format", "."])
    return max(subprocess.run(step, cwd=CLONE, check=False).returncode for step in steps)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Stopped.")
