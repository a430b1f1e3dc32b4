"""Records of the tables that business users make: the one way in and out for the admin, scenarios, the API and JavaScript.

    table = structure.by_alias("complaints")
    model_of(table)                             the present Django model class; attributes `f_<field id>` (apps.customdata.building)
    get(table, 5)                               the record or None
    find(table, [Filter("status", "eq", "new")], order="-created_at", after=cursor, limit=50)   → Page(records, next, previous)
    create(table, {"phone": "+380…"}, by=Actor("scenario", "complaint"))                        → the record
    update(table, 5, {...}, by=…, version=3)    refuses with ConflictError when the record has another version (If-Match)
    upsert(table, "number", {"number": 7, …}, by=…)   → (record, created); the key is the alias of a unique field (or "id")
    delete(table, 5, by=…, version=3)
    create_many, update_many, upsert_many, delete_many   → [Outcome] in the order given; good rows are written, the others say why not
    values_of(record, private=False)            plain JSON by alias (apps.customdata.noting)

Values are given by alias, as true types or as texts. Raises: `InvalidRecordError.errors` {alias: text}, `ConflictError`, `NotFoundError`, `InUseError`,
`FilterError`, `CursorError`, `TableGoneError`. `without`: aliases that the asker may not see; they are as if they did not exist.

Each change is one transaction with its history row and the event `record.created|updated|deleted` (details: table, table_id, record_id, fields).
Rows in SQL (COPY, imports) go past this module: then begin with `structure.for_writing`, and write history and events with `noting.note`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext as _

from apps.customdata import deleting, filtering, paging, reading, structure, writing
from apps.customdata.building import RecordBase, model_of
from apps.customdata.filtering import Filter, FilterError
from apps.customdata.models import Table
from apps.customdata.noting import Actor, values_of
from apps.customdata.outcomes import ConflictError, InUseError, InvalidRecordError, NotFoundError, Outcome
from apps.customdata.paging import CursorError, Page
from apps.customdata.structure import TableGoneError
from apps.customdata.writing import Row

__all__ = [
    "Actor", "ConflictError", "CursorError", "Filter", "FilterError", "InUseError", "InvalidRecordError", "NotFoundError", "Outcome", "Page",
    "TableGoneError", "check", "count", "create", "create_many", "delete", "delete_many", "find", "get", "model_of", "update", "update_many",
    "upsert", "upsert_many", "values_of",
]  # fmt: skip

Values = Mapping[str, Any]


def get(table: Table, pk: Any) -> RecordBase | None:
    """The record with this id; None when there is none or the id is no number."""
    try:
        return model_of(table)._default_manager.filter(pk=reading.row_id(pk)).first()
    except ValueError:
        return None


def find(
    table: Table,
    filters: Iterable[Filter] = (),
    *,
    order: str = "-id",
    after: str = "",
    before: str = "",
    limit: int = 50,
    without: Collection[str] = (),
) -> Page:
    """A page of the records that pass all filters, in the order of one field (`alias` or `-alias`) and then of the id."""
    rows = model_of(table)._default_manager.filter(filtering.conditions(table, filters, without=without))
    return paging.page(rows, table, order=order, after=after, before=before, limit=limit, without=without)


def count(table: Table, filters: Iterable[Filter] = (), *, cap: int = 1000, without: Collection[str] = ()) -> int:
    """How many pass, counted up to `cap` + 1."""
    rows = model_of(table)._default_manager.filter(filtering.conditions(table, filters, without=without))
    return rows.order_by()[: cap + 1].count()


def check(table: Table, values: Values, *, pk: int | None = None, without: Collection[str] = ()) -> None:
    """Raises what `create` (or `update` of `pk`) would raise; writes nothing."""
    with transaction.atomic():
        row = Row(values=values, pk=pk, creating=pk is None)
        writing.prepare(structure.for_writing(table), [row], without=without)
        _one(row.outcome())


def create(table: Table, values: Values, *, by: Actor, without: Collection[str] = ()) -> RecordBase:
    return _record(writing.write(table, [Row(values=values, creating=True)], by=by, without=without)[0])


def update(table: Table, pk: int, values: Values, *, by: Actor, version: int | None = None, without: Collection[str] = ()) -> RecordBase:
    """Only the given fields change; None empties one."""
    return _record(writing.write(table, [Row(values=values, pk=pk, version=version)], by=by, without=without)[0])


def upsert(table: Table, key: str, values: Values, *, by: Actor, without: Collection[str] = ()) -> tuple[RecordBase, bool]:
    """Changes the record whose `key` has the value that `values` gives, or makes it; two at once make one."""
    outcome = writing.write(table, [Row(values=values, key=key)], by=by, without=without)[0]
    return _record(outcome), outcome.action == "created"


def delete(table: Table, pk: int, *, by: Actor, version: int | None = None) -> None:
    _one(deleting.delete(table, [(pk, version)], by=by)[0])


def create_many(table: Table, rows: Sequence[Values], *, by: Actor, without: Collection[str] = ()) -> list[Outcome]:
    return writing.write(table, [Row(values=values, creating=True) for values in rows], by=by, without=without)


def update_many(table: Table, rows: Sequence[tuple[int, Values, int | None]], *, by: Actor, without: Collection[str] = ()) -> list[Outcome]:
    """Of each row (id, values, expected version or None)."""
    return writing.write(table, [Row(values=values, pk=pk, version=version) for pk, values, version in rows], by=by, without=without)


def upsert_many(table: Table, key: str, rows: Sequence[Values], *, by: Actor, without: Collection[str] = ()) -> list[Outcome]:
    return writing.write(table, [Row(values=values, key=key) for values in rows], by=by, without=without)


def delete_many(table: Table, pks: Iterable[int], *, by: Actor) -> list[Outcome]:
    return deleting.delete(table, [(pk, None) for pk in pks], by=by)


def _record(outcome: Outcome) -> RecordBase:
    _one(outcome)
    return cast("RecordBase", outcome.record)


def _one(outcome: Outcome) -> None:
    match outcome.action:
        case "invalid":
            raise InvalidRecordError(outcome.errors)
        case "conflict":
            raise ConflictError(_("Somebody has changed this record meanwhile. Look at its present state and try again."), outcome.record)
        case "not_found":
            raise NotFoundError(_("There is no such record."))
        case "in_use":
            raise InUseError(outcome.errors.get("", ""))
