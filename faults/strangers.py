"""How much of the machine others use: times are judged as those of a machine of our own.

A bound of 5 s holds on a machine that is there for the product. When other programs take half of it, the same work takes twice as long; so
the share that strangers took while a figure was measured is measured too, and told beside it.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

EVERY_SECONDS = 0.5
MOST = 6.0


@dataclass
class Strangers:
    """`look` is called again and again by whoever waits; `slack(since)` is by how much a bound may stretch."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    _own: dict[tuple[int, float], float] = field(default_factory=dict)
    _all: float = 0.0
    _at: float = 0.0

    def look(self, roots: Iterable[int]) -> None:
        now = time.monotonic()
        if now - self._at < EVERY_SECONDS:
            return
        busy, own = _busy(), _times({os.getpid(), *roots})
        if self._at:
            used = sum(seconds - self._own.get(key, 0.0) for key, seconds in own.items())
            total = (now - self._at) * (psutil.cpu_count() or 1)
            self.samples.append((time.time(), min(1.0, max(0.0, (busy - self._all - used) / total))))
        self._own, self._all, self._at = own, busy, now

    def slack(self, since: float) -> float:
        """1 on a machine of our own; 2 when others took half of it since then."""
        shares = [share for at, share in self.samples if at >= since] or [0.0]
        return min(MOST, 1 / max(0.01, 1 - sum(shares) / len(shares)))


def _busy() -> float:
    """Seconds in which any core did anything."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system + getattr(spent, "irq", 0) + getattr(spent, "softirq", 0))


def _times(roots: set[int]) -> dict[tuple[int, float], float]:
    """CPU seconds of these processes and of all that they started."""
    found: dict[tuple[int, float], float] = {}
    for root in roots:
        with suppress(psutil.Error):
            process = psutil.Process(root)
            for member in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    spent = member.cpu_times()
                    found[member.pid, member.create_time()] = spent.user + spent.system
    return found
