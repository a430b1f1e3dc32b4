"""A circuit breaker for each host that outside calls go to: a system that is down is left alone for a while instead of being waited for.

Held in Redis, so that all senders know; when Redis is away every call is made.
"""

import redis
import structlog

from apps.core.redis import client

logger = structlog.get_logger(__name__)

FAILURES = 5
WITHIN_SECONDS = 60
OPEN_SECONDS = 30

# KEYS: failures, open. ARGV: limit, seconds in which they count, seconds open. One round trip; 1 when it has just opened.
_FAILED = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if count < tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], 1, 'EX', ARGV[3])
return 1
"""


def is_open(host: str) -> bool:
    """Whether calls to this host (`name:port`) are held back now. The first call after the pause is the trial."""
    try:
        return bool(client().exists(_open(host)))
    except redis.RedisError:
        return False


def note(host: str, *, good: bool) -> None:
    """A call came to an end: `good` when the host answered, whatever it answered short of a server error."""
    try:
        if good:
            client().delete(_failures(host))
        elif client().eval(_FAILED, 2, _failures(host), _open(host), str(FAILURES), str(WITHIN_SECONDS), str(OPEN_SECONDS)):
            logger.warning("calls to a host are held back", host=host, seconds=OPEN_SECONDS)
    except redis.RedisError as error:
        logger.warning("the breaker is not counting: redis is away", error=type(error).__name__)


def _failures(host: str) -> str:
    return f"breaker:{host}:failures"


def _open(host: str) -> str:
    return f"breaker:{host}:open"
