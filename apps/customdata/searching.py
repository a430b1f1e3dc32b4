"""Search in the records of a model, while somebody is typing: by the beginnings of words in their forms, and by likeness where the server can.

    search(table, "жалоба рига", limit=20)    → Found(records, way): the best first; numbers and personal values are found by exact value
    matching(rows, table, "…")                the rows of a query set that match
    ids(table, "…")                           the numbers of the first matches in a big model, for lists
    way()                                     "likeness" when the server has pg_trgm, else "words"
    in_time(seconds)                          the block's statements end after so long; then `TooSlowError` says what to do
    keep_indexes()                            builds what searching in big models needs; beat calls it

The text of a record are the fields that its model marks for search, else its title. “Words”: the full text of the text's language (Russian, which
for Latin words means English) and plain; each word may be only begun. “Likeness”: parts of words and misspelt ones too.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from psycopg import sql

from apps.core.sqlstates import QUERY_CANCELED, sqlstate
from apps.customdata import filtering, storage, structure
from apps.customdata.building import RecordBase, model_of
from apps.customdata.filtering import Filter, FilterError
from apps.customdata.models import Field, Table

SECONDS = 2.0
CANDIDATES = 1000
SMALL = 2_000  # records that are read through without an index; each costs about 13 µs
MOST_WORDS = 8
MOST_TEXT = 200
LIKE = 0.4  # how much of a word must be alike (pg_trgm.word_similarity_threshold)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Found:
    """`way`: how it was searched."""

    records: list[RecordBase] = field(default_factory=list)
    way: str = "words"


class TooSlowError(Exception):
    """The question takes longer than a list may; the text says what to do."""


def advice() -> str:
    return _("This takes too long in so many records. Filter by an indexed field, search for longer words, or have the field indexed.")


@contextmanager
def in_time(seconds: float = SECONDS) -> Iterator[None]:
    """Ends each statement of the block after `seconds`."""
    try:
        with transaction.atomic():
            _set_local("statement_timeout", f"{int(seconds * 1000)}ms")
            yield
            _set_local("statement_timeout", _default_timeout())
    except OperationalError as error:
        if sqlstate(error) != QUERY_CANCELED:
            raise
        raise TooSlowError(advice()) from error


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _default_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reset_val FROM pg_settings WHERE name = 'statement_timeout'")
        return f"{cursor.fetchone()[0]}ms"


def way() -> str:
    """Asked of the database at each call: an administrator may install the extension at any time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return "likeness" if cursor.fetchone() else "words"


def fields_of(table: Table, *, without: Collection[str] = ()) -> list[Field]:
    """The fields whose texts are searched."""
    texts = [one for one in table.fields if one.type.searchable and not one.personal and one.type.column == "text"]
    marked = [one for one in texts if one.in_search] or [one for one in texts if one == table.title] or texts[:1]
    return [one for one in marked if one.alias not in without]


def search(table: Table, text: str, limit: int = 20, *, without: Collection[str] = (), rows: "QuerySet[RecordBase] | None" = None) -> Found:
    """The records that `text` may mean, best first; of `rows` when given. Raises `TooSlowError`."""
    asked, base = _clean(text), model_of(table)._default_manager.all() if rows is None else rows
    how = way()
    if not asked:
        return Found([], how)
    with in_time():
        exact = list(base.filter(_exact(table, asked, without=without)).order_by("-pk")[:limit])
        found = _like(base, table, asked, how, without=without)
    known = {record.pk for record in exact}
    names = [one.attribute for one in fields_of(table, without=without)]
    ranked = sorted((record for record in found if record.pk not in known), key=lambda record: _rank(record, names, asked))
    return Found([*exact, *ranked][: max(0, limit)], how)


def matching(rows: "QuerySet[RecordBase]", table: Table, text: str, *, without: Collection[str] = ()) -> "QuerySet[RecordBase]":
    """Those of `rows` that match; all of them for an empty text. Whoever reads it does so within `in_time`."""
    return rows.filter(condition(table, text, without=without)) if _clean(text) else rows


def condition(table: Table, text: str, *, without: Collection[str] = ()) -> Q:
    """Whether a record matches; nothing does for an empty text."""
    asked = _clean(text)
    return _exact(table, asked, without=without) | _condition(table, asked, way(), without=without) if asked else Q(pk__in=[])


def ids(table: Table, text: str, *, without: Collection[str] = ()) -> list[int] | None:
    """The numbers of the first matches in a model that has an index for it, for a list to filter by; None when the model is small enough to be
    read through. Raises `TooSlowError`.
    """
    asked, how = _clean(text), way()
    if not storage.index_is_valid(index_name(table, how)):
        return None
    rows = model_of(table)._default_manager.all()
    with in_time():
        exact = rows.filter(_exact(table, asked, without=without)).order_by().values_list("pk", flat=True)[:CANDIDATES]
        return [*exact, *_matches(rows, table, asked, how, without=without)]


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", " ").encode(errors="ignore").decode()[:MOST_TEXT].split())


