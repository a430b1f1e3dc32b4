"""Hints that there is work. They may be lost or repeated at will: the sweep finds whatever they miss (delivery.md)."""

import structlog
from django.db import connection
from redis.exceptions import RedisError

from apps.core import hot, redis

logger = structlog.get_logger(__name__)

HINT_KEY = "dialogbus:drain-hinted"
HINT_SECONDS = 2


def workers() -> None:
    """Ask a worker to drain. Coalesced: while a hint that nobody has picked up is out, no second one is sent."""
    from apps.conversations.tasks import drain  # noqa: PLC0415  tasks import advancing, which imports this module

    try:
        if redis.client().set(HINT_KEY, 1, nx=True, ex=HINT_SECONDS):
            drain.delay()
    except (RedisError, OSError, drain.OperationalError) as error:
        logger.warning("no hint to workers: the sweep will find the work", error=type(error).__name__)


def hint_taken() -> None:
    """A drain begins: work that arrives from now on deserves a hint of its own."""
    try:
        redis.client().delete(HINT_KEY)
    except (RedisError, OSError):
        logger.warning("redis is away; hints are not coalesced")


def senders() -> None:
    """Tell senders that there are messages or calls; delivered by PostgreSQL when the caller's transaction commits."""
    hot.notify("outbox")


def pause(channel_id: int, *, seconds: float) -> None:
    """Tell every sender that nothing may leave through this channel for so long; delivered when the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('pause', %s)", [f"{channel_id}:{seconds:.3f}"])


def feed() -> None:
    """Tell the live feed's readers that conversations changed; delivered when the caller's transaction commits."""
    hot.notify("feed")
