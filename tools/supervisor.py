"""Keeps processes running: starts again what died, shows their warnings, and stops everything in order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tools.processes import Process, wait_until
from tools.tailing import Tail

LONGEST_PAUSE = 30.0
CALM_AFTER = 60.0  # seconds of life after which earlier deaths are forgotten


def say(text: str) -> None:
    print(text, flush=True)


@dataclass
class Watched:
    """One process under watch. `stage`: lower stages are stopped earlier."""

    process: Process
    stage: int
    tail: Tail
    deaths: int = 0
    started: float = field(default_factory=time.monotonic)
    restart_at: float | None = None

    def pause(self) -> float:
        """Seconds before the next start: at once after the first death, then 1, 2, 4 … 30."""
        return 0.0 if self.deaths <= 1 else min(2.0 ** (self.deaths - 2), LONGEST_PAUSE)


@dataclass
class Supervisor:
    """Single-threaded: whoever holds it calls `tick` several times a second."""

    report: Callable[[str], None] = say
    watched: list[Watched] = field(default_factory=list)

    def start(self, process: Process, *, stage: int) -> None:
        tail = Tail(process.name, process.log)
        process.start()
        self.watched.append(Watched(process, stage, tail))

    def adopt(self, process: Process, *, stage: int) -> None:
        """Watches a process that runs already."""
        self.watched.append(Watched(process, stage, Tail(process.name, process.log)))

    def tick(self) -> None:
        now = time.monotonic()
        for item in self.watched:
            for line in item.tail.news():
                self.report(line)
            if item.restart_at is not None:
                self._restart_when_due(item, now)
            elif not item.process.alive():
                self._plan_restart(item, now)

    def _plan_restart(self, item: Watched, now: float) -> None:
        item.deaths = 1 if now - item.started > CALM_AFTER else item.deaths + 1
        item.restart_at = now + item.pause()
        when = f"in {item.pause():.0f} s" if item.pause() else "now"
        self.report(f"{item.process.name} ended with {_told(item.process.exit_code)}; starting it again {when} (log: {item.process.log})")

    def _restart_when_due(self, item: Watched, now: float) -> None:
        if item.restart_at is not None and now >= item.restart_at:
            item.restart_at = None
            item.started = now
            item.process.start()

    def stop(self, *, impatient: Callable[[], bool] = lambda: False) -> None:
        """Stage by stage; a stage's programs are asked together and share their time. `impatient` cuts the waiting short."""
        for stage in sorted({item.stage for item in self.watched}):
            stop_together([item.process for item in self.watched if item.stage == stage], impatient=impatient)


def stop_together(processes: Sequence[Process], *, impatient: Callable[[], bool] = lambda: False) -> None:
    for process in processes:
        process.ask_to_stop()
    grace = max((process.program.grace for process in processes), default=0.0)
    wait_until(lambda: impatient() or not any(process.alive() for process in processes), seconds=grace)
    for process in processes:
        process.kill()


def _told(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
