"""Addresses under which files are given out: signed, expiring, and the same all day long, so that what is told twice is told alike."""

import time
import uuid

from django.conf import settings
from django.urls import reverse

from apps.conversations.models import Attachment
from apps.core import crypto
from apps.core.models import StoredFile

PURPOSE = "widget-file"
DAY = 24 * 3600
OWN = "file:"


def of_uid(uid: object) -> str:
    """The path to a file of a chat; whoever has it may fetch the file for a day, so it is only given to those who may see the message."""
    return _path(uuid.UUID(str(uid)).hex)


def of_key(key: str) -> str:
    """The path to a file of the business."""
    return _path(f"{OWN}{key}")


def absolute(path: str) -> str:
    """The whole address for another system; "" when the installation has no public one."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else ""


def of(row: Attachment | StoredFile) -> str:
    return of_key(row.key) if isinstance(row, StoredFile) else of_uid(row.uid)


def found(signed: str) -> Attachment | StoredFile | None:
    """The file that a path's last part names; None when it is forged, expired or gone. A file of a chat may still be on its way."""
    named = crypto.unsign(signed, purpose=PURPOSE)
    if not isinstance(named, str):
        return None
    if named.startswith(OWN):
        return StoredFile.objects.filter(key=named.removeprefix(OWN)).first()
    return Attachment.objects.filter(uid=named).exclude(state=Attachment.State.FAILED).first()


def _path(named: str) -> str:
    """Valid for one to two days."""
    until = (time.time() // DAY + 2) * DAY
    return reverse("panel:widget-file", args=[crypto.sign(named, purpose=PURPOSE, until=until)])
