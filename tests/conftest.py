"""What every test stands on: no network outside this machine, an empty Redis, real rows (pytest-django)."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from tests import loopback


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's driver keeps an event loop running in this thread, in which no asynchronous test could run after it."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/browser/"))


@pytest.fixture(scope="session", autouse=True)
def _network_guard() -> Iterator[None]:
    with loopback.only_loopback():
        yield


@pytest.fixture(autouse=True)
def _nothing_reached_outside() -> Iterator[None]:
    """Code under test may swallow the guard's error; the attempt fails the test all the same."""
    loopback.refused.clear()
    yield
    attempts, loopback.refused[:] = list(loopback.refused), []
    if attempts:
        pytest.fail(f"The test tried to reach {', '.join(attempts)}")


@pytest.fixture(scope="session")
def redis_connection() -> Iterator[redis.Redis]:
    connection = redis.Redis.from_url(settings.REDIS_URL)
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _empty_redis(redis_connection: redis.Redis) -> None:
    """Redis holds only hints, limits and presence, so that emptying the tests' own database loses nothing."""
    redis_connection.flushdb()
