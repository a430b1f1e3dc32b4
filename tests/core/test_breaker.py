"""A host that fails again and again is left alone for a while; the others are not concerned."""

import redis
from pytest_django.fixtures import Settings

from apps.core import breaker


def fail(host: str, times: int) -> None:
    for _time in range(times):
        breaker.note(host, good=False)


def test_five_failures_open_it_for_half_a_minute(redis_connection: redis.Redis) -> None:
    fail("crm.example:443", 4)
    assert not breaker.is_open("crm.example:443")
    fail("crm.example:443", 1)
    assert breaker.is_open("crm.example:443")
    assert not breaker.is_open("other.example:443")
    assert 0 < redis_connection.ttl("breaker:crm.example:443:open") <= breaker.OPEN_SECONDS


def test_an_answer_in_between_starts_the_count_anew() -> None:
    fail("crm.example", 4)
    breaker.note("crm.example", good=True)
    fail("crm.example", 4)
    assert not breaker.is_open("crm.example")


def test_failures_count_within_a_minute_only(redis_connection: redis.Redis) -> None:
    fail("crm.example", 1)
    assert 0 < redis_connection.ttl("breaker:crm.example:failures") <= breaker.WITHIN_SECONDS


def test_without_redis_every_call_is_made(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    fail("crm.example", 9)
    assert not breaker.is_open("crm.example")
