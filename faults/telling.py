"""How a run is told: a line a fault on the screen, a table for the documentation."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import psutil

from faults.matrix import Fault, Verdict

Pair = tuple[Fault, Verdict]


def line(fault: Fault, verdict: Verdict) -> str:
    text = f"{_word(verdict):6} {verdict.seconds:5.1f} s  {fault.title}  [{fault.bound}]  {_figures(verdict)}"
    return "\n".join([text, *(f"         {problem}" for problem in verdict.problems)])


def table(told: Sequence[Pair]) -> str:
    """Fault, bound, measured, held; aligned for a screen."""
    rows = [("fault", "bound", "measured", ""), *((fault.name, fault.bound, _figures(verdict), _word(verdict)) for fault, verdict in told)]
    wide = [min(60, max(len(row[column]) for row in rows)) for column in range(3)]
    return "\n".join("  ".join([*(text.ljust(width) for text, width in zip(row[:3], wide, strict=True)), row[3]]).rstrip() for row in rows)


def markdown(told: Sequence[Pair], *, seed: int, seconds: float) -> str:
    """What was seen, as a table of the documentation."""
    machine = f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f} GB"
    head = [
        f"Seen on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, seed {seed}, {machine}, {seconds / 60:.0f} min: {count(told)}.",
        "",
        "| Fault | Bound | Measured | Held |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *(_row(fault, verdict) for fault, verdict in told)]) + "\n"


def count(told: Sequence[Pair]) -> str:
    words = [_word(verdict) for _fault, verdict in told]
    skipped = f", {words.count('skip')} skipped" if "skip" in words else ""
    return f"{words.count('held')} of {len(words)} held{skipped}"


def _row(fault: Fault, verdict: Verdict) -> str:
    problems = "".join(f"<br>{problem}" for problem in verdict.problems)
    held = {"held": "yes", "BROKEN": "**no**", "skip": "skipped"}[_word(verdict)]
    cells = (f"{fault.title} (`{fault.name}`)", fault.bound, f"{_figures(verdict)}{problems}" or "all promises compared", held)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _word(verdict: Verdict) -> str:
    return "skip" if verdict.skipped else "BROKEN" if verdict.problems else "held"


def _figures(verdict: Verdict) -> str:
    return verdict.skipped or ", ".join(f"{name} {value}" for name, value in verdict.measured.items())
