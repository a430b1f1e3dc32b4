"""The whole way of an item, from the inbox to what it causes. Start reading here.

    claim lanes → lock → read → respond → write → give the lanes back      one transaction a batch

Whatever dies in between leaves nothing behind but a counted attempt: the lock is gone, the transaction never happened, and another worker
takes the lane a moment later.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress

import structlog
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import OperationalError, transaction
from django.utils import timezone

from apps.conversations import lanes, parking, waking
from apps.conversations.lanes import Claim
from apps.conversations.models import Update
from apps.conversations.reading import read
from apps.conversations.receiving import note_senders, receive
from apps.conversations.responder import Responder, Turn, Written, responders
from apps.conversations.writing import write
from apps.core import hot
from apps.core.sqlstates import DISK_FULL, sqlstate
from apps.core.trace import trace

logger = structlog.get_logger(__name__)

MAX_DEATHS = 3
MAX_FAILURES = 5
SUSPICIOUS_ATTEMPTS = 2  # the third claim of a lane follows two deaths
RETRY_SECONDS = 1.0

_no_room = threading.Event()  # the database had no room for what this process tried last


class ItemsFailedError(Exception):
    """Items of a batch raised, so nothing of the batch was kept. `errors`: by lane. `sure`: the lane of the first, if it was the oldest item of its
    lane; it has met nothing that another failure had spoilt.
    """

    def __init__(self, errors: Mapping[int, Exception], sure: int | None) -> None:
        super().__init__(f"{len(errors)} items failed")
        self.errors, self.sure = errors, sure


def drain(*, stop: Callable[[], bool] = lambda: False) -> int:
    """Advance every chat that has work until there is none, or no room for it; how many items were handled."""
    handled = 0
    while not stop():
        done = take(_due)
        if done is None:
            break
        handled += done
    return handled


def _due() -> list[Claim]:
    limit = 1 if _no_room.is_set() else settings.DRAIN_BATCH
    claims = lanes.claim(limit=limit)
    if len(claims) == settings.DRAIN_BATCH:
        waking.more_workers()
    return claims


def take(claim: Callable[[], list[Claim]]) -> int | None:
    """Claim lanes and advance them; how many items were handled, None when there was nothing to take or the database has no room.

    When its disk is full, what fails is no fault of the items, and perhaps not even that can be noted: a lane that cannot be given back looks like
    one whose worker died. So from the first such failure on this process claims in the very transaction that handles, and nothing is counted, until
    one has been committed.
    """
    claims: list[Claim] = []
    careful = _no_room.is_set()
    try:
        with transaction.atomic() if careful else nullcontext():
            claims = claim()
            handled = advance_claimed(claims)
    except OperationalError as error:
        if not _is_full(error):
            raise
        logger.exception("the database has no room; nothing is handled until it has", lanes=len(claims))
        _no_room.set()
        _let_rest(claims, counted=not careful)
        return None
    if claims:
        _no_room.clear()
    return handled if claims else None


def _is_full(error: Exception) -> bool:
    return sqlstate(error) == DISK_FULL


def _let_rest(claims: Sequence[Claim], *, counted: bool) -> None:
    with suppress(OperationalError):
        if counted:
            lanes.give_back(claims, after_seconds=RETRY_SECONDS)
        else:
            lanes.put_off([claim.lane_id for claim in claims], seconds=RETRY_SECONDS)


def advance(claims: Sequence[Claim], *, alone: bool = False) -> int:
    """Handle the pending items of these lanes, each lane in the order of its inbox, all in one transaction. `alone`: one lane, one item,
    because something in it has failed or killed a worker before.
    """
    with transaction.atomic():
        locked = lanes.lock(claims)
        turns = advance_locked(locked, per_lane=1 if alone else 20)
    _free_unlocked(claims, locked)
    return len(turns)


def advance_locked(locked: Sequence[Claim], *, per_lane: int = 20, items: Sequence[Update] = ()) -> list[Turn]:
    """The same for lanes whose locks the caller's transaction holds; the turns that were taken. `items`: all that waits in their lanes, for a caller
    who knows it.
    """
    batch = Written()
    standing = read(locked, batch, per_lane=per_lane, items=items)
    note_senders(standing.turns)
    answering = responders()
    for responder in answering:
        responder.open(standing.turns)
    _respond_to_all(standing.turns, answering)
    with hot.together():
        write(batch, standing.turns, answering)
        lanes.finish(locked, unfinished=standing.unfinished)
        waking.feed()
    return standing.turns


def _respond_to_all(turns: Iterable[Turn], answering: Sequence[Responder]) -> None:
    """Each item in its turn. When some raise, the others are answered all the same, although nothing of it will be kept: one pass finds all that fail."""
    answered: set[int] = set()
    errors: dict[int, Exception] = {}
    for turn in turns:
        lane_id = turn.chat.lane_id
        if lane_id in errors:
            continue
        try:
            respond(turn, answering)
        except DatabaseFailure:
            raise  # the transaction is broken, whoever broke it
        except Exception as error:  # noqa: BLE001  raised below
            errors[lane_id] = error
        else:
            answered.add(lane_id)
    if errors:
        first = next(iter(errors))
        raise ItemsFailedError(errors, sure=None if first in answered else first) from errors[first]


def respond(turn: Turn, answering: Sequence[Responder]) -> None:
    """One item: note what the messenger told, then let the first responder that wants it answer."""
    with trace(turn.update.trace_id):
        if receive(turn):
            any(responder.respond(turn) for responder in answering)
        turn.update.state = Update.State.DONE
        turn.update.done_at = timezone.now()


def advance_claimed(claims: Sequence[Claim]) -> int:
    """`advance`, with what went wrong earlier kept apart: lanes that fail or kill a worker are run alone and finally parked. Of those with
    which two workers have died only one is kept in hand, so that what kills does not take its neighbours along to the third death. Raises
    OperationalError when the database has no room: see `take`.
    """
    suspects = [claim for claim in claims if claim.attempts > SUSPICIOUS_ATTEMPTS]
    if len(suspects) > 1:
        lanes.give_back(suspects[1:], after_seconds=0)
        claims = [claim for claim in claims if claim not in suspects[1:]]
    healthy = [claim for claim in claims if claim.attempts == 1]
    handled = _advance_together(healthy) if healthy else 0
    for claim in claims:
        if claim.attempts > 1:
            handled += _after_death(claim)
    return handled


def _advance_together(claims: Sequence[Claim]) -> int:
    """When items fail, the other chats go on without them at once; theirs are advanced alone after that."""
    try:
        return advance(claims)
    except ItemsFailedError as error:
        failed = error
    except Exception as error:
        if _is_full(error):
            raise
        logger.exception("a batch failed; its chats are advanced one by one", lanes=len(claims))
        failed = ItemsFailedError({claim.lane_id: error for claim in claims}, sure=None)
    others = [claim for claim in claims if claim.lane_id not in failed.errors]
    handled = _advance_together(others) if others else 0
    for claim in claims:
        if claim.lane_id == failed.sure:
            _count(claim, failed.errors[claim.lane_id])
        elif claim.lane_id in failed.errors:
            handled += _advance_alone(claim)
    return handled


def _advance_alone(claim: Claim) -> int:
    try:
        return advance([claim], alone=True)
    except ItemsFailedError as failed:
        _count(claim, failed.errors[claim.lane_id])
    except Exception as error:
        if _is_full(error):
            raise
        _count(claim, error)
    return 0


def _count(claim: Claim, error: Exception) -> None:
    """The lane's oldest item raised: count it, park it at the last try, and let the lane rest."""
    with transaction.atomic():
        head = parking.count_failure(claim.lane_id, reason=f"{type(error).__name__}: {error}", limit=MAX_FAILURES)
        pause = RETRY_SECONDS * 2 ** min(head.attempts, 5) if head and head.state == Update.State.PENDING else 0
        lanes.give_back([claim], after_seconds=pause)
    with trace(head.trace_id if head else ""):
        logger.error("an inbox item failed", lane=claim.lane_id, exc_info=error)


def _after_death(claim: Claim) -> int:
    if claim.attempts > MAX_DEATHS:
        parking.park_head(claim.lane_id, reason=f"The worker died {MAX_DEATHS} times while it handled this item.")
        lanes.forgive([claim])
        return 0
    return _advance_alone(claim)


def _free_unlocked(claims: Sequence[Claim], locked: Sequence[Claim]) -> None:
    taken = {claim.lane_id for claim in locked}
    busy = [claim for claim in claims if claim.lane_id not in taken]
    if busy:
        lanes.give_back(busy, after_seconds=0.05)
