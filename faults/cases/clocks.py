"""Clocks that jump: what waits for a moment waits by the database's clock."""

import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from faults import audit, dialogues
from faults.driver import Chat
from faults.ledgers import Messenger
from faults.matrix import Run, fault
from tools.processes import Program

RECOVERY = 5.0
HOUR = 3600
SOURCE = Path(__file__).parent.parent / "clock.c"


def no_clock_of_its_own() -> str:
    """A process gets a clock of its own through a preloaded library, which has to be compiled."""
    if not sys.platform.startswith("linux"):
        return "a process can be given a clock of its own on Linux only"
    return "" if shutil.which("cc") else "there is no C compiler to give a process a clock of its own"


@fault(
    "the clock of the machine jumps an hour ahead, two back, and then right again, under load and with timers running",
    bound=f"timers fire once, neither early nor late; all answered ≤ {RECOVERY:g} s",
    skipped=no_clock_of_its_own,
)
def clock_jumps(run: Run) -> None:
    """Web, workers, senders and beat see the jumps; the database does not. Then one worker alone is an hour ahead."""
    seconds = 6
    run.finish(run.driver(run.people(chats=1, count=1), rate=10).start())  # where Redis is empty, the first messages wait for their window
    with clocks(run) as turn:
        waiting = run.people("reminding", chats=12, count=1, definition=dialogues.reminding(seconds))
        timers = run.driver(waiting, rate=12).start()
        chats = run.mixed(chats=12, count=8)
        driver = run.driver(chats, rate=10).start()
        for offset in (HOUR, -HOUR, 0):
            run.ground.sleep(2)
            turn(offset)
        run.finish(driver)
        run.finish(timers)
        run.within("slowest answer", audit.latencies(driver)[-1], RECOVERY)
        delays = _delays(run, waiting)
        run.measured["timers of 6 s fired after"] = f"{delays[0]:.1f} to {delays[-1]:.1f} s"
        run.check(f"a timer fired after {delays[0]:.2f} s", holds=delays[0] >= seconds - 0.5)
        run.within("latest timer", delays[-1] - seconds, RECOVERY)


@contextmanager
def clocks(run: Run) -> Iterator["Turn"]:
    """All processes of the product get a clock that the block can turn; afterwards they have the machine's again."""
    ground, library, place = run.ground, run.ground.folder / "clock.so", run.ground.folder / "clock-offset"
    place.write_bytes(struct.pack("q", 0))
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    plain = {name: ground.processes[name].program for name in ground.wanted}
    extra = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(place)}
    _exchange(run, {name: replace(program, env={**program.env, **extra}) for name, program in plain.items()})
    try:
        yield Turn(place)
    finally:
        place.write_bytes(struct.pack("q", 0))
        _exchange(run, plain)


class Turn:
    """`turn(seconds)`: from now on the clock is so far from the right time."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __call__(self, seconds: int) -> None:
        with self.place.open("r+b") as file:
            file.write(struct.pack("q", seconds))


def _exchange(run: Run, programs: dict[str, Program]) -> None:
    moment = time.time()
    for name, program in programs.items():
        run.ground.processes[name].program = program
        run.ground.processes[name].ask_to_stop()
    run.until(lambda: all(run.ground.starts.get(name, 0) >= moment for name in programs), "the exchange of the processes", seconds=40)
    run.ground.await_up()


def _delays(run: Run, chats: list[Chat]) -> list[float]:
    """Seconds between the two messages of each chat, as the messenger saw them."""
    found = []
    messenger = Messenger(run.ground.ledger)
    messenger.look()
    for chat in chats:
        times = [sent.time for sent in messenger.of(chat.telegram_id, chat.id)]
        found += [times[1] - times[0]] if len(times) > 1 else []
    return sorted(found) or [0.0]
