"""One measurement: load a system, wait until every message has arrived, and say how fast that was and what it cost."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import usage
from bench.ground import Ground, System
from bench.load import Plan
from bench.requests import Kind
from tools.places import CLONE

LONGEST_SECONDS = 120.0
SETTLING_SECONDS = 0.3


@dataclass(frozen=True)
class Measure:
    """`offered`: requests a second, 0 for a burst. `rate`: messages a second from the first POST to the last arrival. Milliseconds from POST to arrival and to the answer.

    `cpu`: milliseconds of CPU for each event by program. `lost` and `doubled` events, and answers that were no 2xx.
    """

    system: str
    kind: Kind
    count: int
    offered: float
    rate: float
    p50: float
    p99: float
    answered_p50: float
    answered_p99: float
    cpu: Mapping[str, float]
    lost: int
    doubled: int
    refused: int

    @property
    def own_cpu(self) -> float:
        """Without the servers, the messenger and the generator."""
        return sum(ms for name, ms in self.cpu.items() if name not in {"postgres", "valkey", "messenger", "generator"})

    @property
    def total_cpu(self) -> float:
        """With everything that worked for it."""
        return sum(self.cpu.values())

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.refused)


class Meter:
    """Measures systems on one ground; gives every request of the whole run a number of its own."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._first = 1_000_000

    def burst(self, system: System, kind: Kind, *, count: int, clients: int = 32) -> Measure:
        """As fast as `clients` go."""
        return self._measure(system, kind, count, rate=0, clients=clients)

    def steady(self, system: System, kind: Kind, *, rate: float, seconds: float) -> Measure:
        """Open loop at a constant rate."""
        return self._measure(system, kind, max(10, round(rate * seconds)), rate=rate, clients=0)

    def _measure(self, system: System, kind: Kind, count: int, *, rate: float, clients: int) -> Measure:
        first, self._first = self._first, self._first + count
        plan = Plan(asdict(system.addresses[kind]), first=first, count=count, rate=rate, clients=clients or 32)
        programs = {**system.programs, **self.ground.shared}
        before = usage.cpu(programs)
        rows, generator = self._generate(plan)
        self._await_arrivals(first, count)
        time.sleep(SETTLING_SECONDS)
        spent = usage.cpu(programs).since(before)
        return self._told(system, plan, rows, {**spent.each(count), "generator": generator * 1000 / count})

    def _generate(self, plan: Plan) -> tuple[list[tuple[int, float, float, int]], float]:
        """What the generator saw, and its CPU seconds."""
        folder: Path = self.ground.folder
        plan.write(folder / "plan.json")
        argv = [sys.executable, "-m", "bench.load", str(folder / "plan.json"), str(folder / "result.json")]
        process = subprocess.Popen(argv, cwd=CLONE, env=self.ground.env)
        used = 0.0
        while process.poll() is None:
            used = usage.cpu({"generator": process.pid}).by_program["generator"] or used
            time.sleep(0.05)
        return json.loads((folder / "result.json").read_text()), used

    def _await_arrivals(self, first: int, count: int) -> None:
        """Until all have arrived or nothing more comes."""
        end, known, since = time.monotonic() + LONGEST_SECONDS, -1, time.monotonic()
        while (arrived := self.ground.arrivals.of(first, count)) < count and time.monotonic() < end:
            if arrived != known:
                known, since = arrived, time.monotonic()
            if time.monotonic() - since > LONGEST_SECONDS / 8:
                return
            time.sleep(0.05)

    def _told(self, system: System, plan: Plan, rows: list[tuple[int, float, float, int]], cpu: Mapping[str, float]) -> Measure:
        arrivals = self.ground.arrivals
        numbers = [number for number, _due, _ms, _status in rows]
        arrived = {number: arrivals.at[number] for number in numbers if number in arrivals.at}
        latencies = sorted((arrived[number] - due) * 1000 for number, due, _ms, _status in rows if number in arrived)
        answers = sorted(ms for _number, _due, ms, _status in rows)
        begin = min(due for _number, due, _ms, _status in rows)
        took = max(arrived.values(), default=begin) - begin
        return Measure(
            system=system.name, kind=plan.address["kind"], count=len(rows), offered=plan.rate, rate=len(arrived) / took if took else 0.0,
            p50=quantile(latencies, 0.5), p99=quantile(latencies, 0.99),
            answered_p50=quantile(answers, 0.5), answered_p99=quantile(answers, 0.99), cpu=cpu,
            lost=len(numbers) - len(arrived), doubled=sum(arrivals.times.get(number, 0) > 1 for number in numbers),
            refused=sum(not 200 <= status < 300 for _number, _due, _ms, status in rows),  # noqa: PLR2004  HTTP's success
        )  # fmt: skip


def median(measures: list[Measure]) -> Measure:
    """The measure with the median rate: of an odd number of runs on a machine that others use too."""
    return sorted(measures, key=lambda measure: measure.rate)[len(measures) // 2]


def quantile(ordered: list[float], share: float) -> float:
    """By rank; not a number when there is nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
