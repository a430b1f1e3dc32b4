"""At most one running instance for each lock file. The system frees the lock when its holder dies, however it dies."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.processes import wait_until


class AlreadyRunningError(Exception):
    """Somebody holds the lock; `pid` is theirs (0: not noted yet)."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"It is running already (process {pid}).")
        self.pid = pid


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Holds the lock for the length of the block and notes our process number in the file."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(_noted(lock)) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def stop_other(lock: Path, *, seconds: float = 60) -> bool:
    """Asks the holder to stop and waits for it. False: nobody holds the lock, and no process is touched, whatever number is noted."""
    pid = holder(lock)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: holder(lock) != pid, seconds=seconds)
    return True


def holder(lock: Path) -> int:
    """The process number of whoever holds the lock now, or 0."""
    try:
        with only_one(lock):
            return 0
    except FileNotFoundError:
        return 0
    except AlreadyRunningError as other:
        return other.pid


def _noted(lock: Path) -> int:
    text = lock.read_text().strip()
    return int(text) if text.isdigit() else 0
