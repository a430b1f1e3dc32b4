"""Outside calls in SQL: claim those that are due, and turn their results into inbox items of the chat that waits."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.conversations import callbacks, inbox
from apps.conversations.calloutcome import CallOutcome
from apps.conversations.inbox import Posting
from apps.conversations.models import Call, Conversation, Outbox, Update
from apps.core import dbclock
from apps.events import recording
from apps.events.models import Event

__all__ = ["MAX_DEATHS", "CallOutcome", "cancel", "claim", "posting", "settle"]

MAX_DEATHS = 5
PATIENCE = timedelta(seconds=2)


def claim(identity: int, *, limit: int) -> list[Call]:
    """Calls that are due and free, oldest first; the attempt is counted before it is made. What was said before a call leaves before it, unless
    the messenger keeps it waiting for longer than `PATIENCE`.
    """
    said_before = Outbox.objects.filter(lane_id=OuterRef("lane_id"), due_at__lte=OuterRef("created_at"))
    with transaction.atomic():
        free = Call.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            ~Exists(said_before) | Q(created_at__lte=Now() - PATIENCE),
            state=Call.State.PENDING,
            claimed_by__isnull=True,
            due_at__lte=Now(),
        )
        calls = list(free.select_related("lane").order_by("due_at")[:limit])
        for call in calls:
            call.attempts += 1
            call.claimed_by = identity
        Call.objects.bulk_update(calls, ["attempts", "claimed_by"])
    return calls


def settle(outcomes: Sequence[CallOutcome]) -> None:
    """Record results and post them to their chats, in one transaction; or put the call back for another try, or let it wait for its callback.
    A call that was cancelled meanwhile, or came to its end in the hands of another sender, stays as it is.
    """
    with transaction.atomic():
        for outcome in outcomes:
            _fill(outcome)
        chats = _chats(outcomes)
        recording.write([_event(outcome, chats.get(outcome.call.lane_id)) for outcome in outcomes])
        waiting = _still_pending(outcomes)
        ended = [outcome for outcome in outcomes if outcome.call.pk in waiting]
        callbacks.take(ended)
        for outcome in ended:
            outcome.call.claimed_by = None
            if outcome.again_in is not None:
                outcome.call.due_at = dbclock.now() + timedelta(seconds=outcome.again_in)
            elif callbacks.is_awaited(outcome):
                outcome.call.answer = outcome.reply
                outcome.call.state, outcome.call.due_at = Call.State.WAITING, dbclock.now() + callbacks.patience(outcome.call)
            else:
                outcome.call.state, outcome.call.done_at = Call.State.DONE, timezone.now()
        Call.objects.bulk_update(
            [outcome.call for outcome in ended],
            ["claimed_by", "latency_ms", "status_code", "error", "state", "done_at", "due_at", "answer"],
        )
        inbox.post(posting(outcome.call, outcome.reply) for outcome in ended if outcome.call.state == Call.State.DONE)


def _fill(outcome: CallOutcome) -> None:
    call = outcome.call
    call.latency_ms = outcome.latency_ms
    call.status_code = outcome.reply.get("status")
    call.error = str(outcome.reply.get("reason", ""))[:500]


def _still_pending(outcomes: Sequence[CallOutcome]) -> set[int]:
    ids = [outcome.call.pk for outcome in outcomes]
    return set(Call.objects.select_for_update().filter(pk__in=ids, state=Call.State.PENDING).order_by("pk").values_list("pk", flat=True))


def cancel(*, session_ids: Sequence[int]) -> None:
    """Nobody waits for these any more; a call that is on its way ends without effect here."""
    Call.objects.filter(session_id__in=session_ids, state__in=[Call.State.PENDING, Call.State.WAITING]).update(
        state=Call.State.CANCELLED, done_at=timezone.now()
    )


def _chats(outcomes: Sequence[CallOutcome]) -> dict[int, Conversation]:
    """The open conversation of each lane: whom a call was about."""
    lanes = {outcome.call.lane_id for outcome in outcomes}
    rows = Conversation.objects.filter(lane_id__in=lanes, status=Conversation.Status.OPEN).only("id", "lane_id", "person_id", "lead_id")
    return {row.lane_id: row for row in rows}


def _event(outcome: CallOutcome, chat: Conversation | None) -> Event:
    """`call.made` tells how a call ended; `call.retried` that an attempt failed and another follows."""
    call = outcome.call
    status = call.status_code or 0
    good = 200 <= status < 400  # noqa: PLR2004
    details = {"action": call.action, "request": call.shown, "answer": status or outcome.reply.get("error", ""), "attempt": call.attempts}
    if outcome.again_in is not None:
        details |= {"again_in": round(outcome.again_in, 1), "reason": str(status)}
    return recording.event(
        "call.made" if outcome.again_in is None else "call.retried",
        status="success" if good else "fail",
        trace_id=call.trace_id,
        bot_id=call.bot_id,
        channel_id=call.channel_id,
        session_id=call.session_id,
        latency_ms=outcome.latency_ms,
        person_id=chat.person_id if chat else None,
        lead_id=chat.lead_id if chat else None,
        conversation_id=chat.pk if chat else None,
        details={**details, **({"reason": call.error} if call.error else {})},
    )


def posting(call: Call, reply: dict[str, Any]) -> Posting:
    """The inbox item that brings the reply to the visit which waits for it; there is one for each call, however often it is posted."""
    return Posting(
        channel_id=call.channel_id,
        bot_id=call.bot_id,
        chat_id=call.lane.key.partition(":")[2],
        kind=Update.Kind.RESULT,
        source="result",
        event_key=str(call.pk),
        payload={"session": call.session_id, "visit": call.visit, "reply": reply},
        trace_id=call.trace_id,
    )
