"""Several processes share the tests: `pytest -p tests.spreading --processes 2`.

Each takes the next module that nobody has taken, with a database and a Redis of its own. The first process tells of all tests as though it had
run them itself, so that there is one report with one last line; a test of which no process told has failed. What measures times or
starts the whole product (`ALONE`) is run by the first process when the others are through.
"""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from tools.processes import Process, Program

LONG = ("tests/tools/test_demo.py", "tests/tools/test_bootstrap.py")  # begun first: taken last, one process would wait for them
ALONE = ("tests/faults/", "tests/browser/")
LAST_LINES = 40
POLL_SECONDS = 0.1
REDIS_DATABASES, REDIS_STEP = 16, 4

Location = tuple[str, int | None, str]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("spreading")
    group.addoption("--processes", type=int, default=1, help="how many processes share the tests")
    group.addoption("--one-of", metavar="FOLDER", help="share the tests with the processes that take them from this folder")
    group.addoption("--number", type=int, default=0, help="which of these processes this is")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.collectonly:
        return
    if config.option.one_of:
        config.pluginmanager.register(Other(config, Path(config.option.one_of)))
    elif config.option.processes > 1:
        config.pluginmanager.register(First(config))


@dataclass(frozen=True)
class Portion:
    """Tests of one module that follow one another; a module may have several, since pytest-django puts tests with a plain database first."""

    module: str
    number: int
    items: Sequence[pytest.Item]

    @property
    def alone(self) -> bool:
        return self.module.startswith(ALONE)

    def take(self, folder: Path) -> bool:
        """Whether it is ours now: one process alone can make its file."""
        try:
            (folder / str(self.number)).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def portions(items: Sequence[pytest.Item]) -> list[Portion]:
    groups = enumerate(groupby(items, lambda item: module_of(item.nodeid)))
    return sorted((Portion(module, number, list(of_it)) for number, (module, of_it) in groups), key=lambda some: some.module not in LONG)


def module_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Unknown(pytest.Item):
    """Stands for the next test while nobody has taken it: of all fixtures only those of the session stay."""

    def runtest(self) -> None:
        raise AssertionError("This is never run.")


def run(session: pytest.Session, all_of_them: Iterable[Portion]) -> None:
    """As pytest runs tests one after the other."""
    unknown: pytest.Item = Unknown.from_parent(session, name="next")
    for some in all_of_them:
        for item, following in pairwise([*some.items, unknown]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)


class Other:
    """In a process beside the first: takes portions and writes down what happens in them, whole modules at a time."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.told = (folder / f"{config.option.number}.told").open("a")
        self.module = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed or not session.items:
            return None  # pytest says what could not be collected
        run(session, (some for some in portions(session.items) if not some.alone and some.take(self.folder)))
        return True

    def pytest_runtest_logstart(self, nodeid: str, location: Location) -> None:
        if self.module != module_of(nodeid):
            self.module = module_of(nodeid)
            self.told.flush()
        self._tell("start", [nodeid, location])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tell("report", self.config.hook.pytest_report_to_serializable(config=self.config, report=report))

    def pytest_runtest_logfinish(self, nodeid: str, location: Location) -> None:
        self._tell("finish", [nodeid, location])

    def pytest_unconfigure(self) -> None:
        self.told.close()

    def _tell(self, what: str, data: Any) -> None:
        self.told.write(json.dumps([what, data], default=str) + "\n")


class First:
    """In the process that reports: runs its share and tells of what the others ran."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.kept = tempfile.TemporaryDirectory(prefix="dialogbus-spreading-")
        self.folder = Path(self.kept.name)
        self.others = [Beside(self.folder, number, config) for number in range(1, config.option.processes)]
        self.module = ""
        self.finished: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed or not session.items:
            return None
        run(session, self._mine(portions(session.items)))
        self._tell_of_others()
        self._fail_the_untold(session)
        return True

    def _mine(self, all_of_them: Sequence[Portion]) -> Iterator[Portion]:
        yield from (some for some in all_of_them if not some.alone and some.take(self.folder))
        while any(other.process.alive() for other in self.others):
            time.sleep(POLL_SECONDS)
        yield from (some for some in all_of_them if some.alone)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Between two modules the others have their say."""
        if self.module != module_of(item.nodeid):
            self.module = module_of(item.nodeid)
            self._tell_of_others()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.finished.add(nodeid)

    def _tell_of_others(self) -> None:
        for other in self.others:
            for what, data in other.news():
                self._tell(what, data)

    def _tell(self, what: str, data: Any) -> None:
        hook = self.config.hook
        if what == "report":
            hook.pytest_runtest_logreport(report=hook.pytest_report_from_serializable(config=self.config, data=data))
        elif what == "start":
            hook.pytest_runtest_logstart(nodeid=data[0], location=tuple(data[1]))
        else:
            hook.pytest_runtest_logfinish(nodeid=data[0], location=tuple(data[1]))

    def _fail_the_untold(self, session: pytest.Session) -> None:
        """A process that ended early must not look like a pass."""
        for item in session.items:
            if item.nodeid not in self.finished:
                self._fail(item.nodeid, item.location, "No process told of this test.")
        for other in self.others:
            if other.process.exit_code != other.expected_code:
                self._fail(other.process.name, ("", None, other.process.name), other.last_words())

    def _fail(self, nodeid: str, location: Location, words: str) -> None:
        self.config.hook.pytest_runtest_logreport(report=pytest.TestReport(nodeid, location, {}, "failed", words, "call"))

    def pytest_unconfigure(self) -> None:
        for other in self.others:
            other.process.stop()
        self.kept.cleanup()


class Beside:
    """One of the other processes, seen from the first."""

    def __init__(self, folder: Path, number: int, config: pytest.Config) -> None:
        self.told = folder / f"{number}.told"
        self.told.touch()
        self.read = 0
        self.expected_code = pytest.ExitCode.OK
        given = config.invocation_params
        # As one word with its option: pytest would look into a folder that stands by itself for its settings.
        own = (f"--one-of={folder}", f"--number={number}", f"--rootdir={config.rootpath}")
        argv = [sys.executable, "-m", "pytest", *map(str, given.args), *own]
        self.process = Process(
            Program(f"tests-{number}", argv, own_servers(number), given.dir, stop_signal=signal.SIGINT), folder / f"{number}.log"
        )
        self.process.start()

    def news(self) -> Iterator[tuple[str, Any]]:
        """What was written since; a line that is not whole yet waits."""
        with self.told.open("rb") as file:
            file.seek(self.read)
            for line in file:
                if line.endswith(b"\n"):
                    self.read += len(line)
                    what, data = json.loads(line)
                    if what == "report" and data["outcome"] == "failed":
                        self.expected_code = pytest.ExitCode.TESTS_FAILED
                    yield what, data

    def last_words(self) -> str:
        return f"{self.process.name} ended with {self.process.exit_code}:\n{self.process.last_lines(LAST_LINES)}"


def own_servers(number: int) -> dict[str, str]:
    """An environment with a test database (pytest-django names it after this variable of tox) and a Redis that the others do not use."""
    given = urlsplit(os.environ["REDIS_URL"])
    redis = (int(given.path.strip("/") or 0) + REDIS_STEP * number) % REDIS_DATABASES
    return {**os.environ, "TOX_PARALLEL_ENV": str(number), "REDIS_URL": urlunsplit(given._replace(path=f"/{redis}"))}
