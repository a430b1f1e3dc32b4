"""Hints that there is work. They may be lost or repeated at will: the sweep finds whatever they miss (delivery.md)."""

import contextlib

import structlog
from django.db import connection
from redis.exceptions import RedisError

from apps.core import hot, redis

logger = structlog.get_logger(__name__)

HINT_KEY = "dialogbus:drain-hinted"
HELP_KEY = "dialogbus:drain-help"
WAITING_KEY = "dialogbus:drain-waiting"  # a worker is draining, or has just done so and waits for more
WAKE_KEY = "dialogbus:drain-wake"  # the list at which it waits
PAUSE = "pause"  # the channel of notices that a messenger wants silence
HINT_SECONDS = 2
HELP_MILLISECONDS = 500

# 1: a task has to be sent. While a hint that nobody has taken up is out, no second one is; a worker that waits is woken without a task, which
# costs a twentieth (performance.md).
_HINT = """
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then return 1 end
redis.call('LPUSH', KEYS[3], '1'); redis.call('EXPIRE', KEYS[3], ARGV[1])
return 0
"""


def workers() -> None:
    """Say that there is work for a worker."""
    from apps.conversations.tasks import drain  # noqa: PLC0415  tasks import advancing, which imports this module

    try:
        script = redis.client().register_script(_HINT)
        if script(keys=[HINT_KEY, WAITING_KEY, WAKE_KEY], args=[HINT_SECONDS]):
            drain.delay()
    except (RedisError, OSError, drain.OperationalError) as error:
        logger.warning("no hint to workers: the sweep will find the work", error=type(error).__name__)


def more_workers(*, at_once: bool = False) -> None:
    """Ask for a drain beside those that run: there is more than one takes, or (`at_once`) whoever is said to wait may be dead."""
    from apps.conversations.tasks import drain  # noqa: PLC0415  see above

    try:
        if at_once or redis.client().set(HELP_KEY, 1, nx=True, px=HELP_MILLISECONDS):
            drain.delay()
    except (RedisError, OSError, drain.OperationalError) as error:
        logger.warning("no other worker could be asked: the sweep will", error=type(error).__name__)


def hint_taken() -> None:
    """A worker looks for work: what arrives from now on deserves a hint of its own. It says that it will wait for more afterwards."""
    try:
        with redis.client().pipeline(transaction=False) as pipeline:
            pipeline.set(WAITING_KEY, 1, ex=HINT_SECONDS)
            pipeline.delete(HINT_KEY)
            pipeline.execute()
    except (RedisError, OSError):
        logger.warning("redis is away; hints are not coalesced")


def hinted(*, within: float) -> bool:
    """Wait for a hint for so many seconds (less than Redis is waited for); False when none came or Redis is away."""
    try:
        return redis.client().blpop([WAKE_KEY], timeout=within) is not None
    except (RedisError, OSError):
        return False


def nudge() -> None:
    """Let the worker that waits look again."""
    with contextlib.suppress(RedisError, OSError):
        redis.client().lpush(WAKE_KEY, 1)
        redis.client().expire(WAKE_KEY, HINT_SECONDS)


def not_waiting() -> None:
    """The worker goes; from now on hints are tasks again."""
    with contextlib.suppress(RedisError, OSError):
        redis.client().delete(WAITING_KEY)


def senders(*, beside: bool = False) -> None:
    """Tell senders that there are messages, and `beside` them calls, files or presses; delivered by PostgreSQL when the caller's transaction
    commits.
    """
    hot.notify("beside" if beside else "outbox")


def pause(channel_id: int, *, seconds: float) -> None:
    """Tell every sender that nothing may leave through this channel for so long; delivered when the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [PAUSE, pause_of(channel_id, seconds=seconds)])


def pause_of(channel_id: int, *, seconds: float) -> str:
    """The notice's text."""
    return f"{channel_id}:{seconds:.3f}"


def feed() -> None:
    """Tell the live feed's readers that conversations changed; delivered when the caller's transaction commits."""
    hot.notify("feed")
