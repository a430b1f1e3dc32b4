"""The tables as they are at this moment, kept in memory and right within half a second after a change in any process.

    tables()               {id: Table} with `fields`, `by_alias`, `title`; read only, shared: never save one of these
    by_alias(alias)        the table or None
    for_writing(table)     FIRST in every transaction that writes records: holds the structure still until the commit, gives the present one

A change of a field takes the table's row for itself (`for_changing`), so it waits for writers that have begun and writers that begin later see
the new structure: no value is written to a column that was just replaced.
"""

from django.db import connection

from apps.core.cached import CachedTable
from apps.customdata.models import Table
from apps.customdata.storage import altering


def _load() -> dict[int, Table]:
    return {table.pk: _whole(table) for table in Table.objects.prefetch_related("all_fields").select_related("bot")}


def _whole(table: Table) -> Table:
    """With its lists made, so that threads share it without making them twice."""
    for field in table.all_fields.all():
        field.table = table
    _ready = table.fields, table.by_alias, table.title
    return table


_tables: CachedTable[dict[int, Table]] = CachedTable(lambda: Table, _load)


class TableGoneError(Exception):
    """The model was deleted meanwhile."""


def tables() -> dict[int, Table]:
    return _tables.get()


def by_alias(alias: str) -> Table | None:
    return next((table for table in tables().values() if table.alias == alias), None)


def forget() -> None:
    """After a change in this process; the next reader asks the database."""
    _tables.forget()


def fresh(table_id: int) -> Table:
    """From the database; raises `TableGoneError`."""
    found = Table.objects.prefetch_related("all_fields").select_related("bot").filter(pk=table_id).first()
    if found is None:
        raise TableGoneError
    return _whole(found)


def for_writing(table: Table) -> Table:
    """The present structure, held until the transaction ends. Raises `TableGoneError`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM customdata_table WHERE id = %s FOR SHARE", [table.pk])
        row = cursor.fetchone()
    if row is None:
        raise TableGoneError
    known = tables().get(table.pk)
    return known if known is not None and known.version == row[0] else fresh(table.pk)


def for_changing(table_id: int) -> Table:
    """The table's row for this transaction alone. Raises `TableGoneError`, and `StorageBusyError` while a long write (an import) holds it."""
    with altering():
        if Table.objects.select_for_update(of=("self",)).filter(pk=table_id).first() is None:
            raise TableGoneError
    return fresh(table_id)
