"""What follows when a model has changed: its version, everybody's picture of it, and whatever is made from its fields."""

from django.db import connection, transaction
from django.db.models import F
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from psycopg import sql

from apps.customdata import bi, checking, storage, structure
from apps.customdata.building import column_field
from apps.customdata.filtering import digest
from apps.customdata.models import Field, Table


def changed(table_id: int) -> None:
    """After every change of a table or of its fields, in the same transaction."""
    Table.objects.filter(pk=table_id).update(version=F("version") + 1)
    structure.forget()
    transaction.on_commit(structure.forget)
    transaction.on_commit(lambda: bi.follow(table_id))


def removed(table: Table) -> None:
    """Before a model and its table go, in the same transaction: what is made from the table goes first."""


def fill_default(table: Table, added: Field) -> None:
    """Records that are there get the default of a new field; PostgreSQL does it without rewriting them."""
    value = checking.default_of(added) if added.default is not None else None
    if value is None or storage.row_count(table, cap=0) == 0:
        return
    values = {added.column: column_field(added).get_db_prep_save(value, connection)}
    if added.personal:
        values[added.digest_column] = digest(added, value)
    names = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("UPDATE {} SET {}").format(storage.relation(table), names), list(values.values()))


def what_changed(table: Table) -> str:
    """For somebody whose picture of the model is old."""
    rows = [*table.history.order_by("-history_date")[:1], *Field.history.filter(table_id=table.pk).order_by("-history_date")[:1]]
    last = max(rows, key=lambda row: row.history_date, default=None)
    who = str(last.history_user) if last and last.history_user else _("somebody")
    what = {"+": _("added"), "~": _("changed"), "-": _("removed")}.get(last.history_type if last else "", "")
    told = f"{last.instance}" if last else table.name
    ago = timesince(last.history_date) if last else ""
    return _("The model was changed meanwhile: %(who)s %(what)s “%(name)s” %(ago)s ago. Look at its present state and make your change again.") % {
        "who": who, "what": what, "name": told, "ago": ago,
    }  # fmt: skip
