"""Many rows in one statement: arrays through `unnest`, several times cheaper than the ORM's VALUES lists and CASE chains.

For hot paths only (performance.md, "What follows" 6). No signals, no history: rows that people edit go through `apps.core.audit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault


def insert_in_bulk(rows: Sequence[Model]) -> None:
    """Insert rows of one model in their order and give them their ids. Columns that no row has set are left to the database's default."""
    if not rows:
        return
    model = type(rows[0])
    columns = [field for field in model._meta.concrete_fields if not _is_left_out(field, rows)]
    names = [str(field.column) for field in columns]
    listed = ", ".join(names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({listed}) SELECT {listed} FROM unnest({_arrays(columns)}) "  # noqa: S608  names are ours
            f"WITH ORDINALITY AS n({listed}, place) ORDER BY place RETURNING id",
            [_column(field, rows) for field in columns],
        )
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
            row._state.adding, row._state.db = False, "default"


def update_in_bulk(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write these fields of rows of one model, found by their ids."""
    if not rows:
        return
    model = type(rows[0])
    columns: list[Field[Any, Any]] = [model._meta.get_field(name) for name in fields]  # type: ignore[misc]  # none is a reverse relation
    names = [str(field.column) for field in columns]
    changes = ", ".join(f"{name} = n.{name}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} AS t SET {changes} "  # noqa: S608  names are ours
            f"FROM unnest(%s::bigint[], {_arrays(columns)}) AS n(pk, {', '.join(names)}) WHERE t.id = n.pk",
            [[row.pk for row in rows], *(_column(field, rows) for field in columns)],
        )


def _arrays(columns: Sequence[Field[Any, Any]]) -> str:
    return ", ".join(f"%s::{field.db_type(connection)}[]" for field in columns)


def _column(field: Field[Any, Any], rows: Sequence[Model]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]


def _is_left_out(field: Field[Any, Any], rows: Sequence[Model]) -> bool:
    """The id that the database gives, and columns whose default it fills in. All rows must agree: they are made by one piece of code."""
    value = getattr(rows[0], field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)
