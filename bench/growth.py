"""Whether an event costs the same with a thousand and with a million stored conversations."""

from bench import filling, ground
from bench.ground import System
from bench.measuring import Measure, Meter
from bench.requests import Kind
from bench.runs import WARM_UP, Say
from bench.table import NAMES, Row

FEW, MANY = 1_000, 1_000_000
ROUNDS, EVENTS = 3, 1_500
FLAT = 1.15  # the rest is the run-to-run difference of a machine that is not alone
KINDS: tuple[Kind, ...] = ("order", "answer")


def table(*, quick: bool, say: Say) -> tuple[list[Row], str]:
    many = MANY // 10 if quick else MANY
    with ground.running() as servers:
        few = servers.start_product("few", people=FEW)
        meter = Meter(servers)
        before = _measured(meter, few, say)
        say(f"adding {many:,} conversations")
        filling.fill(servers.conninfo("few"), many)
        after = _measured(meter, few, say)
    each = [_row(kind, before[kind], after[kind]) for kind in KINDS]
    growths = [after[kind].total_cpu / before[kind].total_cpu for kind in KINDS]
    held = all(growth <= FLAT for growth in growths)
    head = ["", f"CPU an event with {FEW:,} conversations", f"with {many:,}", "times", "rate", "rate"]
    return [head, *each], f"growth {max(growths):.2f}×: {'held' if held else 'MISSED'}, wanted at most {FLAT}×"


def _row(kind: Kind, before: Measure, after: Measure) -> Row:
    times = after.total_cpu / before.total_cpu
    return [
        NAMES[kind],
        f"{before.total_cpu:.2f} ms",
        f"{after.total_cpu:.2f} ms",
        f"{times:.2f}",
        f"{before.rate:.0f}/s",
        f"{after.rate:.0f}/s",
    ]


def _measured(meter: Meter, system: System, say: Say) -> dict[Kind, Measure]:
    """Of several bursts the one that cost least: what others do on the machine only adds."""
    best: dict[Kind, Measure] = {}
    for kind in KINDS:
        meter.burst(system, kind, count=WARM_UP * 3)
        bursts = [meter.burst(system, kind, count=EVENTS) for _round in range(ROUNDS)]
        best[kind] = min(bursts, key=lambda burst: burst.total_cpu)
        say(f"{NAMES[kind]}: {', '.join(f'{burst.total_cpu:.2f} ms' for burst in bursts)}")
    return best
