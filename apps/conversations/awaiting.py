"""Wait until an inbox item has been handled, for a caller that wants the outcome in its answer.

Few wait: the item is handled right here, without a hop to a worker. Many wait: the workers drain them in batches, and one of the waiting
threads (the leader) looks for all of them with one query, so that waiting costs next to nothing per caller.
"""

import threading
import time
from dataclasses import dataclass, field

from apps.conversations import advancing, lanes, waking
from apps.conversations.models import Update

HERE_LIMIT = 2  # callers of this process that are served here at the same time
FIRST_PAUSE, LONGEST_PAUSE = 0.003, 0.05
HELP_AFTER = 1.0  # seconds without a worker's help after which the caller does the work itself


@dataclass(eq=False)
class Slot:
    """One waiting caller; several may wait for one item (a call and its repetition). `promoted`: it is the leader from now on."""

    ready: threading.Event = field(default_factory=threading.Event)
    update: Update | None = None
    promoted: bool = False


class Board:
    """Who waits in this process for what."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[Slot, int] = {}
        self._led = False
        self.here = 0

    def enter_here(self) -> bool:
        """Whether this caller may handle its item itself; then `leave_here` when done."""
        with self._lock:
            if self.here >= HERE_LIMIT:
                return False
            self.here += 1
            return True

    def leave_here(self) -> None:
        with self._lock:
            self.here -= 1

    def wait(self, update_id: int, *, deadline: float) -> None:
        """Until the item is handled, or `deadline` (`time.monotonic()`), or its turn to help itself."""
        slot = Slot()
        with self._lock:
            self._slots[slot] = update_id
            slot.promoted, self._led = not self._led, True
        try:
            if not slot.promoted:
                slot.ready.wait(max(0.0, deadline - time.monotonic()))
            if slot.promoted and slot.update is None:
                self._lead(slot, deadline)
        finally:
            self._leave(slot)

    def _lead(self, slot: Slot, deadline: float) -> None:
        pause = FIRST_PAUSE
        while slot.update is None and time.monotonic() < deadline:
            time.sleep(pause)
            pause = FIRST_PAUSE if self._look() else min(pause * 1.5, LONGEST_PAUSE)

    def _look(self) -> bool:
        with self._lock:
            wanted = dict(self._slots)
        handled = Update.objects.filter(pk__in=set(wanted.values())).exclude(state=Update.State.PENDING).only("id")
        found = {update.pk: update for update in handled}
        for slot, update_id in wanted.items():
            if update_id in found:
                slot.update = found[update_id]
                slot.ready.set()
        return bool(found)

    def _leave(self, slot: Slot) -> None:
        with self._lock:
            del self._slots[slot]
            if not slot.promoted:
                return
            following = next((other for other in self._slots if other.update is None), None)
            self._led = following is not None
            if following:
                following.promoted = True
                following.ready.set()


_board = Board()


def outcome_of(update_id: int, *, wait_seconds: float) -> Update:
    """The item as it stands when it is done, parked, or the time is up (then it goes on without the caller)."""
    deadline = time.monotonic() + wait_seconds
    if _board.enter_here():
        try:
            return _handle_here(update_id, deadline=deadline)
        finally:
            _board.leave_here()
    waking.workers()
    _board.wait(update_id, deadline=min(deadline, time.monotonic() + HELP_AFTER))
    update = Update.objects.get(pk=update_id)
    return update if update.state != Update.State.PENDING else _handle_here(update_id, deadline=deadline)


def _handle_here(update_id: int, *, deadline: float) -> Update:
    """Take the chat if it is free, else wait for whoever has it."""
    pause = FIRST_PAUSE
    while True:
        claim = lanes.claim_of(update_id)
        if claim:
            advancing.advance_claimed([claim])
        update = Update.objects.get(pk=update_id)
        if update.state != Update.State.PENDING:
            return update
        if time.monotonic() > deadline:
            waking.workers()
            return update
        if not claim:
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
