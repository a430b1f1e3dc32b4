"""Who is typing right now: seconds-long notes in Redis, never in the log (desk.md 6.2). Without Redis nobody types."""

import time

import redis
import structlog
from django.db import connection

from apps.core.redis import client

logger = structlog.get_logger(__name__)

TYPING_SECONDS = 6
AWAY_SECONDS = 5.0
_asked_again_at = 0.0


def note_visitor(lead_id: int, *, typing: bool) -> None:
    """The client began or stopped writing."""
    _note(_key("client", lead_id), on=typing)


def note_staff(lead_id: int, *, typing: bool) -> None:
    """Somebody of the staff began or stopped writing to this lead; pages that listen are told at once."""
    _note(_key("staff", lead_id), on=typing)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('typing', %s)", [str(lead_id)])


def visitor_types(lead_id: int) -> bool:
    return _noted(_key("client", lead_id))


def staff_types(lead_id: int) -> bool:
    return _noted(_key("staff", lead_id))


def _key(who: str, lead_id: int) -> str:
    return f"dialogbus:typing:{who}:{lead_id}"


def _note(key: str, *, on: bool) -> None:
    try:
        if on:
            client().set(key, 1, ex=TYPING_SECONDS)
        else:
            client().delete(key)
    except redis.RedisError as error:
        logger.warning("typing_not_noted", error=type(error).__name__)


def _noted(key: str) -> bool:
    """After a failure Redis is not asked for a moment: whoever reads the chat must not wait for a server that is away."""
    global _asked_again_at  # noqa: PLW0603
    if time.monotonic() < _asked_again_at:
        return False
    try:
        return bool(client().exists(key))
    except redis.RedisError:
        _asked_again_at = time.monotonic() + AWAY_SECONDS
        return False
