"""The values of a field under another type: what becomes of each, and the batches that bring them over.

The new values lie in a column of their own beside the old ones. A mark says for each record whether its new value is there; a trigger takes the mark
away when the old value changes meanwhile. So a batch may be repeated, a worker may die at any point and writers go on: when no record is without
its mark, every value was brought over once. After the swap the same mark and a trigger on the new column say what was changed since, for undoing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

from apps.customdata import storage
from apps.customdata.building import column_field
from apps.customdata.fieldtype import FieldKind, kinds
from apps.customdata.filtering import digest
from apps.customdata.models import Field, FieldChange, Table
from apps.customdata.noting import masked

BATCH = 1000


@dataclass
class Shape:
    """A field as it is before or after: what kinds may know of it, and where its values lie."""

    pk: int
    name: str
    alias: str
    kind: str
    options: dict[str, Any]
    personal: bool
    column: str
    unique: bool = False
    indexed: bool = False
    required: bool = False
    help_text: str = ""
    attribute: str = ""

    @property
    def type(self) -> FieldKind:
        return kinds[self.kind]

    @property
    def columns(self) -> list[str]:
        return [self.column, f"{self.column}_x"] if self.personal else [self.column]

    def read(self, stored: Any) -> Any:
        """The value of what the database gave for the first column."""
        made = column_field(self)
        if hasattr(made, "from_db_value"):
            return made.from_db_value(stored, None, connection)
        return stored

    def written(self, value: Any) -> list[Any]:
        """For each of `columns` what is stored."""
        made = column_field(self)
        stored = None if value is None else made.get_db_prep_save(value, connection)
        return [stored, digest(self, value)] if self.personal else [stored]


def shape(declared: Field, told: dict[str, Any]) -> Shape:
    return Shape(pk=declared.pk, name=declared.name, alias=declared.alias, unique=declared.unique, indexed=declared.indexed, **told)


def described(declared: Field) -> dict[str, Any]:
    """What `FieldChange.before` and `after` hold."""
    return {"kind": declared.kind, "options": declared.options, "personal": declared.personal, "column": declared.column}


def convert(value: Any, before: Shape, after: Shape) -> Any:
    """The value under the other type; raises ValueError with a text for people."""
    if value is None:
        return None
    if (before.kind == "file") != (after.kind == "file"):
        raise ValueError(_("A file has no value of another type."))
    return after.type.clean(after, value if before.kind == after.kind else _plain(value, before, after))


def _plain(value: Any, before: Shape, after: Shape) -> Any:
    """As the other type would be given it."""
    if isinstance(value, bool):
        return int(value) if after.kind == "number" else value if after.kind == "json" else "yes" if value else "no"
    dumped = before.type.dump(before, value)
    if after.kind == "json":
        return json.dumps(dumped)
    if before.kind == "json" and isinstance(dumped, dict | list):
        return dumped if after.kind == "choices" and isinstance(dumped, list) else json.dumps(dumped, ensure_ascii=False)
    return "; ".join(dumped) if isinstance(dumped, list) and after.kind != "choices" else dumped


@dataclass
class Tally:
    """What a batch found; `refused` are (record, value for people, why)."""

    last: int = 0
    done: int = 0
    fits: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    rows: list[tuple[int, list[Any]]] = field(default_factory=list)


def batch(before: Shape, after: Shape, rows: Sequence[tuple[int, Any]], *, keep_rows: bool = True) -> Tally:
    """Convert (id, stored) pairs; a value that does not convert becomes empty, and its old one stays where it was."""
    tally = Tally()
    for pk, stored in rows:
        tally.last, tally.done = pk, tally.done + 1
        value = before.read(stored)
        try:
            found = convert(value, before, after)
            tally.fits += 1
        except ValueError as error:
            found = None
            shown = masked(before, value) if before.personal else before.type.show(before, value)
            tally.refused.append((pk, shown[:200], str(error)))
        if keep_rows:
            tally.rows.append((pk, after.written(found)))
    return tally


def read_after(table: Table, column: str, cursor: int, *, limit: int = BATCH) -> list[tuple[int, Any]]:
    """(id, stored) of records that have a value, by id."""
    with connection.cursor() as db:
        name = sql.Identifier(column)
        statement = sql.SQL("SELECT id, {} FROM {} WHERE id > %s AND {} IS NOT NULL ORDER BY id LIMIT %s").format(
            name, storage.relation(table), name
        )
        db.execute(statement, [cursor, limit])
        return list(db.fetchall())


def refusals(table: Table, before: Shape, after: Shape) -> Iterator[tuple[int, str, str]]:
    """Every record that does not convert, as a stream for the download."""
    cursor = 0
    while rows := read_after(table, before.column, cursor):
        tally = batch(before, after, rows, keep_rows=False)
        yield from tally.refused
        cursor = tally.last


def unmarked(table: Table, column: str, mark: str, cursor: int, *, limit: int = BATCH) -> list[tuple[int, Any]]:
    """Locked (id, stored) of records whose new value is not there yet."""
    with connection.cursor() as db:
        statement = sql.SQL("SELECT id, {} FROM {} WHERE id > %s AND NOT {} ORDER BY id LIMIT %s FOR UPDATE").format(
            sql.Identifier(column), storage.relation(table), sql.Identifier(mark)
        )
        db.execute(statement, [cursor, limit])
        return list(db.fetchall())


def store(table: Table, after: Shape, mark: str, rows: Sequence[tuple[int, list[Any]]]) -> None:
    """New values and their marks in one statement."""
    if not rows:
        return
    columns = [*after.columns]
    types = [storage.column_type(after), "text"][: len(columns)]
    one = sql.SQL("(%s::bigint, {})").format(sql.SQL(", ").join(sql.SQL("%s::" + kind) for kind in types))
    sets = sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(sql.Identifier(name)) for name in columns)
    statement = sql.SQL("UPDATE {} AS t SET {}, {} = true FROM (VALUES {}) AS n(id, {}) WHERE t.id = n.id").format(
        storage.relation(table),
        sets,
        sql.Identifier(mark),
        sql.SQL(", ").join([one] * len(rows)),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    with connection.cursor() as db:
        db.execute(statement, [part for pk, values in rows for part in (pk, *values)])


def mark_name(change: FieldChange) -> str:
    return f"m_{change.pk}"


def watch(table: Table, change: FieldChange, column: str) -> None:
    """From now on a change of this column takes the record's mark away."""
    unwatch(table, change)
    statement = sql.SQL(
        "CREATE TRIGGER {} BEFORE UPDATE OF {} ON {} FOR EACH ROW WHEN (OLD.{} IS DISTINCT FROM NEW.{}) EXECUTE FUNCTION records.unmark({})"
    ).format(
        sql.Identifier(mark_name(change)), sql.Identifier(column), storage.relation(table), sql.Identifier(column), sql.Identifier(column),
        sql.Literal(mark_name(change)),
    )  # fmt: skip
    with connection.cursor() as db:
        db.execute(statement)


def unwatch(table: Table, change: FieldChange) -> None:
    with connection.cursor() as db:
        db.execute(sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(mark_name(change)), storage.relation(table)))


def add_mark(table: Table, change: FieldChange) -> None:
    with connection.cursor() as db:
        statement = sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} boolean NOT NULL DEFAULT false")
        db.execute(statement.format(storage.relation(table), sql.Identifier(mark_name(change))))


def doubles(table: Table, after: Shape) -> int:
    """How many values would be there more than once."""
    target = sql.Identifier(after.columns[-1])
    expression = sql.SQL("records.fold({})").format(target) if not after.personal and after.type.index == "fold" else target
    with connection.cursor() as db:
        statement = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} WHERE {} IS NOT NULL GROUP BY {} HAVING count(*) > 1) AS twice")
        db.execute(statement.format(storage.relation(table), target, expression))
        return int(db.fetchone()[0])
