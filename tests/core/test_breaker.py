"""A host that fails again and again is left alone for a while; the others are not concerned."""

import pytest
import redis
from pytest_django.fixtures import Settings

from apps.core import breaker
from apps.core.models import HeldHost

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    breaker._clean.clear()


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


def pause_over(connection: redis.Redis, host: str) -> None:
    connection.delete(f"breaker:{host}:open")


def test_after_the_pause_one_call_is_the_trial_and_the_others_wait_for_it(redis_connection: redis.Redis) -> None:
    fail("crm.example", 5)
    pause_over(redis_connection, "crm.example")
    assert [breaker.is_open("crm.example") for _call in range(3)] == [False, True, True]
    breaker.note("crm.example", good=True)
    assert [breaker.is_open("crm.example") for _call in range(3)] == [False, False, False]
    assert breaker.standing("crm.example") == breaker.Standing()


def test_a_trial_that_fails_opens_it_again_at_once(redis_connection: redis.Redis) -> None:
    fail("crm.example", 5)
    pause_over(redis_connection, "crm.example")
    assert not breaker.is_open("crm.example")
    fail("crm.example", 1)
    assert breaker.is_open("crm.example")
    assert breaker.standing("crm.example").open_seconds > 0


def test_each_opening_is_kept_for_people_without_secrets(redis_connection: redis.Redis) -> None:
    for _time in range(5):
        breaker.note("crm.example", good=False, reason="GET https://crm.example/?token=abcdefgh answered 500")
    pause_over(redis_connection, "crm.example")
    breaker.note("crm.example", good=False, reason="No answer within 10 s.")
    assert HeldHost.objects.values_list("host", "times", "reason").get() == ("crm.example", 2, "No answer within 10 s.")


def test_a_reset_calls_the_host_again_at_once() -> None:
    fail("crm.example", 5)
    breaker.reset("crm.example")
    assert not breaker.is_open("crm.example")
    fail("crm.example", 4)
    assert not breaker.is_open("crm.example")


def test_a_host_that_has_just_answered_is_not_asked_about_until_it_fails(settings: Settings) -> None:
    breaker.note("crm.example", good=True)
    reachable, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    assert not breaker.is_open("crm.example")
    breaker.note("crm.example", good=True)
    settings.REDIS_URL = reachable
    fail("crm.example", 5)
    assert breaker.is_open("crm.example")
