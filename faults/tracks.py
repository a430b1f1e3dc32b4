"""Which fault goes in which track: those that keep a core busy one after the other in the first, beside those that mostly wait; at the end, with
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

    def work(track: _Track, queues: Iterable["deque[Fault]"]) -> None:
        for fault in _taken(queues):
            told[fault.name] = verdict = track.judge(fault, seed)
            tell(fault, verdict)

    busy = deque(fault for fault in faults if fault.takes == CORE)
    waiting = deque(sorted((fault for fault in faults if not fault.takes), key=lambda fault: not fault.slow))
    whole = deque(fault for fault in faults if fault.takes == MACHINE)
    with tempfile.TemporaryDirectory() as folder, _tracks(side_by_side, Path(folder)) as tracks:
        first, *others = tracks
        beside = [threading.Thread(target=work, args=(track, [waiting]), daemon=True) for track in others]
        for thread in beside:
            thread.start()
        work(first, [busy, waiting])
        for thread in beside:
            thread.join()
        for track in others:
            track.stop()
        work(first, [whole])
    return [(fault, told[fault.name]) for fault in faults]


def _taken(queues: Iterable["deque[Fault]"]) -> Iterator[Fault]:
    for queue in queues:
        while True:
            try:
                yield queue.popleft()
            except IndexError:
                break


class _Track:
    """The process of one track, from its first fault on; a new one after a fault in which it broke down, which is that fault's complaint."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._servant: Servant | None = None

    def judge(self, fault: Fault, seed: int) -> Verdict:
        self._servant = self._servant or Servant("faults.track", os.environ, self._log)
        try:
            return Verdict(**self._servant.ask(name=fault.name, seed=seed))
        except (OSError, ValueError):
            self.stop()
            return Verdict(fault.name, seed, 0, {}, [f"the track ended: {self._log.read_text()[-2000:]}"])

    def stop(self) -> None:
        if self._servant is not None:
            self._servant.stop()
        self._servant = None


@contextmanager
def _tracks(count: int, folder: Path) -> Iterator[list[_Track]]:
    tracks = [_Track(folder / f"track{number}.log") for number in range(count)]
    try:
        yield tracks
    finally:
        for track in tracks:
            track.stop()
