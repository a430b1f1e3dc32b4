"""Rows into a table: found, cleaned, checked and written together, whether there is one or ten thousand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.bulk import update_in_bulk
from apps.customdata import checking, files, noting, structure
from apps.customdata.building import RecordBase, model_of
from apps.customdata.filtering import digest
from apps.customdata.models import Field, Table
from apps.customdata.noting import Actor, Change
from apps.customdata.outcomes import Outcome

BATCH = 1000
ATTEMPTS = 3


@dataclass
class Row:
    """A row to write: a new one (`creating`), that of an id (`pk`), or that of a unique field's value (`key`)."""

    values: Mapping[str, Any]
    pk: int | None = None
    key: str = ""
    version: int | None = None
    creating: bool = False
    # What is found out on the way:
    record: RecordBase | None = None
    cleaned: dict[Field, Any] = field(default_factory=dict)
    before: dict[Field, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refused: str = ""

    @property
    def good(self) -> bool:
        return not self.errors and not self.refused

    @property
    def changed(self) -> dict[Field, Any]:
        return {one: value for one, value in self.cleaned.items() if self.creating or value != self.before.get(one)}

    def outcome(self) -> Outcome:
        if not self.good:
            return Outcome(self.refused or "invalid", self.record.pk if self.record else self.pk, self.record, self.errors)  # type: ignore[arg-type]
        action = "created" if self.creating else "updated" if self.changed else "unchanged"
        return Outcome(action, self.record.pk if self.record else None, self.record)  # type: ignore[arg-type]


def write(table: Table, rows: Sequence[Row], *, by: Actor, without: Collection[str] = ()) -> list[Outcome]:
    """In batches, each a transaction of its own (a savepoint in the caller's)."""
    return [outcome for start in range(0, len(rows), BATCH) for outcome in _batch(table, rows[start : start + BATCH], by, without)]


def _batch(table: Table, rows: Sequence[Row], by: Actor, without: Collection[str]) -> list[Outcome]:
    """All good rows at once. Where another process was first with a unique value, each row is tried alone and then sees that value."""
    try:
        with transaction.atomic():
            return _write(table, rows, by, without)
    except IntegrityError:
        return [_again(table, row, by, without) for row in rows]


def _again(table: Table, row: Row, by: Actor, without: Collection[str]) -> Outcome:
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _write(table, [_fresh(row)], by, without)[0]
        except IntegrityError:
            continue
    return Outcome("invalid", errors={"": _("Another record has one of these values already.")})


def _fresh(row: Row) -> Row:
    return Row(values=row.values, pk=row.pk, key=row.key, version=row.version)


def _write(table: Table, rows: Sequence[Row], by: Actor, without: Collection[str]) -> list[Outcome]:
    table = structure.for_writing(table)
    prepare(table, rows, without=without)
    good = [row for row in rows if row.good and row.record is not None and (row.creating or row.changed)]
    _store(table, [row for row in good if row.creating], [row for row in good if not row.creating])
    files.attach(table, good)
    noting.note(table, map(_change, good), by)
    return [row.outcome() for row in rows]


def prepare(table: Table, rows: Sequence[Row], *, without: Collection[str] = ()) -> None:
    """Everything short of writing: fills `record`, `cleaned`, `before`, `errors` of each row."""
    for row in rows:
        checking.clean(table, row, without=without)
    _find(table, rows)
    for row in rows:
        if row.good:
            checking.check_required(table, row)
    checking.check_links(table, rows)
    checking.check_unique(table, rows)
    for row in rows:
        if row.good and row.record is not None:
            _assign(row)


def _find(table: Table, rows: Sequence[Row]) -> None:
    """The stored records of rows that name one, locked in the order of their ids; a row of a key that nobody has makes a new one."""
    model = model_of(table)
    by_key = _by_key(table, rows)
    wanted = sorted({row.pk for row in rows if row.pk is not None} | set(by_key.values()))
    stored = (
        {record.pk: record for record in model._default_manager.select_for_update().filter(pk__in=wanted).order_by("pk")} if wanted else {}
    )
    taken: set[int] = set()
    for row in rows:
        pk = row.pk if row.pk is not None else by_key.get(id(row))
        row.record = stored.get(pk) if pk is not None else None
        row.creating = row.record is None and row.pk is None and row.good
        if row.record is None and row.pk is not None:
            row.refused = "not_found"
        elif row.record is not None and row.version is not None and row.record.version != row.version:
            row.refused = "conflict"
        elif row.record is not None and row.record.pk in taken:
            row.errors[row.key or "id"] = _("The same record is there twice.")
        elif row.creating:
            row.record = model()
        if row.record is not None and row.record.pk:
            taken.add(row.record.pk)
            row.before = {one: getattr(row.record, one.attribute) for one in row.cleaned}


def _by_key(table: Table, rows: Sequence[Row]) -> dict[int, int]:
    """id(row) → id of its record, for rows that are found by a unique field."""
    found: dict[int, int] = {}
    for key in {row.key for row in rows if row.key}:
        mine = [row for row in rows if row.key == key and row.good]
        ids = checking.ids_by_value(table, table.by_alias[key], [row.cleaned[table.by_alias[key]] for row in mine]) if mine else {}
        for row in mine:
            declared = table.by_alias[key]
            pk = ids.get(checking.comparable(declared, row.cleaned[declared]))
            if pk is not None:
                found[id(row)] = pk
    return found


def _assign(row: Row) -> None:
    record = row.record
    for declared, value in row.changed.items():
        setattr(record, declared.attribute, value)
        if declared.personal:
            setattr(record, declared.digest_attribute, digest(declared, value))


def _store(table: Table, new: Sequence[Row], old: Sequence[Row]) -> None:
    now = timezone.now()
    for row in (*new, *old):
        row.record.updated_at = now  # type: ignore[union-attr]
        if not row.creating:
            row.record.version += 1  # type: ignore[union-attr]
    if new:
        model_of(table)._default_manager.bulk_create([row.record for row in new], batch_size=BATCH)  # type: ignore[misc]
    by_fields: dict[tuple[str, ...], list[RecordBase]] = {}
    for row in old:
        by_fields.setdefault(tuple(sorted(_attributes(row.changed))), []).append(row.record)  # type: ignore[arg-type]
    for names, records in by_fields.items():
        update_in_bulk(records, ["version", "updated_at", *names])


def _attributes(changed: Iterable[Field]) -> Iterable[str]:
    for declared in changed:
        yield declared.attribute
        if declared.personal:
            yield declared.digest_attribute


def _change(row: Row) -> Change:
    """Of a new record only what it has."""
    changed, record = row.changed, cast("RecordBase", row.record)
    person = noting.person_of(record)
    if row.creating:
        return Change("created", record.pk, {}, {one: value for one, value in changed.items() if value is not None}, person)
    return Change("updated", record.pk, {one: row.before.get(one) for one in changed}, changed, person)
