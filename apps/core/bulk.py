"""Many rows in one statement: all of them as one JSON parameter, an order of magnitude cheaper than the ORM's VALUES lists and CASE chains.

For hot paths only (performance.md, "What follows" 6). No signals, no history: rows that people edit go through `apps.core.audit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import NOT_PROVIDED, Field, Model
from django.db.models.expressions import DatabaseDefault

from apps.core import hot, rowjson
from apps.core.fields import EncryptedTextField

Columns = tuple["Field[Any, Any]", ...]


@dataclass(frozen=True)
class Statement:
    """SQL with one parameter, the rows as JSON; how these are read from instances."""

    sql: str
    names: tuple[str, ...]
    values: Callable[[Model], tuple[Any, ...]]
    encrypted: tuple[tuple[int, Callable[[Any], Any]], ...]

    def json(self, rows: Sequence[Model]) -> str:
        """The rows as a JSON array of objects by column, for `json_to_recordset`; encrypted fields are encrypted, moments and UUIDs are text."""
        return rowjson.dumps([dict(zip(self.names, self._read(row), strict=True)) for row in rows])

    def _read(self, row: Model) -> Sequence[Any]:
        values = self.values(row)
        if not self.encrypted:
            return values
        stored = list(values)
        for place, encrypt in self.encrypted:
            stored[place] = encrypt(stored[place])
        return stored


def insert_in_bulk(rows: Sequence[Model]) -> None:
    """Insert rows of one model in their order and give them their ids. Columns that no row has set are left to the database's default."""
    if not rows:
        return
    statement = _insert(type(rows[0]), _left_out(rows[0]))
    for row, (pk,) in zip(rows, hot.run(statement.sql + _RETURNING, [statement.json(rows)]), strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, "default"


def add_in_bulk(rows: Sequence[Model], *, unless_there: bool = False) -> None:
    """`insert_in_bulk` for rows whose ids nobody needs, or that have theirs; with others in one statement inside `hot.together`.
    `unless_there`: a row that would break a unique constraint is left out.
    """
    if rows:
        statement = _insert(type(rows[0]), _left_out(rows[0]))
        hot.later(f"{statement.sql} ON CONFLICT DO NOTHING" if unless_there else statement.sql, [statement.json(rows)])


def update_in_bulk(rows: Sequence[Model], fields: Sequence[str], *, now: bool = False) -> None:
    """Write these fields of rows of one model, found by their ids; inside `hot.together` with others in one statement, unless `now`."""
    if not rows:
        return
    statement = _update(type(rows[0]), tuple(fields))
    send = hot.run if now else hot.later
    send(statement.sql, [statement.json(rows)])


_RETURNING = " RETURNING id"


def _left_out(row: Model) -> frozenset[str]:
    """The id that the database gives, and columns whose default it fills in. All rows must agree: they are made by one piece of code."""
    known = row.__dict__
    left = [name for name in _defaulted(type(row)) if isinstance(known.get(name), DatabaseDefault)]
    return frozenset([*left, *([row._meta.pk.attname] if row.pk is None else [])])


@lru_cache(maxsize=200)
def _defaulted(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields if field.db_default is not NOT_PROVIDED)


@lru_cache(maxsize=200)
def _insert(model: type[Model], left_out: frozenset[str]) -> Statement:
    columns = tuple(field for field in model._meta.concrete_fields if field.attname not in left_out)
    names = ", ".join(_name(field) for field in columns)
    return _statement(
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {names} "  # noqa: S608  names are ours
        f"FROM ROWS FROM (json_to_recordset(%s) AS ({_typed(columns)})) WITH ORDINALITY AS n({names}, place) ORDER BY place",
        columns,
    )


@lru_cache(maxsize=200)
def _update(model: type[Model], fields: tuple[str, ...]) -> Statement:
    columns: Columns = (model._meta.pk, *(model._meta.get_field(name) for name in fields))  # type: ignore[arg-type]  # none is a reverse relation
    changes = ", ".join(f"{_name(field)} = n.{_name(field)}" for field in columns[1:])
    return _statement(
        f"UPDATE {model._meta.db_table} AS t SET {changes} FROM json_to_recordset(%s) AS n({_typed(columns)}) WHERE t.id = n.id",  # noqa: S608  names are ours
        columns,
    )


def _statement(sql: str, columns: Columns) -> Statement:
    """At least two columns, so that their getter gives a tuple."""
    encrypted = tuple((place, field.get_prep_value) for place, field in enumerate(columns) if isinstance(field, EncryptedTextField))
    return Statement(sql, tuple(str(field.column) for field in columns), attrgetter(*(field.attname for field in columns)), encrypted)


def _typed(columns: Columns) -> str:
    return ", ".join(f"{_name(field)} {field.db_type(connection)}" for field in columns)


def _name(field: Field[Any, Any]) -> str:
    return connection.ops.quote_name(str(field.column))
