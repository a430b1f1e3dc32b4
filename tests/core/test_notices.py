"""Notices of the database: all that are told are heard in order, and a connection that breaks says so."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from django.db import connection

from apps.core import notices

pytestmark = pytest.mark.django_db(transaction=True)
SELF = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()"


def ask(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


async def heard(told: Callable[[], None], *, count: int) -> list[tuple[str, str]]:
    """What is heard after the first, empty pair; `told` runs when listening has begun."""
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(10), contextlib.aclosing(notices.hear("one", "two")) as listening:
        async for pair in listening:
            if pair == ("", ""):
                await asyncio.to_thread(told)
                continue
            found.append(pair)
            if len(found) == count:
                break
    return found


def test_all_are_heard_in_order_those_told_at_once_too() -> None:
    def tell() -> None:
        ask("SELECT pg_notify('one', n::text) FROM generate_series(1, 200) AS n")
        ask("SELECT pg_notify('other', 'x')")
        ask("SELECT pg_notify('two', 'Привет')")
        connection.close()

    assert asyncio.run(heard(tell, count=201)) == [*(("one", str(number)) for number in range(1, 201)), ("two", "Привет")]


def test_a_connection_that_breaks_says_so() -> None:
    def end() -> None:
        ask(f"SELECT pg_terminate_backend(pid) FROM ({SELF}) AS listeners")  # noqa: S608  ours
        connection.close()

    with pytest.raises(notices.LOST):
        asyncio.run(heard(end, count=1))
