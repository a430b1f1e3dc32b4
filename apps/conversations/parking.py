"""Items that cannot be handled are parked with their reason; the chat goes on, and a person can replay or discard them."""

from django.db import transaction
from django.utils import timezone

from apps.conversations import lanes, waking
from apps.conversations.models import Update
from apps.events.recording import record


def count_failure(lane_id: int, *, reason: str, limit: int) -> Update | None:
    """Count a failed attempt of the lane's head and park it at `limit`; the head as it stands then, None when nothing is pending."""
    with transaction.atomic():
        head = _head(lane_id)
        if head is None:
            return None
        head.attempts += 1
        head.error = reason[:2000]
        head.save(update_fields=["attempts", "error"])
    if head.attempts >= limit:
        park_head(lane_id, reason=reason)
        head.state = Update.State.PARKED
    return head


def park_head(lane_id: int, *, reason: str) -> None:
    """Take the lane's oldest pending item out of its way; it is shown under "Needs attention"."""
    with transaction.atomic():
        head = _head(lane_id)
        if head is None:
            return
        head.state, head.error, head.done_at = Update.State.PARKED, reason[:2000], timezone.now()
        head.save(update_fields=["state", "error", "done_at"])
        record(
            "inbox.parked",
            status="fail",
            trace_id=head.trace_id,
            bot_id=head.bot_id,
            channel_id=head.channel_id,
            details={"update": head.pk, "kind": head.kind, "reason": reason[:500]},
        )


def replay(update: Update, *, user_id: int | None = None) -> bool:
    """Put a parked or discarded item back at its place in the chat's queue; False when it is no longer parked."""
    with transaction.atomic():
        lanes.wake([update.lane_id])
        found = Update.objects.filter(pk=update.pk, state__in=[Update.State.PARKED, Update.State.DISCARDED])
        if not found.update(state=Update.State.PENDING, attempts=0, error="", done_at=None):
            return False
        _told("inbox.replayed", update, user_id)
        transaction.on_commit(waking.workers)
    return True


def discard(update: Update, *, user_id: int | None = None) -> bool:
    """Leave a parked item unhandled for good (it stays in the log); False when it is no longer parked."""
    with transaction.atomic():
        if not Update.objects.filter(pk=update.pk, state=Update.State.PARKED).update(state=Update.State.DISCARDED):
            return False
        _told("inbox.discarded", update, user_id)
    return True


def _told(kind: str, update: Update, user_id: int | None) -> None:
    record(
        kind, trace_id=update.trace_id, bot_id=update.bot_id, channel_id=update.channel_id, user_id=user_id, details={"update": update.pk}
    )


def _head(lane_id: int) -> Update | None:
    return Update.objects.select_for_update().filter(lane_id=lane_id, state=Update.State.PENDING).order_by("id").first()
