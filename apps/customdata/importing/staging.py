"""The file's rows in a table of texts: COPY in batches, each committed with its position, so that a killed load goes on behind the last one.

Beside it lies a table of the same rows as typed values, which the check fills (`checking`) and the load takes (`loading`).
"""

import json
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from apps.customdata.building import model_of
from apps.customdata.filtering import digest
from apps.customdata.importing.csvrows import Row
from apps.customdata.importing.models import ImportJob
from apps.customdata.importing.plan import Filled, Plan
from apps.customdata.storage import column_type

SCHEMA = "imports"
BATCH = 20_000
MOST_SHOWN = 200
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Cells = list[str]


def table_of(job: ImportJob) -> sql.Identifier:
    return sql.Identifier(SCHEMA, f"s_{job.pk}")


def values_of(job: ImportJob) -> sql.Identifier:
    return sql.Identifier(SCHEMA, f"v_{job.pk}")


def prepare(job: ImportJob, plan: Plan) -> None:
    """Empty tables of texts and of values; not logged, because the file is still there if the server crashes."""
    texts = [sql.SQL("{} text").format(name) for name in _columns(plan)]
    values = [sql.SQL("{} {}").format(one.value, sql.SQL(column_type(one.field))) for one in plan.filled]
    values += [sql.SQL("{} text").format(one.digest) for one in plan.filled if one.field.personal]
    drop(job)
    with transaction.atomic():
        run(sql.SQL("CREATE UNLOGGED TABLE {} (n bigint PRIMARY KEY, line bigint, wrong text, {})").format(table_of(job), _list(texts)))
        run(
            sql.SQL("CREATE UNLOGGED TABLE {} (n bigint PRIMARY KEY, line bigint, bad boolean NOT NULL DEFAULT false, {})").format(
                values_of(job), _list(values)
            )
        )
        ImportJob.objects.filter(pk=job.pk).update(staged=0, checked=0)


def drop(job: ImportJob) -> None:
    run(sql.SQL("DROP TABLE IF EXISTS {}, {}").format(table_of(job), values_of(job)))


def run(statement: sql.Composable) -> int:
    """Carry out a statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def first_of(statement: sql.Composable) -> Any:
    """The first value that a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _list(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def has_texts(job: ImportJob, rows: int) -> bool:
    """Whether so many rows lie in the staging table; a crash of the server empties it."""
    return _holds(table_of(job), f"s_{job.pk}", rows)


def has_values(job: ImportJob, rows: int) -> bool:
    return _holds(values_of(job), f"v_{job.pk}", rows)


def _holds(table: sql.Identifier, name: str, rows: int) -> bool:
    there = first_of(sql.SQL("SELECT to_regclass({}) IS NOT NULL").format(sql.Literal(f"{SCHEMA}.{name}")))
    return bool(there) and bool(first_of(sql.SQL("SELECT coalesce(max(n), 0) FROM {}").format(table)) == rows)


def _columns(plan: Plan) -> list[sql.Composable]:
    cells = [one.cell for one in plan.filled]
    problems = [one.problem for one in plan.filled if one.is_prepared]
    return [*cells, *problems, *(one.digest for one in plan.filled if one.field.personal)]


def copy(job: ImportJob, plan: Plan, rows: Iterator[Row], *, going_on: Callable[[], bool]) -> bool:
    """All rows behind `job.staged` into the table; False when `going_on` said to stop before the end."""
    width, ragged = len(job.columns), job.form["kind"] != "csv"
    number = job.staged
    for _skipped in islice(rows, number):
        pass
    line_of = _writer(plan, width=width, ragged=ragged)
    statement = sql.SQL("COPY {} (n, line, wrong, {}) FROM STDIN").format(table_of(job), _list(_columns(plan)))
    while batch := list(islice(rows, BATCH)):
        with transaction.atomic(), connection.cursor() as cursor:
            with cursor.copy(statement) as pipe:
                pipe.write("".join(line_of(number + place, row) for place, row in enumerate(batch, start=1)))
            cursor.execute("UPDATE imports_importjob SET staged = %s WHERE id = %s", [number + len(batch), job.pk])
        number = job.staged = number + len(batch)
        if not going_on():
            return False
    return True


def _writer(plan: Plan, *, width: int, ragged: bool) -> Callable[[int, Row], str]:
    """Turns a row into a line of COPY."""
    places = [one.number for one in plan.filled]
    readers = [_reader(plan, one) for one in plan.filled if one.is_prepared]
    spots = [place for place, one in enumerate(plan.filled) if one.is_prepared]
    sealed = [one.field.personal for one in plan.filled if one.is_prepared]
    blanks = len(readers) + sum(sealed)

    def line(number: int, row: Row) -> str:
        wrong, given = row.problem, row.cells
        if not wrong and len(given) != width:
            given, wrong = _fitted(given, width, ragged=ragged)
        if wrong:
            return _encoded([str(number), str(row.number), wrong, *_shown(given, len(places)), *[""] * blanks])
        cells = [given[place] for place in places]
        if readers:
            cells += _prepared(cells, spots, readers, sealed)
        return _encoded([str(number), str(row.number), "", *cells])

    return line


def _encoded(cells: Sequence[str]) -> str:
    text = "\t".join(cells)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\\" in text or "\n" in text or "\r" in text or text.count("\t") != len(cells) - 1:
        text = "\t".join(unicodedata.normalize("NFC", cell).translate(_ESCAPES) for cell in cells)
    return f"{text}\n"


def _fitted(cells: Cells, width: int, *, ragged: bool) -> tuple[Cells, str]:
    """Empty cells more at the end mean nothing, nor do fewer in a workbook; in a text file fewer cells mean that a separator is lost."""
    if len(cells) > width:
        return cells[:width], "cells" if any(cells[width:]) else ""
    return [*cells, *[""] * (width - len(cells))], "" if ragged else "cells"


def _shown(cells: Cells, count: int) -> Cells:
    """What the report shows of a row that cannot be read, in the first place; nothing of it is ever loaded."""
    sample = " ".join(cells)[:MOST_SHOWN].replace("\x00", "\ufffd").encode(errors="replace").decode()
    return [sample, *[""] * (count - 1)]


Reader = Callable[[str], tuple[str, str, str]]


def _prepared(cells: Cells, spots: Sequence[int], readers: Sequence[Reader], sealed: Sequence[bool]) -> Cells:
    """Puts what the kinds made of their cells into `cells`; the problems and digests that follow them."""
    problems, digests = [], []
    for spot, read, is_sealed in zip(spots, readers, sealed, strict=True):
        cells[spot], problem, found = read(cells[spot])
        problems.append(problem)
        if is_sealed:
            digests.append(found)
    return [*problems, *digests]


def _reader(plan: Plan, one: Filled) -> Reader:
    """Reads a cell as its kind does: what is staged, the problem, the digest of a personal value."""
    kind, field = one.field.type, one.field
    column: Any = model_of(plan.table)._meta.get_field(field.attribute) if field.personal else None

    def read(cell: str) -> tuple[str, str, str]:
        try:
            value = kind.clean(field, unquoted(cell))
        except ValueError as error:
            return cell[:MOST_SHOWN] if not field.personal else "", str(error)[:MOST_SHOWN], ""
        if value is None:
            return "", "", ""
        if column is not None:
            return str(column.get_prep_value(value)), "", digest(field, value) or ""
        return json.dumps(kind.dump(field, value), ensure_ascii=False), "", ""

    return read


def unquoted(cell: str) -> str:
    """Without the apostrophe that our export puts before what a spreadsheet would run."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" ").startswith(_FORMULA) else cell