def _like(rows: "QuerySet[RecordBase]", table: Table, asked: str, how: str, *, without: Collection[str]) -> list[RecordBase]:
    """The newest of the first matches. The matches are found by the index alone: sorted by id at once, the whole model would be walked."""
    found = sorted(_matches(rows, table, asked, how, without=without))
    return list(rows.filter(pk__in=found[-CANDIDATES // 5 :]).order_by("-pk"))


def _matches(rows: "QuerySet[RecordBase]", table: Table, asked: str, how: str, *, without: Collection[str]) -> list[int]:
    if storage.index_is_valid(index_name(table, how)):
        _set_local("enable_seqscan", "off")
    if how == "likeness":
        _set_local("pg_trgm.word_similarity_threshold", str(LIKE))
    found = list(rows.filter(_condition(table, asked, how, without=without)).order_by().values_list("pk", flat=True)[:CANDIDATES])
    _set_local("enable_seqscan", "on")
    return found


def _rank(record: RecordBase, names: Sequence[str], asked: str) -> tuple[int, int]:
    texts = [str(getattr(record, name) or "").lower() for name in names]
    wanted = asked.lower()
    if any(text == wanted for text in texts):
        return 0, -record.pk
    if any(text.startswith(wanted) for text in texts):
        return 1, -record.pk
    return (2 if any(wanted in text for text in texts) else 3), -record.pk


def _exact(table: Table, asked: str, *, without: Collection[str]) -> Q:
    """By number, by a unique field, by a personal value that is marked for search."""
    found = Q(pk__in=[])
    for alias in ["id", *(one.alias for one in table.fields if one.unique or (one.personal and one.in_search))]:
        try:
            found |= filtering.condition(table, Filter(alias, "eq", asked), without=without)
        except FilterError:
            continue
    return found


def _condition(table: Table, asked: str, how: str, *, without: Collection[str]) -> Q:
    fields = fields_of(table, without=without)
    words = _WORD.findall(asked.lower())[:MOST_WORDS]
    if not fields or not words:
        return Q(pk__in=[])
    return _alike(fields, words) if how == "likeness" else _worded(fields, words)


def _worded(fields: Sequence[Field], words: Sequence[str]) -> Q:
    begun = " & ".join(f"{word}:*" for word in words)
    statement = f"{_as_text(_vector(fields))} @@ (to_tsquery('pg_catalog.simple', %s) || to_tsquery('pg_catalog.russian', %s))"
    return _raw(statement, [begun, begun])


def _alike(fields: Sequence[Field], words: Sequence[str]) -> Q:
    """Every word is a part of the text, or is like one."""
    text = _as_text(_folded(fields))
    escaped = [word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words]
    statement = " AND ".join([f"({text} LIKE records.fold(%s) OR records.fold(%s) <%% {text})"] * len(words))
    return _raw(statement, [part for word, plain in zip(escaped, words, strict=True) for part in (f"%{word}%", plain)])


def _raw(statement: str, params: Sequence[Any]) -> Q:
    """Columns are named without their table: whoever uses it asks one table alone."""
    return Q(RawSQL(statement, tuple(params), output_field=BooleanField()))  # noqa: S611  built of our own names, values are parameters


def _as_text(statement: sql.Composable) -> str:
    return statement.as_string(None).replace("%", "%%")


def _joined(fields: Sequence[Field]) -> sql.Composed:
    return sql.SQL(" || ' ' || ").join(sql.SQL("coalesce({}, '')").format(sql.Identifier(one.column)) for one in fields)


def _folded(fields: Sequence[Field]) -> sql.Composed:
    return sql.SQL("records.fold({})").format(_joined(fields))


def _vector(fields: Sequence[Field]) -> sql.Composed:
    """In its own language and plain, so that a word is found by its form and by its beginning."""
    text = _folded(fields)
    return sql.SQL("(to_tsvector('pg_catalog.simple', {}) || to_tsvector('pg_catalog.russian', {}))").format(text, text)


# --- indexes ---------------------------------------------------------------------------------------------------------


def index_name(table: Table, how: str) -> str:
    """Another one for other fields."""
    told = f"{how}:{','.join(one.column for one in fields_of(table))}"
    return f"{table.relation}_q_{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def keep_indexes() -> int:
    """Build missing indexes of models that are too big to be read through, and drop those of fields that are not searched any more; how many."""
    if connection.in_atomic_block:
        raise AssertionError  # built concurrently
    how, done = way(), 0
    there = _there()
    wanted = {index_name(table, how): table for table in structure.tables().values() if fields_of(table)}
    for name in there - set(wanted):
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(storage.SCHEMA, name)))
    for name, table in wanted.items():
        if (name not in there and storage.row_count(table, cap=SMALL) > SMALL) or storage.index_is_valid(name) is False:
            done += _build(table, name, how)
    return done


def _there() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname = %s AND indexname ~ '^t_[0-9]+_q_'", [storage.SCHEMA])
        return {name for (name,) in cursor.fetchall()}


def _build(table: Table, name: str, how: str) -> bool:
    """One process at a time; a leftover of a killed build is removed first."""
    fields = fields_of(table)
    body = sql.SQL("({} gin_trgm_ops)").format(_folded(fields)) if how == "likeness" else sql.SQL("({})").format(_vector(fields))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, table.pk % 2**31])
        if not cursor.fetchone()[0]:
            return False
        try:
            cursor.execute("SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
            cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(storage.SCHEMA, name)))
            cursor.execute(
                sql.SQL("CREATE INDEX CONCURRENTLY IF NOT EXISTS {} ON {} USING gin {}").format(
                    sql.Identifier(name), storage.relation(table), body
                )
            )
        except DatabaseError:
            structure.forget()  # the model may have gone; the next sweep sees
            return False
        finally:
            cursor.execute("RESET statement_timeout")
            cursor.execute("RESET lock_timeout")
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, table.pk % 2**31])
    return True


_LOCK = 0x73656172  # "sear": the space of our advisory locks
