"""What goes on in the background: checks and conversions of fields, indexes of big models. Rows say what there is to do; a lock that PostgreSQL frees
when a process dies says who does it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

from apps.customdata import changing, files, following, storage, structure
from apps.customdata.models import Field, FieldChange
from apps.customdata.structure import TableGoneError

_CHANGE, _INDEX = 5_710_001, 5_710_002  # first halves of the advisory locks
WORKING = (FieldChange.State.CHECKING, FieldChange.State.RUNNING)
BUILDING = (Field.Index.WANTED, Field.Index.BUILDING)


def waits() -> bool:
    """Whether there is anything to do; two small questions for every few seconds."""
    return FieldChange.objects.filter(state__in=WORKING).exists() or Field.objects.filter(index_state__in=BUILDING).exists()


@contextmanager
def _alone(what: int, pk: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [what, pk % 2**31])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [what, pk % 2**31])


def work(*, seconds: float = 25) -> bool:
    """As much as fits into the time; whether something is left."""
    until = time.monotonic() + seconds
    for change in FieldChange.objects.filter(state__in=WORKING).order_by("pk"):
        with _alone(_CHANGE, change.pk) as mine:
            while mine and changing.work(change) and time.monotonic() < until:
                pass
    for field in Field.objects.filter(index_state__in=BUILDING).order_by("pk"):
        with _alone(_INDEX, field.pk) as mine:
            if mine and time.monotonic() < until:
                build(field)
    return waits()


def build(field: Field) -> None:
    """The index of a field, while records go on being written; what stands in the way is told on the model's page."""
    Field.objects.filter(pk=field.pk).update(index_state=Field.Index.BUILDING)
    try:
        table = structure.fresh(field.table_id)
        storage.build_index(table, field)
    except TableGoneError:
        return
    except DatabaseError as error:
        # Values of a broken unique rule are in the message's detail; only its first line is shown.
        why = str(error).partition("\n")[0][:300]
        Field.objects.filter(pk=field.pk).update(index_state=Field.Index.FAILED, index_error=why)
    else:
        Field.objects.filter(pk=field.pk).update(index_state=Field.Index.READY, index_error="")
    following.changed(field.table_id)


def tidy() -> None:
    files.sweep()
