"""The figures as people read them: a table of ratios, the targets, and the one line that sums it up."""

from collections.abc import Iterator, Sequence

from bench.measuring import Measure
from bench.requests import Kind
from bench.runs import ASKED, Results

NAMES: dict[Kind, str] = {"order": "B1", "order_async": "B1 async", "answer": "B2"}
OURS, BARE, CELERY = "Dialog Bus", "bare Django", "Django + a Celery task each"
TIMES_BARE: dict[Kind, float] = {"order": 1.2, "answer": 1.5}
HEAD = [
    "",
    "burst",
    "× bare",
    "× Celery",
    "burst, 50 ms",
    "p50 / p99 at half",
    "the same, 50 ms",
    f"at {ASKED // 2}/s",
    "CPU an event",
    "of it own",
    "memory",
]

Row = list[str]


def rows(results: Sequence[Results]) -> list[Row]:
    """One for each system and kind of request."""
    return [HEAD, *(_row(one, results) for one in results)]


def plain(table: Sequence[Row]) -> str:
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)


def markdown(table: Sequence[Row]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join([head, "|" + "---|" * len(table[0]), *body])


def last_line(results: Sequence[Results]) -> str:
    """`B1 N/s R×bare R×celery p50 N ms p99 N ms · B2 …`: bursts, and waiting at half that rate, the messenger answering at once."""
    return " · ".join(_short(one, results) for one in results if one.system == OURS and one.kind in TIMES_BARE)


def targets(results: Sequence[Results]) -> list[tuple[str, bool]]:
    """What the promise asks for, each with what was seen and whether it holds; what was not measured is not told."""
    return [target for one in results if one.system == OURS and one.kind in TIMES_BARE for target in _targets(one, results)]


def times(one: Results, results: Sequence[Results], other: str) -> float | None:
    """How many times the burst rate of `other`, with the same kind of request."""
    kind: Kind = "order" if one.kind == "order_async" else one.kind
    rate = next((two.burst.rate for two in results if two.system == other and two.kind == kind), 0.0)
    return one.burst.rate / rate if rate else None


def _row(one: Results, results: Sequence[Results]) -> Row:
    return [
        f"{NAMES[one.kind]} {one.system}",
        f"{one.burst.rate:.0f}/s",
        _ratio(times(one, results, BARE)),
        _ratio(times(one, results, CELERY)),
        f"{one.slow_burst.rate:.0f}/s" if one.slow_burst else "",
        _waiting(one.half),
        _waiting(one.slow_half),
        _waiting(one.half_of_asked),
        f"{one.burst.total_cpu:.1f} ms",
        f"{one.burst.own_cpu:.1f} ms",
        f"{sum(one.memory.values()):.0f} MB" if one.memory else "",
    ]


def _ratio(ratio: float | None) -> str:
    return f"{ratio:.1f}" if ratio is not None else ""


def _waiting(measure: Measure | None) -> str:
    return f"{measure.p50:.0f} / {measure.p99:.0f} ms" if measure else ""


def _short(one: Results, results: Sequence[Results]) -> str:
    bare, celery = times(one, results, BARE), times(one, results, CELERY)
    waiting = one.half or one.burst
    return (
        f"{NAMES[one.kind]} {one.burst.rate:.0f}/s {bare or 0:.1f}×bare {celery or 0:.1f}×celery "
        f"p50 {waiting.p50:.0f} ms p99 {waiting.p99:.0f} ms"
    )


def _targets(one: Results, results: Sequence[Results]) -> Iterator[tuple[str, bool]]:
    name = NAMES[one.kind]
    yield f"{name} {one.burst.rate:.0f}/s, wanted {ASKED}/s", one.burst.rate >= ASKED
    for other, least, called in ((BARE, TIMES_BARE[one.kind], "bare"), (CELERY, 3.0, "celery")):
        ratio = times(one, results, other)
        if ratio is not None:
            yield f"{name} {ratio:.1f}×{called}, wanted {least}×", ratio >= least
    if one.slow_burst:
        share = one.slow_burst.rate / one.burst.rate
        yield f"{name} {share:.2f} of that when the messenger takes 50 ms, wanted 0.7", share >= 0.7  # noqa: PLR2004
    for called, measure in (("half of its burst", one.half), (f"{ASKED // 2}/s", one.half_of_asked)):
        if measure:
            yield f"{name} at {called} p50 {measure.p50:.0f} ms, wanted 25 ms", measure.p50 <= 25  # noqa: PLR2004
            yield f"{name} at {called} p99 {measure.p99:.0f} ms, wanted 100 ms", measure.p99 <= 100  # noqa: PLR2004
