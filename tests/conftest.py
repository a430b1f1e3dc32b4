"""What every test stands on: no network outside this machine, an empty Redis, real rows (pytest-django)."""

from collections.abc import Iterator, Sequence

import pytest
import redis
from django.conf import settings
from django.core.management.color import Style
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django import DjangoDbBlocker

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


KEPT = ("django_content_type", "auth_permission")  # the same rows would have to be made again
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOREACH name IN ARRAY ARRAY[{names}] LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test with real commits a hundred tables of few rows are emptied by DELETE, without their triggers, in 5 ms; TRUNCATE takes 250.
    Only a superuser may do so; for anybody else Django's way stays.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        superuser = cursor.fetchone()[0]
    with pytest.MonkeyPatch.context() as patch:
        if superuser:
            patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
            patch.setattr(flush, "emit_post_migrate_signal", lambda *_arguments, **_options: None)  # it makes what is in `KEPT`
        yield


def sql_flush(operations: DatabaseOperations, _style: Style, tables: Sequence[str], **_options: bool) -> list[str]:
    names = ", ".join(f"'{operations.quote_name(table)}'" for table in tables if table not in KEPT)
    return [EMPTY.format(names=names)] if names else []
