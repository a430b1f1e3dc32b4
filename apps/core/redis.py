"""The one Redis client of the process."""

import os
from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 2.0


def client() -> redis.Redis:
    """A client on one pool per process; a fork gets a pool of its own. Raises `redis.RedisError` when the server is away."""
    return _client(os.getpid(), settings.REDIS_URL)


@lru_cache(maxsize=4)
def _client(_process: int, url: str) -> redis.Redis:
    pool = redis.ConnectionPool.from_url(
        _plain_url(url),
        max_connections=64,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=30,
        # One immediate second try: it meets a connection that the server closed while it was idle.
        retry=Retry(NoBackoff(), 1),
    )
    return redis.Redis(connection_pool=pool)


def _plain_url(url: str) -> str:
    """Celery writes a unix socket as redis+socket://, the client as unix://."""
    return url.replace("redis+socket://", "unix://", 1).replace("virtual_host=", "db=", 1)
