"""`python -m bench [--quick] [--only B1] [--markdown FILE]`: how fast the product is beside three baselines, in one run.

`python -m bench idle` measures what a quiet installation costs, `python -m bench growth` what a million stored conversations change.
"""

import argparse
import sys
from pathlib import Path

from bench import ground, growth, idle, runs, table
from bench.requests import Kind
from bench.runs import QUICK, Results, Scope

ONLY: dict[str, tuple[Kind, ...]] = {"B1": ("order", "order_async"), "B2": ("answer",)}


def main() -> int:
    given = arguments()
    if given.what == "idle":
        return _told(*idle.table(quick=given.quick, say=_say), into=given.markdown)
    if given.what == "growth":
        return _told(*growth.table(quick=given.quick, say=_say), into=given.markdown)
    results = speed(QUICK if given.quick else Scope(), only=given.only or list(ONLY))
    rows = table.rows(results)
    print(f"\n{table.plain(rows)}\n")
    for text, held in table.targets(results):
        print(f"{'held  ' if held else 'MISSED'} {text}")
    if given.markdown:
        given.markdown.write_text(f"{table.markdown(rows)}\n")
    print(table.last_line(results))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["speed", "idle", "growth"], default="speed")
    parser.add_argument(
        "--quick", action="store_true", help="about a minute: short bursts, baselines with a messenger that answers at once"
    )
    parser.add_argument("--only", action="append", choices=sorted(ONLY), help="B1: event → message; B2: reply → next step")
    parser.add_argument("--markdown", type=Path, help="write the table into this file")
    return parser.parse_args()


def speed(scope: Scope, *, only: list[str]) -> list[Results]:
    kinds = [kind for name in ONLY if name in only for kind in ONLY[name]]
    with ground.running() as servers:
        _say("starting our processes and the three baselines")
        systems = runs.all_systems(servers, scope)
        return runs.measured(servers, systems, kinds, scope, say=_say)


def _told(rows: list[table.Row], verdict: str, *, into: Path | None) -> int:
    print(f"\n{table.plain(rows)}\n{verdict}")
    if into:
        into.write_text(f"{table.markdown(rows)}\n")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
