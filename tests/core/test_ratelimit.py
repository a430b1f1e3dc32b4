import threading
import time

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from apps.core import ratelimit
from apps.core.ratelimit import allow, client_ip, take
from apps.core.redis import client


def test_a_bucket_lets_its_size_pass_and_then_says_when() -> None:
    decisions = [allow("a", limit=3, per_seconds=60) for _time in range(4)]
    assert [decision.allowed for decision in decisions] == [True, True, True, False]
    assert [decision.remaining for decision in decisions] == [2, 1, 0, 0]
    assert decisions[0].retry_after == 0
    assert 19 < decisions[3].retry_after <= 20


def test_it_refills_evenly() -> None:
    assert [allow("a", limit=2, per_seconds=0.4).allowed for _time in range(3)] == [True, True, False]
    time.sleep(0.21)
    assert [allow("a", limit=2, per_seconds=0.4).allowed for _time in range(2)] == [True, False]


def test_a_refusal_takes_nothing() -> None:
    assert allow("a", limit=5, per_seconds=60, cost=3).allowed
    assert not allow("a", limit=5, per_seconds=60, cost=3).allowed
    assert allow("a", limit=5, per_seconds=60, cost=2).allowed


def test_more_than_the_bucket_holds_never_passes() -> None:
    assert not allow("a", limit=5, per_seconds=60, cost=6).allowed


def test_keys_are_apart_and_leave_nothing_behind() -> None:
    assert allow("a", limit=1, per_seconds=0.05).allowed
    assert allow("b", limit=1, per_seconds=0.05).allowed
    time.sleep(0.1)
    assert client().keys("rate:*") == []


def test_simultaneous_callers_never_pass_together_more_than_the_limit() -> None:
    passed: list[bool] = []
    start = threading.Barrier(8)

    def caller() -> None:
        start.wait()
        passed.extend(allow("a", limit=50, per_seconds=3600).allowed for _time in range(25))

    threads = [threading.Thread(target=caller) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(True) == 50


def test_without_redis_own_limits_open_and_foreign_limits_raise(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    started = time.monotonic()
    assert allow("a", limit=1, per_seconds=60).allowed
    assert allow("a", limit=1, per_seconds=60).allowed
    with pytest.raises(ConnectionError):
        raise ConnectionError from _raised(lambda: take("a", limit=1, per_seconds=60))
    assert time.monotonic() - started < 3


def _raised(work: object) -> Exception:
    import redis  # noqa: PLC0415

    with pytest.raises(redis.RedisError) as caught:
        work()  # type: ignore[operator]
    return caught.value


def test_a_unix_socket_may_be_written_as_celery_does(settings: Settings) -> None:
    settings.REDIS_URL = "redis+socket:///run/valkey.sock?virtual_host=3"
    kwargs = client().connection_pool.connection_kwargs
    assert (kwargs["path"], kwargs["db"]) == ("/run/valkey.sock", 3)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, None, "9.9.9.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "9.9.9.9"),
        (1, "6.6.6.6, 2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_our_own_proxies_are_believed(settings: Settings, proxies: int, forwarded: str | None, expected: str) -> None:
    settings.PROXY_COUNT = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory(REMOTE_ADDR="9.9.9.9").get("/", headers=headers)
    assert client_ip(request) == expected


def test_blocks_let_no_more_through_than_the_limit() -> None:
    blocks = ratelimit.Blocks()
    allowed = sum(blocks.allow("blocks", limit=6_000, per_seconds=6_000).allowed for _call in range(6_100))
    assert 6_000 <= allowed <= 6_020  # a second or two went by meanwhile


def test_a_small_limit_is_asked_one_by_one() -> None:
    blocks = ratelimit.Blocks()
    assert [blocks.allow("few", limit=3, per_seconds=600).allowed for _call in range(5)] == [True, True, True, False, False]


def test_a_block_serves_without_redis() -> None:
    blocks = ratelimit.Blocks()
    assert blocks.allow("many", limit=6_000, per_seconds=60).allowed
    room = ratelimit.allow("many", limit=6_000, per_seconds=60).remaining
    assert all(blocks.allow("many", limit=6_000, per_seconds=60).allowed for _call in range(9))
    assert ratelimit.allow("many", limit=6_000, per_seconds=60).remaining >= room - 1
