"""Which fault goes in which lane: those that keep a core busy one after the other in the first, beside those that mostly wait; at the end, with
nothing beside them, those that need the whole machine.
"""

import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from faults.matrix import CORE, MACHINE, Fault, Verdict
from faults.servants import Servant

Tell = Callable[[Fault, Verdict], None]


def run(faults: Sequence[Fault], *, seed: int, side_by_side: int, tell: Tell) -> list[tuple[Fault, Verdict]]:
    """Every fault judged once, in the given order; `tell` is called as each ends."""
    told: dict[str, Verdict] = {}

    def work(lane: Servant, log: Path, queues: Iterable["deque[Fault]"]) -> None:
        for fault in _taken(queues):
            told[fault.name] = verdict = _judged(lane, log, fault, seed)
            tell(fault, verdict)

    busy = deque(fault for fault in faults if fault.takes == CORE)
    waiting = deque(sorted((fault for fault in faults if not fault.takes), key=lambda fault: not fault.slow))
    whole = deque(fault for fault in faults if fault.takes == MACHINE)
    with tempfile.TemporaryDirectory() as folder, _lanes(side_by_side, Path(folder)) as lanes:
        first, *others = lanes
        beside = [threading.Thread(target=work, args=(*lane, [waiting]), daemon=True) for lane in others]
        for thread in beside:
            thread.start()
        work(*first, [busy, waiting])
        for thread in beside:
            thread.join()
        for lane, _log in others:
            lane.stop()
        work(*first, [whole])
    return [(fault, told[fault.name]) for fault in faults]


def _taken(queues: Iterable["deque[Fault]"]) -> Iterator[Fault]:
    for queue in queues:
        while True:
            try:
                yield queue.popleft()
            except IndexError:
                break


@contextmanager
def _lanes(count: int, folder: Path) -> Iterator[list[tuple[Servant, Path]]]:
    logs = [folder / f"lane{number}.log" for number in range(count)]
    lanes = [Servant("faults.lane", os.environ, log) for log in logs]
    try:
        yield list(zip(lanes, logs, strict=True))
    finally:
        for lane in lanes:
            lane.stop()


def _judged(lane: Servant, log: Path, fault: Fault, seed: int) -> Verdict:
    """A lane that broke down is a complaint of the fault in which it did."""
    try:
        return Verdict(**lane.ask(name=fault.name, seed=seed))
    except (OSError, ValueError):
        return Verdict(fault.name, seed, 0, {}, [f"the lane ended: {log.read_text()[-2000:]}"])
