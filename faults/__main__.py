"""`python -m faults [--quick] [--only NAME …] [--seed N]`: run faults against real processes and print what held.

The seed is printed; the same seed repeats the same run. Ends with 1 when a promise was broken.
"""

import argparse
import random
import signal
import sys
from collections.abc import Sequence

from faults import audit, ground, matrix
from faults.matrix import Fault, Verdict


def main() -> int:
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    seed = given.seed if given.seed is not None else random.randrange(2**31)
    wanted = chosen(only=given.only, quick=given.quick)
    print(f"seed {seed}, {len(wanted)} faults", flush=True)
    verdicts = run(wanted, seed=seed)
    held = sum(verdict.held for verdict in verdicts)
    print(f"{held} of {len(verdicts)} held")
    return 0 if held == len(verdicts) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only those that are part of the tests")
    parser.add_argument("--only", action="append", default=[], choices=sorted(matrix.load()), help="this fault; may be given again")
    parser.add_argument("--seed", type=int, default=None, help="repeat the run of this seed")
    return parser.parse_args()


def chosen(*, only: Sequence[str], quick: bool) -> list[Fault]:
    known = matrix.load().values()
    return [fault for fault in known if (fault.name in only if only else fault.quick or not quick)]


def run(faults: Sequence[Fault], *, seed: int) -> list[Verdict]:
    """Those that may share a ground do; the others get one each."""
    verdicts: list[Verdict] = []
    shared = [fault for fault in faults if fault.ground is None]
    if shared:
        with ground.running() as common:
            audit.install_witness(common)
            verdicts += [told(fault, matrix.judge(fault, common, seed)) for fault in shared]
    for fault in faults:
        why = fault.skipped() if fault.ground is not None else ""
        if why:
            verdicts.append(told(fault, Verdict(fault.name, seed, 0, {}, [], skipped=why)))
        elif fault.ground is not None:
            with ground.running(**fault.ground) as own:
                audit.install_witness(own)
                verdicts.append(told(fault, matrix.judge(fault, own, seed)))
    return verdicts


def told(fault: Fault, verdict: Verdict) -> Verdict:
    figures = ", ".join(f"{name} {value}" for name, value in verdict.measured.items())
    word = "skip  " if verdict.skipped else "held  " if verdict.held else "BROKEN"
    print(f"{word} {verdict.seconds:5.1f} s  {fault.title}  [{fault.bound}]  {figures}{verdict.skipped}", flush=True)
    for problem in verdict.problems:
        print(f"         {problem}", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
