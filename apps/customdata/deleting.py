"""Records out of a table: what other records point at is kept or let go as their field says, never left hanging."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from apps.customdata import files, noting, structure, writing
from apps.customdata.building import RecordBase, model_of
from apps.customdata.models import Field, Table
from apps.customdata.noting import Actor, Change
from apps.customdata.outcomes import Outcome

BATCH = 1000


def delete(table: Table, wanted: Sequence[tuple[int, int | None]], *, by: Actor) -> list[Outcome]:
    """Of each (id, expected version or None) what became of it."""
    return [outcome for start in range(0, len(wanted), BATCH) for outcome in _batch(table, wanted[start : start + BATCH], by)]


@transaction.atomic
def _batch(table: Table, wanted: Sequence[tuple[int, int | None]], by: Actor) -> list[Outcome]:
    table = structure.for_writing(table)
    rows = model_of(table)._default_manager.select_for_update().filter(pk__in=[pk for pk, _version in wanted]).order_by("pk")
    stored = {record.pk: record for record in rows}
    outcomes = [_judge(stored.get(pk), pk, version) for pk, version in wanted]
    going = {one.id: one.record for one in outcomes if one.action == "deleted"}
    for pk, why in refusals(table, list(going)).items():
        record = going.pop(pk)
        outcomes = [Outcome("in_use", pk, record, {"": why}) if one.id == pk else one for one in outcomes]
    _let_go(table, [pk for pk in going if pk], by)
    files.detach(getattr(record, one.attribute) for record in going.values() for one in table.fields if one.kind == "file")
    model_of(table)._default_manager.filter(pk__in=list(going)).delete()
    noting.note(table, [_change(table, record) for record in going.values()], by)
    return outcomes


def _judge(record: RecordBase | None, pk: int, version: int | None) -> Outcome:
    if record is None:
        return Outcome("not_found", pk)
    if version is not None and record.version != version:
        return Outcome("conflict", pk, record)
    return Outcome("deleted", pk, record)


def pointing_at(table: Table) -> list[Field]:
    """Fields of any model that link to records of this one."""
    return [
        field
        for other in structure.tables().values()
        for field in other.fields
        if field.kind == "relation" and field.options.get("table") == table.pk
    ]


def refusals(table: Table, pks: Sequence[int | None]) -> dict[int, str]:
    """Why which of these records cannot be deleted: who points at them and does not let them go. Records that go together do not count."""
    found: dict[int, str] = {}
    for field in pointing_at(table):
        if field.options.get("on_delete") == "empty" and not field.required:
            continue
        rows = model_of(field.table)._default_manager.filter(**{f"{field.attribute}__in": pks})
        if field.table_id == table.pk:
            rows = rows.exclude(pk__in=pks)
        for holder, pk in rows.order_by().values_list("pk", field.attribute)[: 10 * BATCH]:
            found.setdefault(
                pk,
                _("“%(model)s” %(number)s points at it (field “%(field)s”). Change or delete that record first.")
                % {"model": field.table.name, "number": f"#{holder}", "field": field.name},
            )
    return found


def _let_go(table: Table, pks: Sequence[int], by: Actor) -> None:
    """Empties the links that may be emptied, with history."""
    for field in pointing_at(table) if pks else []:
        if field.options.get("on_delete") != "empty" or field.required:
            continue
        holders = model_of(field.table)._default_manager.filter(**{f"{field.attribute}__in": pks})
        if field.table_id == table.pk:
            holders = holders.exclude(pk__in=pks)
        rows = [writing.Row(values={field.alias: None}, pk=pk) for pk in holders.order_by("pk").values_list("pk", flat=True)]
        writing.write(field.table, rows, by=by)


def _change(table: Table, record: RecordBase) -> Change:
    values = {one: getattr(record, one.attribute) for one in table.fields}
    return Change("deleted", record.pk, {one: value for one, value in values.items() if value is not None}, {})
