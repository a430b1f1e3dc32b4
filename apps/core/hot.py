"""Statements of the hot paths: planned once a database session, their lists sent as one text each, their rows made into models directly.

Measured for the drain of one chat: planning was three quarters of PostgreSQL's time, building ORM queries and models half of ours. For paths
that every message takes only (performance.md, "What follows" 6); everything else is the ORM's.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from django.db import connection
from django.db.models import Field, JSONField, Model
from django.db.models.base import ModelState

from apps.core.fields import EncryptedTextField

M = TypeVar("M", bound=Model)
SEEN_BEFORE_PREPARED = 2  # the ORM's own statements are composed on our side, so that this does not touch them
Reader = Callable[[Sequence[Any]], M]


def run(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Execute a prepared statement in the present transaction; its rows, if it has any. JSON columns come as text."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    connection.connection.prepare_threshold = SEEN_BEFORE_PREPARED
    with connection.wrap_database_errors:
        cursor = connection._prepare_cursor(psycopg.Cursor(connection.connection))  # type: ignore[attr-defined]  # noqa: SLF001  as `connection.cursor` does
    with cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


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


def _converter(field: "Field[Any, Any]") -> Callable[[Any], Any] | None:
    if isinstance(field, EncryptedTextField):
        return lambda value: field.from_db_value(value, None, connection)  # type: ignore[arg-type]
    return json.loads if isinstance(field, JSONField) else None
