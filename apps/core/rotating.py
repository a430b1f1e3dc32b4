"""Changing the key under which stored values are encrypted."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, models, transaction
from django.db.models.functions import Cast

from apps.core.crypto import DecryptionError, current_prefix, decrypt, encrypt

Progress = Callable[[str, int, int], None]
# Models beside those of the installed apps that hold encrypted columns; an app puts what gives them here when it is ready.
further: list[Callable[[], Iterator[type[models.Model]]]] = []


def rotate(model: type[models.Model], field: str, *, batch: int, progress: Progress) -> tuple[int, int]:
    """Re-encrypts the column with the current key; returns how many values were changed and how many could not be read.

    Only values under another key are touched, so it can be stopped and repeated. A value that somebody changes meanwhile is left as they
    wrote it. `progress` gets the column's name, the rows done and the rows to do, after each batch.
    """
    name = f"{model._meta.label}.{field}"
    old = _under_other_keys(model, field)
    todo = old.count()
    done = changed = failed = 0
    for rows in _batches(old, batch):
        renewed = [(pk, text, _renew(text)) for pk, text in rows]
        failed += sum(1 for _pk, _old, new in renewed if new is None)
        changed += _store(model, field, [(pk, text, new) for pk, text, new in renewed if new is not None])
        done += len(rows)
        progress(name, done, max(todo, done))
    return changed, failed


def _under_other_keys(model: type[models.Model], field: str) -> models.QuerySet[Any, tuple[Any, str]]:
    """(primary key, stored text) of values that do not begin with the current key's prefix."""
    rows = model._base_manager.annotate(stored=Cast(field, models.TextField())).exclude(stored="").filter(stored__isnull=False)
    return rows.exclude(stored__startswith=current_prefix()).order_by("pk").values_list("pk", "stored")


def _batches(rows: models.QuerySet[Any, tuple[Any, str]], size: int) -> Iterator[list[tuple[Any, str]]]:
    """By primary key, so that unreadable values are passed once and not met again."""
    part = list(rows[:size])
    while part:
        yield part
        part = list(rows.filter(pk__gt=part[-1][0])[:size])


def _renew(text: str) -> str | None:
    try:
        return encrypt(decrypt(text))
    except DecryptionError:
        return None


def _store(model: type[models.Model], field: str, rows: list[tuple[Any, str, str]]) -> int:
    quote = connection.ops.quote_name
    columns = {stored.name: str(stored.column) for stored in model._meta.concrete_fields}
    column, key = quote(columns[field]), quote(str(model._meta.pk.column))
    statement = f"UPDATE {quote(model._meta.db_table)} SET {column} = %s WHERE {key} = %s AND {column} = %s"  # noqa: S608  own names
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, [(new, pk, old) for pk, old, new in rows])
        return max(int(cursor.rowcount), 0)
