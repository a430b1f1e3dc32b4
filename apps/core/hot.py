"""Statements of the hot paths: planned once a database session, their lists sent as one text each, their rows made into models directly.

Measured for the drain of one chat: planning was three quarters of PostgreSQL's time, building ORM queries and models half of ours. For paths
that every message takes only (performance.md, "What follows" 6); everything else is the ORM's.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from django.db import NotSupportedError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import Field, JSONField, Model
from django.db.models.base import ModelState
from django.dispatch import receiver

from apps.core import rowjson
from apps.core.fields import EncryptedTextField

M = TypeVar("M", bound=Model)
SEEN_BEFORE_PREPARED = 2  # the ORM's own statements are composed on our side, so that this does not touch them
SLOW_SECONDS = 0.02  # many times what a statement here takes
PLANNED_AGAIN_AFTER_SECONDS = 3.0
Reader = Callable[[Sequence[Any]], M]


def run(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Execute a prepared statement in the present transaction; its rows, if it has any. JSON columns come as text.

    A plan may be older than its table: a release has changed a column's type. Then the session goes, and with it all its plans; a statement of
    its own is repeated in a new one, a transaction fails as it does when a session is lost.
    """
    try:
        return _execute(sql, params)
    except NotSupportedError:
        alone = not connection.in_atomic_block
        if connection.connection is not None:
            connection.connection.close()
        if not alone:
            raise
        connection.close()
        return _execute(sql, params)


def _execute(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.connection.prepare_threshold = SEEN_BEFORE_PREPARED
    began = time.monotonic()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        if connection.execute_wrappers or connection.queries_logged:  # somebody watches, as tests do
            connection._prepare_cursor(cursor).execute(sql, params)  # type: ignore[attr-defined]  # noqa: SLF001  as `connection.cursor` does
        else:
            cursor.execute(sql, params)
        # `description` would tell as well whether there are rows, for the price of a list of all columns.
        rows = cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []
        if time.monotonic() - began > SLOW_SECONDS:
            _plan_again(cursor)
        return rows


class _Planned(threading.local):
    """When this thread's session last forgot its plans."""

    at: float = float("-inf")


_planned = _Planned()


def _plan_again(cursor: psycopg.Cursor[Any]) -> None:
    """Let the session forget its plans, because a statement was slow. One that was made while a table was empty, as the outbox mostly is, reads all
    of it for each row once it holds thousands: two senders took 45 s for what they do in eight, until ANALYZE came by.
    """
    now = time.monotonic()
    if now - _planned.at > PLANNED_AGAIN_AFTER_SECONDS:
        _planned.at = now
        cursor.execute("DISCARD PLANS", prepare=False)


class _Dedicated(threading.local):
    """Whether the present thread is one of those that run hot statements and little else."""

    here: bool = False


_dedicated = _Dedicated()
# A batch is a few rows by their keys. PostgreSQL takes a list for a hundred rows, and then reads the whole of a table that is not yet large.
_BY_INDEX = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off"


def dedicate() -> None:
    """The sessions of this thread, this one and later ones, find rows by index whatever the planner expects of a list."""
    if not _dedicated.here:
        _dedicated.here = True
        if connection.connection is not None:
            _steer(connection=connection)


@receiver(connection_created)
def _steer(connection: BaseDatabaseWrapper, **_signal: object) -> None:
    if _dedicated.here:
        with connection.cursor() as cursor:
            cursor.execute(_BY_INDEX)


class _Gathered(threading.local):
    """What `together` of this thread has been given so far; None outside of it."""

    statements: list[tuple[str, list[Any]]] | None = None
    told: set[str] = set()


_gathered = _Gathered()


@contextmanager
def together() -> Iterator[None]:
    """Statements given to `later` in this block are sent as one at its end. They touch different rows and do not see one another."""
    if _gathered.statements is not None:
        yield
        return
    _gathered.statements, _gathered.told = [], set()
    try:
        yield
        statements, told = _gathered.statements, sorted(_gathered.told)
    finally:
        _gathered.statements = None
    if statements or told:
        _run_all(statements, told)


def later(sql: str, params: Sequence[Any]) -> None:
    """A statement that changes rows and whose result nobody needs: with the others of `together`, else now."""
    if _gathered.statements is None:
        run(sql, params)
    else:
        _gathered.statements.append((sql, list(params)))


def notify(channel: str) -> None:
    """Wake whoever listens to `channel`, when the transaction commits."""
    if _gathered.statements is None:
        run("SELECT pg_notify(%s, '')", [channel])
    else:
        _gathered.told.add(channel)


def _run_all(statements: list[tuple[str, list[Any]]], told: list[str]) -> None:
    parts = ", ".join(f"part{place} AS ({sql})" for place, (sql, _params) in enumerate(statements))
    calls = ", ".join(f"pg_notify('{channel}', '')" for channel in told)
    run(f"{'WITH ' if parts else ''}{parts} SELECT {calls or '1'}", [value for _sql, params in statements for value in params])


def numbers(values: Iterable[int]) -> str:
    """A `bigint[]` as PostgreSQL writes it; the statement casts it."""
    return f"{{{','.join(map(str, values))}}}"


def texts(values: Iterable[str]) -> str:
    """A `text[]`: several times cheaper than the driver's own lists."""
    return f"{{{','.join(map(_quoted, values))}}}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


@lru_cache(maxsize=200)
def columns(model: type[Model], alias: str) -> str:
    """All stored columns of `model`, as `reader` takes them."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def width(model: type[Model]) -> int:
    return len(model._meta.concrete_fields)


@lru_cache(maxsize=50)
def reader(model: type[M]) -> Reader[M]:
    """Makes an instance of `model` of a row's values; no signals, no defaults."""
    fields = model._meta.concrete_fields
    names = [field.attname for field in fields]
    converted = [(field.attname, convert) for field in fields if (convert := _converter(field))]

    def read(values: Sequence[Any]) -> M:
        row = model.__new__(model)
        known = row.__dict__
        known.update(zip(names, values, strict=True))
        for name, convert in converted:
            if known[name] is not None:
                known[name] = convert(known[name])
        row._state = ModelState()
        row._state.adding, row._state.db = False, "default"
        return row

    return read


def make(model: type[M], **values: Any) -> M:
    """A new, unsaved row: `model(**values)` without signals and checks of names, several times cheaper. Defaults are the model's."""
    row = model.__new__(model)
    known = row.__dict__
    known.update(_plain_defaults(model))
    for name, default in _made_defaults(model):
        known[name] = default()
    row._state = ModelState()
    for name, value in values.items():
        if isinstance(value, Model):
            row._state.fields_cache[name] = value
            known[f"{name}_id"] = value.pk
        else:
            known[name] = value
    return row


def join(row: Model, **related: Model) -> None:
    """Give a row that was read the rows that its foreign keys name, without asking whether they are."""
    row._state.fields_cache.update(related)


@lru_cache(maxsize=50)
def _plain_defaults(model: type[Model]) -> dict[str, Any]:
    made = dict(_made_defaults(model))
    return {field.attname: field.get_default() for field in model._meta.concrete_fields if field.attname not in made}


@lru_cache(maxsize=50)
def _made_defaults(model: type[Model]) -> list[tuple[str, Callable[[], Any]]]:
    return [(field.attname, field.default) for field in model._meta.concrete_fields if field.has_default() and callable(field.default)]


def _converter(field: "Field[Any, Any]") -> Callable[[Any], Any] | None:
    if isinstance(field, EncryptedTextField):
        return lambda value: field.from_db_value(value, None, connection)  # type: ignore[arg-type]
    return rowjson.loads if isinstance(field, JSONField) else None
