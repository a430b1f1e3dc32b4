"""Who has a scenario open just now. Kept in Redis for seconds; nothing depends on it, so that an absent server shows nobody."""

import json
import time

import redis
import structlog

from apps.accounts.models import User
from apps.core.redis import client
from apps.scenarios.engine.contract import Json

SECONDS = 15
logger = structlog.get_logger(__name__)


def meet(scenario_id: int, *, user: User, window: str, node: str) -> list[Json]:
    """Note that this window is here and answer the others: [{"window", "name", "mine", "node"}], `mine` for another window of the same person."""
    key, now = f"scenario:{scenario_id}:present", time.time()
    name = user.get_full_name() or user.get_username()
    try:
        with client().pipeline(transaction=False) as pipe:
            pipe.hset(key, window, json.dumps({"user": user.pk, "name": name, "node": node, "at": now}))
            pipe.expire(key, SECONDS * 4)
            pipe.hgetall(key)
            found = pipe.execute()[2]
    except redis.RedisError:
        logger.warning("presence is not known", scenario=scenario_id)
        return []
    return _others(found, user=user, window=window, now=now)


def leave(scenario_id: int, *, window: str) -> None:
    try:
        client().hdel(f"scenario:{scenario_id}:present", window)
    except redis.RedisError:
        logger.warning("presence is not known", scenario=scenario_id)


def _others(found: dict[bytes, bytes], *, user: User, window: str, now: float) -> list[Json]:
    rows = {key.decode(): json.loads(value) for key, value in found.items()}
    return [
        {"window": key, "name": row["name"], "mine": row["user"] == user.pk, "node": row["node"]}
        for key, row in sorted(rows.items())
        if key != window and row["at"] > now - SECONDS
    ]
