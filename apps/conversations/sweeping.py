"""What every few seconds finds all that is due or was dropped: timers, lost hints, old rows. Safe to run twice and by two beats."""

import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from apps.conversations import callbacks, inbox, waking
from apps.conversations.due import OVERDUE
from apps.conversations.inbox import Posting
from apps.conversations.models import FeedItem, Lane, Timer, Update
from apps.core import hot
from apps.core.health import forget_dead

FEED_DAYS = 7
TIMER_BATCH = 500
SILENCE_SECONDS = 2.0  # twice the pause between two sweeps
AWAY_SECONDS = 60.0


def sweep() -> int:
    """Turn due timers and callbacks that did not come into inbox items and hint workers when any lane is due; how many timers fired."""
    fired = 0
    while batch := fire_timers(limit=TIMER_BATCH):
        fired += batch
    while batch := callbacks.expire():
        fired += batch
    if Lane.objects.filter(wake_at__lte=Now()).exists():
        waking.more_workers(at_once=True)
    return fired


def stand_in() -> int:
    """Sweep in place of those who should: there is no beat, no broker, or a worker that stands still, since something has been due for longer
    than it takes. Then also what falls due just now, until all has been in time for a minute. Any process may call it now and then; how
    many timers fired.
    """
    return sweep() if _others.are_away() else 0


@dataclass
class _Others:
    """Who sweeps, as far as can be seen from here."""

    away_until: float = float("-inf")  # of the monotonic clock

    def are_away(self) -> bool:
        now = time.monotonic()
        if hot.run(f"SELECT {OVERDUE}", {"silence": SILENCE_SECONDS})[0][0]:
            self.away_until = now + AWAY_SECONDS
        return now < self.away_until


_others = _Others()


def fire_timers(*, limit: int) -> int:
    """Due timers, each once: deleted and posted in one transaction. However late it runs, a timer fires once."""
    with transaction.atomic():
        due = Timer.objects.select_for_update(skip_locked=True).filter(due_at__lte=Now()).order_by("due_at")
        timers = list(due.select_related("lane")[:limit])
        Timer.objects.filter(pk__in=[timer.pk for timer in timers]).delete()
        inbox.post(_posting(timer) for timer in timers)
    return len(timers)


def tidy() -> None:
    """Delete what nobody needs any more: read feed rows; answers kept for repeats are the gateway's own business."""
    forget_dead()
    old = timezone.now() - timedelta(days=FEED_DAYS)
    newest = FeedItem.objects.aggregate(top=Max("cursor"))["top"]
    # The newest one stays: cursors go on from it.
    FeedItem.objects.filter(created_at__lt=old, cursor__lt=newest or 0).delete()


def backlog() -> dict[str, int]:
    """For health: how many lanes are due, how many items are parked, and how long the oldest due lane has waited, in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(wake_at)), 0)::bigint FROM "
            "(SELECT wake_at FROM conversations_lane WHERE wake_at <= clock_timestamp() LIMIT 10000) AS due",
        )
        due, oldest = cursor.fetchone()
    return {"due": due, "oldest_seconds": oldest, "parked": Update.objects.filter(state=Update.State.PARKED)[:10000].count()}


def _posting(timer: Timer) -> Posting:
    channel_id, _colon, chat_id = timer.lane.key.partition(":")
    return Posting(
        channel_id=int(channel_id),
        bot_id=timer.bot_id,
        chat_id=chat_id,
        kind=Update.Kind.TIMER,
        source="timer",
        event_key=str(timer.pk),
        payload={"session": timer.session_id, "visit": timer.visit, "reason": timer.reason},
        trace_id=timer.trace_id,
    )
