"""PostgreSQL's notices, heard and told by asynchronous code over a connection of its own. They are wake-ups: one that is lost costs time only."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import psycopg
from django.db import connection

LOST = (psycopg.Error, OSError)  # what a connection that breaks raises
_KEYS = frozenset({"dbname", "user", "password", "host", "port", "connect_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey"})


async def hear(*channels: str) -> AsyncGenerator[tuple[str, str], None]:
    """What is told on these channels, as (channel, payload). First an empty pair: from here on nothing is missed. Raises `LOST`."""
    async with await _connect() as listener:
        for channel in channels:
            await listener.execute(f"LISTEN {channel}")
        yield "", ""
        async with contextlib.aclosing(_arriving(listener)) as arriving:
            async for channel, payload in arriving:
                yield channel, payload


async def _arriving(listener: psycopg.AsyncConnection[tuple[Any, ...]]) -> AsyncGenerator[tuple[str, str], None]:
    """As `listener.notifies()`, which wakes ten times a second to see whether anything has come; this sleeps until something has."""
    loop, readable, socket = asyncio.get_running_loop(), asyncio.Event(), listener.fileno()
    loop.add_reader(socket, readable.set)
    try:
        while True:
            while notice := listener.pgconn.notifies():
                yield notice.relname.decode(), notice.extra.decode()
            await readable.wait()
            readable.clear()
            listener.pgconn.consume_input()
    finally:
        loop.remove_reader(socket)


async def tell(channel: str, payload: str) -> None:
    """At once, whatever the process's other sessions are busy with; not at all when the database is away."""
    with contextlib.suppress(*LOST):
        async with await _connect() as teller:
            await teller.execute("SELECT pg_notify(%s, %s)", [channel, payload])


async def _connect() -> psycopg.AsyncConnection[tuple[Any, ...]]:
    known = connection.get_connection_params()
    return await psycopg.AsyncConnection.connect(
        **{name: value for name, value in known.items() if name in _KEYS and value}, autocommit=True
    )
