"""`python -m faults [--quick] [--only NAME …] [--without NAME …] [--seed N] [--markdown FILE]`: break real processes and print what held.

The seed is printed; the same seed repeats the same plan. Ends with 1 when a promise was broken.
"""

import argparse
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from faults import audit, ground, matrix, telling
from faults.ground import Ground
from faults.matrix import Fault, Verdict
from faults.telling import Pair


def main() -> int:
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    seed = given.seed if given.seed is not None else random.randrange(2**31)
    wanted = chosen(only=given.only, quick=given.quick, without=given.without)
    print(f"seed {seed}, {len(wanted)} faults", flush=True)
    began = time.monotonic()
    told = run(wanted, seed=seed)
    print(f"\n{telling.table(told)}")
    if given.markdown:
        given.markdown.write_text(telling.markdown(told, seed=seed, seconds=time.monotonic() - began))
    print(f"seed {seed}: {telling.count(told)} in {(time.monotonic() - began) / 60:.1f} min")
    return 1 if any(verdict.problems for _fault, verdict in told) else 0


def arguments() -> argparse.Namespace:
    known = sorted(matrix.load())
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only those that are part of the tests")
    parser.add_argument("--only", action="append", default=[], choices=known, help="this fault; may be given again")
    parser.add_argument("--without", action="append", default=[], choices=known, help="not this fault; may be given again")
    parser.add_argument("--seed", type=int, default=None, help="repeat the plan of this seed")
    parser.add_argument("--markdown", type=Path, default=None, metavar="FILE", help="write the table there too")
    return parser.parse_args()


def chosen(*, only: Sequence[str], quick: bool, without: Sequence[str] = ()) -> list[Fault]:
    """The long forms of what is there in a short form are left to the whole run, the short forms to the quick one."""
    known = [fault for fault in matrix.load().values() if fault.name not in without]
    if only:
        return [fault for fault in known if fault.name in only]
    return [fault for fault in known if (fault.quick if quick else not fault.short_of)]


def run(faults: Sequence[Fault], *, seed: int) -> list[Pair]:
    """Those that may share a ground do; the others get one each."""
    told: list[Pair] = []
    shared = [fault for fault in faults if fault.ground is None]
    if shared:
        with ground.running() as common:
            audit.install_witness(common)
            told += [(fault, judged(fault, common, seed)) for fault in shared]
    for fault in faults:
        if fault.ground is not None:
            told.append((fault, alone(fault, seed)))
    return told


def alone(fault: Fault, seed: int) -> Verdict:
    if fault.skipped():
        return judged(fault, None, seed)
    with ground.running(**(fault.ground or {})) as own:
        audit.install_witness(own)
        return judged(fault, own, seed)


def judged(fault: Fault, place: Ground | None, seed: int) -> Verdict:
    verdict = matrix.judge(fault, place, seed)
    print(telling.line(fault, verdict), flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
