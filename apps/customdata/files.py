"""Files of records: taken in by their content, kept in Django's storage, given out by checked links, swept when nothing points at them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.core.files.base import File
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.filetypes import HEAD_BYTES, file_type, safe_name
from apps.customdata.models import Field, RecordFile, Table

if TYPE_CHECKING:
    from apps.customdata.writing import Row

KEPT_DAYS = 30  # a file that a record gave up: long enough to undo a mistake
UNUSED_DAYS = 1


def store(table: Table, declared: Field, given: "File[bytes]", *, name: str) -> RecordFile:
    """The new row of an uploaded file, not yet of any record. Raises ValueError with a text for people."""
    most = int(declared.options.get("max_mb") or 20)
    if given.size > most * 1024 * 1024:
        raise ValueError(_("The file is larger than %(limit)s MB.") % {"limit": most})
    given.seek(0)
    found = file_type(given.read(HEAD_BYTES), name=name)
    if found is None:
        raise ValueError(_("Files of this type are not accepted. Take an image, a PDF, a document, text, sound or film."))
    given.seek(0)
    row = RecordFile(table_id=table.pk, field_id=declared.pk, name=safe_name(name), kind=found.kind, mime=found.mime, size=given.size)
    row.file.save(row.name, given, save=False)
    row.save()
    return row


def attach(table: Table, rows: Iterable["Row"]) -> None:
    """After a write: new files belong to their records, replaced ones are let go."""
    for declared in table.fields:
        if declared.kind != "file":
            continue
        for row in rows:
            if declared in row.changed and row.record is not None:
                detach([row.before.get(declared)])
                if row.cleaned[declared]:
                    RecordFile.objects.filter(pk=row.cleaned[declared]).update(record_id=row.record.pk, detached_at=None)


def detach(ids: Iterable[int | None]) -> None:
    found = [pk for pk in ids if pk]
    if found:
        RecordFile.objects.filter(pk__in=found).update(detached_at=timezone.now())


def sweep() -> int:
    """Deletes files that no record took within a day and those that were given up a month ago."""
    now = timezone.now()
    unused = Q(record_id=None, created_at__lt=now - timedelta(days=UNUSED_DAYS))
    rows = list(RecordFile.objects.filter(unused | Q(detached_at__lt=now - timedelta(days=KEPT_DAYS)))[:500])
    for row in rows:
        row.file.delete(save=False)
        row.delete()
    return len(rows)
