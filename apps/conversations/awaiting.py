"""Put items into the inbox and wait until they have been handled, for a caller that wants the outcome in its answer.

The callers of a moment are handled together right here, without a hop to a worker, and where their chats are free in the very transaction that
accepts them. Whose chat is in other hands waits for these; so does whose chat a process may have died with, since a death here leaves no count
of attempts behind, and with workers it does. One of the waiting threads (the leader) looks for all of them with one query, so
that waiting costs next to nothing per caller.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from django.db import InterfaceError, OperationalError, transaction

from apps.conversations import advancing, inbox, lanes, waking
from apps.conversations.inbox import Posted, Posting
from apps.conversations.lanes import Claim
from apps.conversations.models import Update
from apps.core import hot, lastwords, rowjson
from apps.core.together import Together, aside
from apps.identity import recipients
from apps.identity.models import Lead
from apps.identity.recipients import UserKey

logger = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.003, 0.05
GIVEN = ("bot_id", "channel_id", "kind", "source", "event_key", "payload", "trace_id")
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


@dataclass(frozen=True)
class ForUser:
    """What a call wants for a user of whom it knows no more than an id. `postings` makes it of the user's chats, or raises what the caller is to
    get; it may be asked again.
    """

    user: UserKey
    postings: Callable[[list[Lead]], list[Posting]]


def post(wish: Sequence[Posting] | ForUser) -> list[Update]:
    """Accept these, like `inbox.post`, and handle them at once as far as their chats are free; `outcome_of` waits for the rest.

    Nothing is accepted before it is committed, so whoever dies in between leaves nothing behind, and the caller has no answer.
    """
    updates = _post_together(wish)
    if isinstance(updates, Exception):
        raise updates
    return updates


def _post_all(several: Sequence[Sequence[Posting] | ForUser]) -> list[list[Update] | Exception]:
    wanted = _with_users(several)
    rows = [row for some in wanted if not isinstance(some, Exception) for row in some]
    if not rows:
        return [some if isinstance(some, Exception) else [] for some in wanted]
    try:
        updates = iter(_accept_and_handle(rows))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("items could not be handled together with their acceptance; they are accepted first", items=len(rows))
        updates = iter([posted.item for posted in inbox.insert(rows)])
    return [some if isinstance(some, Exception) else list(itertools.islice(updates, len(some))) for some in wanted]


def _with_users(several: Sequence[Sequence[Posting] | ForUser]) -> list[Sequence[Posting] | Exception]:
    """Users of all callers are looked up with one query."""
    chats = iter(recipients.leads_of_users([wish.user for wish in several if isinstance(wish, ForUser)]))
    return [_postings(wish, next(chats)) if isinstance(wish, ForUser) else wish for wish in several]


def _postings(wish: ForUser, leads: list[Lead]) -> list[Posting] | Exception:
    try:
        return wish.postings(leads)
    except Exception as error:  # noqa: BLE001  raised again where it belongs
        return error


_post_together = Together(_post_all)


def _accept_and_handle(rows: Sequence[Posting]) -> list[Update]:
    chats = {row.lane for row in rows}
    chats -= lastwords.doubtful(chats)
    with lastwords.in_hand(chats), transaction.atomic():
        posted = inbox.insert(rows, lock=chats)
        free = {row.free.lane_id: row.free for row in posted if row.free}
        items = [_item(row, place) for row, place in zip(rows, posted, strict=True) if place.created and place.free and place.first]
        turns = advancing.advance_locked(list(free.values()), items=items) if free else []
    handled = {turn.update.pk: turn.update for turn in turns}
    return [handled.get(row.update_id) or row.item for row in posted]


def _item(row: Posting, posted: Posted) -> Update:
    """The inbox row as it has just been stored."""
    return hot.make(Update, id=posted.update_id, lane_id=posted.lane_id, **{name: getattr(row, name) for name in GIVEN})


def outcome_of(update: Update, *, wait_seconds: float) -> Update:
    """The item as it stands when it is done, parked, or the time is up (then it goes on without the caller). Of `update` the id is enough."""
    deadline = time.monotonic() + wait_seconds
    if update.state == Update.State.PENDING:
        update = _handle_together(update.pk)
    while update.state == Update.State.PENDING and time.monotonic() < deadline:
        waking.workers()
        _board.wait(update.pk, deadline=min(deadline, time.monotonic() + HELP_AFTER))
        update = _handle_together(update.pk)
    return update


def _handle_all(update_ids: Sequence[int]) -> list[Update]:
    """Advance those chats of these items that are free; the items as they stand then."""
    advancing.take(lambda: _trusted(lanes.claim_of(update_ids)))
    rows = hot.run(
        "SELECT id, state, outcome, lane_id, trace_id FROM conversations_update WHERE id = ANY (%s::bigint[])", [hot.numbers(update_ids)]
    )
    found = {
        pk: Update(id=pk, state=state, outcome=rowjson.loads(outcome), lane_id=lane_id, trace_id=trace_id)
        for pk, state, outcome, lane_id, trace_id in rows
    }
    return [found[update_id] for update_id in update_ids]


def _trusted(claims: list[Claim]) -> list[Claim]:
    """Those that nothing is said against; the others are the workers'."""
    doubtful = lastwords.doubtful([claim.key for claim in claims])
    if doubtful:
        lanes.give_back((claim for claim in claims if claim.key in doubtful), after_seconds=0)
    return [claim for claim in claims if claim.key not in doubtful]


_handle_together = Together(_handle_all)
