"""What is measured, in which order. All systems stand beside one another and take turns, so that a busy minute of the machine hits all alike."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench import usage
from bench.ground import Ground, System
from bench.measuring import Measure, Meter, median
from bench.requests import Kind

WARM_UP = 250  # also fills the caches and plans the statements of every process
MOST, LEAST = 8_000, 60
ASKED = 500  # of either kind a second: what the promise asks for
SLOW = 0.05  # seconds that the messenger takes in the second half of the measurements

Say = Callable[[str], None]


@dataclass(frozen=True)
class Scope:
    """How much: `seconds` of each measurement, `rounds` of each burst (the median counts), and whether baselines are measured in full."""

    people: int = 10_000
    seconds: float = 6.0
    rounds: int = 3
    in_full: bool = True


QUICK = Scope(people=2_000, seconds=2.5, rounds=1, in_full=False)


@dataclass
class Results:
    """Of one system and kind of request: burst and half of that rate, with a messenger that answers at once and one that takes its time; of ours also
    half of the rate that is asked for, whatever the burst was.
    """

    system: str
    kind: Kind
    burst: Measure
    slow_burst: Measure | None = None
    half: Measure | None = None
    half_of_asked: Measure | None = None
    slow_half: Measure | None = None
    memory: dict[str, float] = field(default_factory=dict)


def all_systems(ground: Ground, scope: Scope) -> list[System]:
    """Ours first."""
    return [
        ground.start_product("product", people=scope.people),
        ground.start_bare(people=scope.people),
        ground.start_celery(people=scope.people),
        ground.start_ptb(people=scope.people),
    ]


def measured(ground: Ground, systems: Sequence[System], kinds: Sequence[Kind], scope: Scope, *, say: Say) -> list[Results]:
    """Each system with each kind of request."""
    meter = Meter(ground)
    return [results for kind in kinds for results in _of_kind(meter, systems, kind, scope, say)]


def _of_kind(meter: Meter, systems: Sequence[System], kind: Kind, scope: Scope, say: Say) -> list[Results]:
    able = [system for system in systems if kind in system.addresses]
    ours = able[0]
    meter.ground.delay(0)
    bursts = _bursts(meter, able, kind, scope, say)
    results = {name: Results(name, kind, median(measures)) for name, measures in bursts.items()}
    thorough = able if scope.in_full else [ours]
    for system in thorough:
        results[system.name].half = _half(meter, system, kind, results[system.name].burst.rate, scope, say)
        if system is ours:
            results[system.name].half_of_asked = _half(meter, system, kind, ASKED, scope, say)
        results[system.name].memory = usage.memory(system.programs)
    meter.ground.delay(SLOW)
    slow = _bursts(meter, thorough, kind, scope, say)
    for system in thorough:
        results[system.name].slow_burst = median(slow[system.name])
        if scope.in_full:
            results[system.name].slow_half = _half(meter, system, kind, median(slow[system.name]).rate, scope, say)
    meter.ground.delay(0)
    return list(results.values())


def _bursts(meter: Meter, systems: Sequence[System], kind: Kind, scope: Scope, say: Say) -> dict[str, list[Measure]]:
    """In rounds over all systems; how many requests follows from what the warm-up has shown."""
    counts = {system.name: _count(meter.burst(system, kind, count=WARM_UP).rate, scope) for system in systems}
    measures: dict[str, list[Measure]] = {system.name: [] for system in systems}
    for system in _rounds(systems, scope.rounds):
        measures[system.name].append(_told(meter.burst(system, kind, count=counts[system.name]), say))
    return measures


def _rounds(systems: Sequence[System], rounds: int) -> Iterator[System]:
    for _round in range(rounds):
        yield from systems


def _half(meter: Meter, system: System, kind: Kind, rate: float, scope: Scope, say: Say) -> Measure:
    return _told(meter.steady(system, kind, rate=max(1.0, rate / 2), seconds=scope.seconds), say)


def _count(rate: float, scope: Scope) -> int:
    return int(min(MOST, max(LEAST, rate * scope.seconds)))


def _told(measure: Measure, say: Say) -> Measure:
    cpu = " ".join(f"{name} {ms:.2f}" for name, ms in measure.cpu.items())
    faults = "" if measure.clean else f"  LOST {measure.lost} DOUBLED {measure.doubled} REFUSED {measure.refused}"
    say(
        f"{measure.system:28} {measure.kind:12} {measure.count:5} at {measure.offered or 'full speed'}: {measure.rate:6.0f}/s "
        f"p50 {measure.p50:.0f} p99 {measure.p99:.0f} ms, CPU {measure.total_cpu:.2f} ms ({cpu}){faults}"
    )
    return measure
