"""A track of the matrix: faults one after the other on a ground of their own. Two tracks side by side take half the time, since most faults wait.

A process of its own (`python -m faults.track`), one JSON command a line in, {"name", "seed"}, one verdict a line out; SIGTERM ends it with its ground.
"""

import json
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import asdict

from faults import audit, ground, matrix
from faults.ground import Ground
from faults.matrix import Fault, Verdict


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed goes to the log
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    known = matrix.load()
    with ExitStack() as standing:
        track = Track(standing)
        for line in sys.stdin:
            command = json.loads(line)
            print(json.dumps(asdict(track.judge(known[command["name"]], command["seed"]))), file=answers, flush=True)


class Track:
    """The common ground is there from the first fault on that shares it; other faults get a ground of their own."""

    def __init__(self, standing: ExitStack) -> None:
        self._standing = standing
        self._common: Ground | None = None

    def judge(self, fault: Fault, seed: int) -> Verdict:
        if fault.skipped():
            return matrix.judge(fault, None, seed)
        if fault.ground is None:
            self._common = self._common or witnessed(self._standing)
            return matrix.judge(fault, self._common, seed)
        with ExitStack() as own:
            return matrix.judge(fault, witnessed(own, **fault.ground), seed)


def witnessed(standing: ExitStack, **options: object) -> Ground:
    place = standing.enter_context(ground.running(**options))  # type: ignore[arg-type]
    audit.install_witness(place)
    return place


if __name__ == "__main__":
    main()
