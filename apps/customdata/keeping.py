"""Which encrypted values there are in the tables of records: for changing the key."""

from collections.abc import Iterator

from apps.customdata import changing, converting, structure
from apps.customdata.building import RecordBase, with_kept_columns
from apps.customdata.converting import Shape
from apps.customdata.models import Field, FieldChange, Table


def encrypted_models() -> Iterator[type[RecordBase]]:
    """A class for each table with every encrypted column, also of removed fields and of former types that wait for a decision."""
    for table_id in structure.tables():
        table = structure.fresh(table_id)
        yield with_kept_columns(table, _kept(table))


def _kept(table: Table) -> list[Shape]:
    """Columns beside those of the fields in use."""
    removed = [
        converting.shape(field, converting.described(field))
        for field in table.all_fields.all()
        if field.state == Field.State.REMOVED and field.column and field.personal
    ]
    used = {field.column for field in table.fields} | {one.column for one in removed}
    changes = FieldChange.objects.filter(table_id=table.pk, state__in=changing.OPEN, action=FieldChange.Action.CONVERT).select_related(
        "field"
    )
    there = {change.pk: change.state not in (FieldChange.State.CHECKING, FieldChange.State.CHECKED) for change in changes}
    former = [shape for change in changes if there[change.pk] for shape in changing.shapes(change)]
    return [*removed, *(shape for shape in former if shape.personal and shape.column not in used)]
