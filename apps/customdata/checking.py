"""Whether rows may be written: values of the right type, required ones there, links to what exists, unique ones given once."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.translation import gettext as _
from psycopg import sql

from apps.customdata import storage, structure
from apps.customdata.building import model_of
from apps.customdata.columns import folded
from apps.customdata.filtering import digest
from apps.customdata.models import Field, RecordFile, Table
from apps.identity.models import Person

if TYPE_CHECKING:
    from apps.customdata.writing import Row

SYSTEM = frozenset({"id", "version", "created_at", "updated_at"})


def clean(table: Table, row: "Row", *, without: Collection[str] = ()) -> None:
    """`row.values` by alias → `row.cleaned` by field, or errors by alias. What every record has of itself is passed over."""
    for alias, value in row.values.items():
        declared = table.by_alias.get(alias)
        if declared is None or alias in without:
            if alias not in SYSTEM:
                row.errors[str(alias)[:60]] = _("There is no such field.")
            continue
        try:
            row.cleaned[declared] = declared.type.clean(declared, value)
        except ValueError as error:
            row.errors[alias] = str(error)
    if row.key:
        _check_key(table, row, without)


def _check_key(table: Table, row: "Row", without: Collection[str]) -> None:
    declared = table.by_alias.get(row.key)
    if declared is None or row.key in without or not declared.unique:
        row.errors[row.key] = _("Records can be found by a unique field only.")
    elif row.key not in row.errors and row.cleaned.get(declared) is None:
        row.errors[row.key] = _("Give the value by which the record is found.")


def check_required(table: Table, row: "Row") -> None:
    """A new record gets the defaults of fields that it does not name."""
    for declared in table.fields:
        if row.creating and declared not in row.cleaned and declared.default is not None:
            row.cleaned[declared] = default_of(declared)
        missing = declared in row.cleaned or row.creating
        if declared.required and missing and row.cleaned.get(declared) is None:
            row.errors[declared.alias] = _("This field is required.")


def default_of(declared: Field) -> Any:
    """The default as a value; None when it does not fit the field's type any more."""
    try:
        return declared.type.clean(declared, declared.default)
    except ValueError:
        return None


def check_links(table: Table, rows: Sequence["Row"]) -> None:
    """Each link points at a row that exists and stays until the commit."""
    for declared in table.fields:
        if not declared.type.refers:
            continue
        asking = [row for row in rows if row.good and row.cleaned.get(declared) is not None]
        known = _existing(table, declared, {row.cleaned[declared] for row in asking}) if asking else set()
        for row in asking:
            if row.cleaned[declared] not in known and row.cleaned[declared] != row.before.get(declared):
                row.errors[declared.alias] = _("There is no record with the number %(number)s.") % {"number": row.cleaned[declared]}


def _existing(table: Table, declared: Field, ids: set[int]) -> set[int]:
    if declared.kind == "person":
        people = Person.objects.filter(pk__in=ids)
        return set((people.filter(bot_id=table.bot_id) if table.bot_id else people).values_list("pk", flat=True))
    if declared.kind == "file":
        return set(RecordFile.objects.filter(pk__in=ids, table_id=table.pk, field_id=declared.pk).values_list("pk", flat=True))
    other = structure.tables().get(int(declared.options.get("table") or 0))
    if other is None:
        return set()
    with connection.cursor() as cursor:
        statement = sql.SQL("SELECT id FROM {} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE").format(storage.relation(other))
        cursor.execute(statement, [sorted(ids)])
        return {pk for (pk,) in cursor.fetchall()}


def check_unique(table: Table, rows: Sequence["Row"]) -> None:
    """Against the stored records and among the rows themselves; the unique index has the last word."""
    for declared in table.fields:
        if not declared.unique:
            continue
        asking = [row for row in rows if row.good and row.cleaned.get(declared) is not None and declared in row.changed]
        # A new row of a key that somebody else has just taken becomes a change of that record: the index says so and the row is tried again.
        judged = [row for row in asking if row.key != declared.alias]
        taken = ids_by_value(table, declared, [row.cleaned[declared] for row in judged]) if judged else {}
        seen: set[Any] = set()
        for row in asking:
            value = comparable(declared, row.cleaned[declared])
            holder = taken.get(value)
            if holder is not None and (row.record is None or holder != row.record.pk):
                row.errors[declared.alias] = _("Record %(number)s has this value already.") % {"number": holder}
            elif value in seen:
                row.errors[declared.alias] = _("Another row has this value already.")
            seen.add(value)


def comparable(declared: Field, value: Any) -> Any:
    """Equal for values that the unique index holds to be equal."""
    if declared.personal:
        return digest(declared, value)
    return value.lower() if declared.type.index == "fold" else value


def ids_by_value(table: Table, declared: Field, values: Iterable[Any]) -> dict[Any, int]:
    """Which record holds which of these values of a unique field."""
    rows = model_of(table)._default_manager.order_by()
    if declared.personal:
        digests = [digest(declared, value) for value in values]
        return dict(rows.filter(**{f"{declared.digest_attribute}__in": digests}).values_list(declared.digest_attribute, "pk"))
    if declared.type.index == "fold":
        found = rows.filter(**{f"{declared.attribute}__fold__in": [folded(value) for value in values]})
        return {comparable(declared, value): pk for value, pk in found.values_list(declared.attribute, "pk")}
    return dict(rows.filter(**{f"{declared.attribute}__in": list(values)}).values_list(declared.attribute, "pk"))
