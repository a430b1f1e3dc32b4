"""CPU seconds and memory of programs with everything that they started, from the kernel's own accounts."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Spent:
    """CPU seconds by program since some moment."""

    by_program: Mapping[str, float]

    def since(self, before: "Spent") -> "Spent":
        return Spent({name: seconds - before.by_program.get(name, 0.0) for name, seconds in self.by_program.items()})

    def each(self, count: int) -> dict[str, float]:
        """Milliseconds for each of `count` events."""
        return {name: seconds * 1000 / max(count, 1) for name, seconds in self.by_program.items()}


def cpu(pids: Mapping[str, int]) -> Spent:
    """What these programs and their children have used so far, ended children included."""
    return Spent({name: sum(_seconds(process) for process in _family(pid)) for name, pid in pids.items()})


def memory(pids: Mapping[str, int]) -> dict[str, float]:
    """Megabytes by program: each page is counted once among those who share it (proportional set size)."""
    return {name: sum(_megabytes(process) for process in _family(pid)) for name, pid in pids.items()}


def _family(pid: int) -> Iterable[psutil.Process]:
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        used = process.cpu_times()
        return float(used.user + used.system + used.children_user + used.children_system)
    return 0.0


def _megabytes(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(process.memory_full_info().pss) / MEGABYTE
    return 0.0
