"""Wait until an inbox item has been handled, for a caller that wants the outcome in its answer.

The callers of a moment are handled together right here, without a hop to a worker. Whose chat is in other hands waits for these; one of the
waiting threads (the leader) looks for all of them with one query, so that waiting costs next to nothing per caller.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.conversations import advancing, lanes, waking
from apps.conversations.models import Update
from apps.core import hot
from apps.core.together import Together, aside

FIRST_PAUSE, LONGEST_PAUSE = 0.003, 0.05
HELP_AFTER = 1.0  # seconds without an outcome after which the caller tries to take the chat itself


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
        found = {update.pk: update for update in aside(lambda: _handled(set(wanted.values())))}
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


def _handled(update_ids: set[int]) -> list[Update]:
    return list(Update.objects.filter(pk__in=update_ids).exclude(state=Update.State.PENDING).only("id"))


_board = Board()


def outcome_of(update_id: int, *, wait_seconds: float) -> Update:
    """The item as it stands when it is done, parked, or the time is up (then it goes on without the caller)."""
    deadline = time.monotonic() + wait_seconds
    update = _handle_together(update_id)
    while update.state == Update.State.PENDING and time.monotonic() < deadline:
        waking.workers()
        _board.wait(update_id, deadline=min(deadline, time.monotonic() + HELP_AFTER))
        update = _handle_together(update_id)
    return update


def _handle_all(update_ids: Sequence[int]) -> list[Update]:
    """Advance those chats of these items that are free; the items as they stand then."""
    claims = lanes.claim_of(update_ids)
    if claims:
        advancing.advance_claimed(claims)
    rows = hot.run(
        "SELECT id, state, outcome, lane_id, trace_id FROM conversations_update WHERE id = ANY (%s::bigint[])", [hot.numbers(update_ids)]
    )
    found = {
        pk: Update(id=pk, state=state, outcome=json.loads(outcome), lane_id=lane_id, trace_id=trace_id)
        for pk, state, outcome, lane_id, trace_id in rows
    }
    return [found[update_id] for update_id in update_ids]


_handle_together = Together(_handle_all)
