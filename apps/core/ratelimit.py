"""Atomic rate limits in Redis, and the caller's address behind a known number of proxies."""

import threading
import time
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest

from apps.core.redis import client

logger = structlog.get_logger(__name__)

# A token bucket as its "time of being full again" (GCRA): one number a key, one round trip, the server's own clock.
# KEYS[1] bucket; ARGV: microseconds per unit, burst in microseconds, cost. Returns allowed, wait, room (microseconds).
_SCRIPT = """
local now_parts = redis.call('TIME')
local now = now_parts[1] * 1000000 + now_parts[2]
local unit, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wanted = full_at + unit * cost
local over = wanted - now - burst
if over > 0 then
  return {0, math.ceil(over), math.floor(burst - (full_at - now))}
end
redis.call('SET', KEYS[1], string.format('%.0f', wanted), 'PX', math.ceil((wanted - now) / 1000) + 1)
return {1, 0, math.floor(burst - (wanted - now))}
"""


@dataclass(frozen=True)
class Decision:
    """`retry_after` in seconds (0 when allowed); `remaining` how many more of cost 1 would pass now."""

    allowed: bool
    retry_after: float
    remaining: int


def allow(key: str, *, limit: int, per_seconds: float, cost: int = 1) -> Decision:
    """Takes `cost` out of the bucket `key` that holds `limit` and refills evenly in `per_seconds`; refuses without taking.

    For limits that protect ourselves: when Redis is away everything passes, with a line in the log.
    """
    try:
        return take(key, limit=limit, per_seconds=per_seconds, cost=cost)
    except redis.RedisError as error:
        logger.warning("rate_limit_unavailable", key=key, error=str(error))
        return Decision(allowed=True, retry_after=0, remaining=limit)


def take(key: str, *, limit: int, per_seconds: float, cost: int = 1) -> Decision:
    """As `allow`, but raises `redis.RedisError`: for limits that others impose on us, where the caller has a second way."""
    unit = per_seconds * 1_000_000 / limit
    args = [f"{unit:.3f}", f"{per_seconds * 1_000_000:.0f}", str(cost)]
    allowed, wait, room = client().eval(_SCRIPT, 1, f"rate:{key}", *args)
    return Decision(allowed=bool(allowed), retry_after=int(wait) / 1_000_000, remaining=max(0, int(int(room) / unit + 1e-6)))


BLOCKS_PER_PERIOD = 600
BLOCK_SECONDS = 1.0


class Blocks:
    """`allow` for limits that are asked at every call: one round trip to Redis takes a six-hundredth of the limit (10 of 6,000), which this
    process then gives out. Whoever pauses for a second forfeits the rest of a block; a limit below 600 is asked one by one.
    """

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def allow(self, key: str, *, limit: int, per_seconds: float) -> Decision:
        if self._take(key):
            return Decision(allowed=True, retry_after=0, remaining=0)
        block = limit // BLOCKS_PER_PERIOD
        if block > 1 and allow(key, limit=limit, per_seconds=per_seconds, cost=block).allowed:
            with self._lock:
                self._left[key] = block - 1, time.monotonic() + BLOCK_SECONDS
            return Decision(allowed=True, retry_after=0, remaining=0)
        return allow(key, limit=limit, per_seconds=per_seconds)

    def _take(self, key: str) -> bool:
        with self._lock:
            left, until = self._left.get(key, (0, 0.0))
            if not left or time.monotonic() > until:
                self._left.pop(key, None)
                return False
            self._left[key] = left - 1, until
            return True


blocks = Blocks()


def client_ip(request: HttpRequest) -> str:
    """The caller's address: the connection's, or what the outermost of our own `PROXY_COUNT` proxies saw.

    Entries further left in `X-Forwarded-For` are the caller's own words and are never used.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    hops = int(settings.PROXY_COUNT)
    if hops < 1:
        return remote
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return seen[-hops] if len(seen) >= hops else remote
