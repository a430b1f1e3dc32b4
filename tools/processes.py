"""One program run as one process group: started, watched, stopped or killed together with everything it started.

On Linux the kernel ends it when the process that started it dies, even by `kill -9`; a later start finds what was left
behind elsewhere by the mark that it carries in its environment.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict

import psutil

MARK = "DIALOG_BUS_RUN"
PR_SET_PDEATHSIG = 1
LOG_LIMIT = 10 * 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[str | int]


@dataclass(frozen=True)
class Program:
    """What to run. `grace`: seconds between the stop signal and the kill. `user`: drop to this system user (needs root)."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 8
    user: str | None = None


@dataclass
class Process:
    """A program that can be started again after it ended. Its output goes straight to `log`, whoever is alive to read it."""

    program: Program
    log: Path
    popen: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    exit_code: int | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int:
        if self.popen is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.popen.pid

    def start(self) -> None:
        program = self.program
        self.exit_code = None
        with open_log(self.log) as output:
            self.popen = subprocess.Popen(
                list(program.argv),
                env=dict(program.env),
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(program.stop_signal),  # noqa: PLW1509 - two system calls, nothing that could wait for a lock
                **identity(program.user),
            )

    def alive(self) -> bool:
        return self.popen is not None and self.wait(0) is None

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None when the process still runs after that time."""
        if self.popen is not None and self.exit_code is None:
            with suppress(subprocess.TimeoutExpired):
                self.exit_code = self.popen.wait(seconds)
                self._signal_group(signal.SIGKILL)  # at once: once the group is empty too, its number may be given to a stranger
        return self.exit_code

    def stop(self, *, grace: float | None = None) -> int | None:
        """Asks, waits for the program's grace, then kills what is left of its group."""
        self.ask_to_stop()
        self.wait(self.program.grace if grace is None else grace)
        self.kill()
        return self.exit_code

    def ask_to_stop(self) -> None:
        if self.alive():
            os.kill(self.pid, self.program.stop_signal)

    def kill(self) -> None:
        """`kill -9` for the whole group."""
        if self.alive():
            self._signal_group(signal.SIGKILL)
            self.wait(5)

    def pause(self) -> None:
        """Freezes the group as a suspended machine would; `resume` continues it."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_group(signal.SIGCONT)

    def last_lines(self, count: int = 15) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def _signal_group(self, signum: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)


def identity(user: str | None) -> Identity:
    """`Popen` arguments that drop root's rights for good: user, group and every further group."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def end_with_parent(signum: int, *, parent: int | None = None) -> Callable[[], None]:
    """To run in a child: the kernel then sends it `signum` when its parent dies. Linux only, elsewhere it does nothing.

    The kernel watches the very thread that started the child: start what should last from one that does.
    """
    libc, expected = _libc, parent or os.getpid()

    def leash() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(signum))
            if os.getppid() != expected:
                os._exit(1)

    return leash


def open_log(path: Path) -> IO[bytes]:
    """Appends; a log that has grown too long starts anew and keeps its predecessor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".1.log"))
    return path.open("ab")


def marked(mark: str) -> Iterator[psutil.Process]:
    """Processes that carry exactly this mark and so were started by a supervisor of this very place; never a guess by number."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in own and process.environ().get(MARK) == mark:
                yield process


def end_marked(mark: str, *, grace: float = 5) -> list[int]:
    """Ends what an earlier run left behind; answers the numbers of the processes that it ended."""
    left = list(marked(mark))
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=grace)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=2)
    return [process.pid for process in left]


def wait_until(condition: Callable[[], bool], *, seconds: float, step: float = 0.05) -> bool:
    """Whether `condition` came true within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True
