"""A circuit breaker for each host that outside calls go to: a system that is down is left alone for a while instead of being waited for.

Closed → open after `FAILURES` failures within a minute → after `OPEN_SECONDS` one trial call → closed when it succeeds, else open again.
Held in Redis, so that all senders know; when Redis is away every call is made. Each opening is kept in a row for people (`HeldHost`).
A host that has just answered well is not asked about for a second: then a busy host costs two questions a second, not two a call.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

import redis
import structlog
from django.db import DatabaseError, connection
from django.db.models import F
from django.utils import timezone

from apps.core.masking import mask
from apps.core.models import HeldHost
from apps.core.redis import client

logger = structlog.get_logger(__name__)

FAILURES = 5
WITHIN_SECONDS = 60
OPEN_SECONDS = 30
TRIAL_SECONDS = 15  # a trial whose process died is over after this
CLEAN_SECONDS = 1.0
MOST_REMEMBERED = 10_000
DOUBT_SECONDS = 600  # how long after an opening a single failure is enough to open again

# KEYS: failures, open, doubt, trial. ARGV: limit, seconds in which they count, seconds open, seconds of doubt. 1 when it has just opened.
_FAILED = """
if redis.call('EXISTS', KEYS[3]) == 0 then
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
    if count < tonumber(ARGV[1]) then return 0 end
elseif redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
redis.call('DEL', KEYS[1], KEYS[4])
redis.call('SET', KEYS[2], 1, 'EX', ARGV[3])
redis.call('SET', KEYS[3], 1, 'EX', ARGV[4])
return 1
"""
# KEYS: open, doubt, trial. ARGV: seconds of a trial. 1: do not call.
_ASKED = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
if redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[1]) then return 0 end
return 1
"""


# Until when (`monotonic`) a host is known to be called and to have no failures; only those that answer are in it.
_clean: dict[str, float] = {}


@dataclass(frozen=True)
class Standing:
    """How a host stands now: `open` for so many seconds yet, `doubted` (one trial at a time), or neither; failures counted so far."""

    open_seconds: int = 0
    doubted: bool = False
    failures: int = 0
    known: bool = True


def is_open(host: str) -> bool:
    """Whether calls to this host (`name:port`) are held back now. The first call after the pause is the trial; the others wait for it."""
    if _is_clean(host):
        return False
    try:
        return bool(client().eval(_ASKED, 3, _key(host, "open"), _key(host, "doubt"), _key(host, "trial"), str(TRIAL_SECONDS)))
    except redis.RedisError:
        return False


def note(host: str, *, good: bool, reason: str = "") -> None:
    """A call came to an end: `good` when the host answered, whatever it answered short of a server error. `reason` is kept for people."""
    if not good:
        _clean.pop(host, None)
    elif _is_clean(host):
        return
    names = [_key(host, name) for name in ("failures", "open", "doubt", "trial")]
    try:
        if good:
            client().delete(names[0], *names[2:])
            _remember_clean(host)
            return
        opened = client().eval(_FAILED, 4, *names, str(FAILURES), str(WITHIN_SECONDS), str(OPEN_SECONDS), str(DOUBT_SECONDS))
    except redis.RedisError as error:
        logger.warning("the breaker is not counting: redis is away", error=type(error).__name__)
        return
    if opened:
        logger.warning("calls to a host are held back", host=host, seconds=OPEN_SECONDS)
        _keep(host, reason)


async def holds_back(host: str) -> bool:
    """`is_open` for an event loop; a host that has just answered costs nothing."""
    return not _is_clean(host) and await asyncio.to_thread(is_open, host)


async def tell(host: str, *, good: bool, reason: str = "") -> None:
    """`note` for an event loop."""
    if not (good and _is_clean(host)):
        await asyncio.to_thread(note, host, good=good, reason=reason)


def standing(host: str) -> Standing:
    """For people; `known` is False when Redis does not answer."""
    try:
        pipeline = client().pipeline(transaction=False)
        pipeline.ttl(_key(host, "open"))
        pipeline.exists(_key(host, "doubt"))
        pipeline.get(_key(host, "failures"))
        seconds, doubted, failures = pipeline.execute()
    except redis.RedisError:
        return Standing(known=False)
    return Standing(open_seconds=max(0, int(seconds)), doubted=bool(doubted), failures=int(failures or 0))


def reset(host: str) -> None:
    """Call it again at once, as if it had never failed. Raises `redis.RedisError`."""
    client().delete(*(_key(host, name) for name in ("failures", "open", "doubt", "trial")))


def _is_clean(host: str) -> bool:
    return _clean.get(host, 0) > time.monotonic()


def _remember_clean(host: str) -> None:
    now = time.monotonic()
    if len(_clean) > MOST_REMEMBERED:
        for known in [known for known, until in list(_clean.items()) if until <= now]:
            _clean.pop(known, None)
    _clean[host] = now + CLEAN_SECONDS


def _keep(host: str, reason: str) -> None:
    """The row for people; in a thread of the sender its database connection is closed again."""
    now = timezone.now()
    try:
        row, _created = HeldHost.objects.get_or_create(host=host[:300], defaults={"first_at": now, "opened_at": now, "times": 0})
        HeldHost.objects.filter(pk=row.pk).update(
            opened_at=now, open_until=now + timedelta(seconds=OPEN_SECONDS), times=F("times") + 1, reason=str(mask(reason))[:500]
        )
    except DatabaseError:
        logger.warning("that a host is held back could not be kept", host=host, exc_info=True)
    finally:
        if not connection.in_atomic_block:
            connection.close()


def _key(host: str, name: str) -> str:
    return f"breaker:{host}:{name}"
