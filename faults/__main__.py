"""`python -m faults [--quick] [--only NAME …] [--without NAME …] [--tracks N] [--seed N] [--markdown FILE]`: break real processes and print what held.

Of the whole two tracks run side by side, each with a ground of its own. The seed is printed; the same seed repeats the same plan. Ends with 1 when a promise was broken.
"""

import argparse
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from faults import matrix, telling, tracks
from faults.matrix import Fault, Verdict


def main() -> int:
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    seed = given.seed if given.seed is not None else random.randrange(2**31)
    wanted = chosen(only=given.only, quick=given.quick, without=given.without)
    print(f"seed {seed}, {len(wanted)} faults", flush=True)
    began = time.monotonic()
    told = tracks.run(wanted, seed=seed, side_by_side=given.tracks or (1 if given.only or given.quick else 2), tell=tell)
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
    parser.add_argument("--tracks", type=int, default=0, help="how many run side by side; 2 of the whole, else 1")
    parser.add_argument("--seed", type=int, default=None, help="repeat the plan of this seed")
    parser.add_argument("--markdown", type=Path, default=None, metavar="FILE", help="write the table there too")
    return parser.parse_args()


def chosen(*, only: Sequence[str], quick: bool, without: Sequence[str] = ()) -> list[Fault]:
    """The long forms of what is there in a short form are left to the whole run, the short forms to the quick one."""
    known = [fault for fault in matrix.load().values() if fault.name not in without]
    if only:
        return [fault for fault in known if fault.name in only]
    return [fault for fault in known if (fault.quick if quick else not fault.short_of)]


def tell(fault: Fault, verdict: Verdict) -> None:
    print(telling.line(fault, verdict), flush=True)


if __name__ == "__main__":
    sys.exit(main())
