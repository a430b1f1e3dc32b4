"""Many rows in one statement: all of them as one JSON parameter, an order of magnitude cheaper than the ORM's VALUES lists and CASE chains.

For hot paths only (performance.md, "What follows" 6). No signals, no history: rows that people edit go through `apps.core.audit`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault

from apps.core import hot
from apps.core.fields import EncryptedTextField

Columns = tuple["Field[Any, Any]", ...]


def insert_in_bulk(rows: Sequence[Model]) -> None:
    """Insert rows of one model in their order and give them their ids. Columns that no row has set are left to the database's default."""
    if not rows:
        return
    model = type(rows[0])
    columns = tuple(field for field in model._meta.concrete_fields if not _is_left_out(field, rows))
    for row, (pk,) in zip(rows, hot.run(_insert(model, columns), [as_json(rows, columns)]), strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, "default"


def add_in_bulk(rows: Sequence[Model], *, unless_there: bool = False) -> None:
    """`insert_in_bulk` for rows whose ids nobody needs, or that have theirs; with others in one statement inside `hot.together`.
    `unless_there`: a row that would break a unique constraint is left out.
    """
    if rows:
        model = type(rows[0])
        columns = tuple(field for field in model._meta.concrete_fields if not _is_left_out(field, rows))
        statement = _insert(model, columns).removesuffix(" RETURNING id")
        hot.later(f"{statement} ON CONFLICT DO NOTHING" if unless_there else statement, [as_json(rows, columns)])


def update_in_bulk(rows: Sequence[Model], fields: Sequence[str], *, now: bool = False) -> None:
    """Write these fields of rows of one model, found by their ids; inside `hot.together` with others in one statement, unless `now`."""
    if not rows:
        return
    model = type(rows[0])
    send = hot.run if now else hot.later
    send(_update(model, tuple(fields)), [as_json(rows, _columns(model, tuple(fields)))])


def as_json(rows: Sequence[Model], columns: Columns) -> str:
    """The rows as a JSON array of objects by column, for `json_to_recordset`; encrypted fields are encrypted, moments and UUIDs are text."""
    readers = [(field.column, _reader(field)) for field in columns]
    return json.dumps([{name: read(row) for name, read in readers} for row in rows], default=str, ensure_ascii=False)


def _reader(field: Field[Any, Any]) -> Callable[[Model], Any]:
    name = field.attname
    if isinstance(field, EncryptedTextField):
        return lambda row: field.get_prep_value(getattr(row, name))
    return lambda row: getattr(row, name)


@lru_cache(maxsize=200)
def _insert(model: type[Model], columns: Columns) -> str:
    names = ", ".join(_name(field) for field in columns)
    return (
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {names} "  # noqa: S608  names are ours
        f"FROM ROWS FROM (json_to_recordset(%s) AS ({_typed(columns)})) WITH ORDINALITY AS n({names}, place) ORDER BY place RETURNING id"
    )


@lru_cache(maxsize=200)
def _update(model: type[Model], fields: tuple[str, ...]) -> str:
    columns = _columns(model, fields)
    changes = ", ".join(f"{_name(field)} = n.{_name(field)}" for field in columns[1:])
    return f"UPDATE {model._meta.db_table} AS t SET {changes} FROM json_to_recordset(%s) AS n({_typed(columns)}) WHERE t.id = n.id"  # noqa: S608  names are ours


@lru_cache(maxsize=200)
def _columns(model: type[Model], fields: tuple[str, ...]) -> Columns:
    """The id and these fields."""
    return (model._meta.pk, *(model._meta.get_field(name) for name in fields))  # type: ignore[arg-type]  # none is a reverse relation


def _typed(columns: Columns) -> str:
    return ", ".join(f"{_name(field)} {field.db_type(connection)}" for field in columns)


def _name(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))


def _is_left_out(field: Field[Any, Any], rows: Sequence[Model]) -> bool:
    """The id that the database gives, and columns whose default it fills in. All rows must agree: they are made by one piece of code."""
    value = getattr(rows[0], field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)
