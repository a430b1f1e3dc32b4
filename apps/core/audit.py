"""The audit trail: acts that change nothing by themselves, and changes made in bulk, which simple-history does not see by itself."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models, transaction
from django.http import HttpRequest
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_update_with_history

from apps.core.fields import encrypted_fields
from apps.core.masking import mask
from apps.core.models import AuditEntry
from apps.core.ratelimit import client_ip
from apps.core.trace import known_trace_id

M = TypeVar("M", bound=models.Model)
Actor = AbstractBaseUser | AnonymousUser | None


def record(user: Actor, action: str, obj: models.Model | None = None, **changes: Any) -> AuditEntry:
    """Notes that `user` did `action` (a dotted word such as `events.exported`) with `obj`; `changes` are masked."""
    known = user if isinstance(user, AbstractBaseUser) and user.pk else None
    return AuditEntry.objects.create(
        user_id=known.pk if known else None,
        username=known.get_username() if known else "",
        action=action,
        object_type=obj._meta.label if obj is not None else "",
        object_id=str(obj.pk or "") if obj is not None else "",
        object_text=str(obj)[:200] if obj is not None else "",
        changes=mask(changes),
        ip_address=_present_ip(),
        trace_id=known_trace_id(),
    )


def _present_ip() -> str | None:
    request = getattr(HistoricalRecords.context, "request", None)
    return (client_ip(request) or None) if isinstance(request, HttpRequest) else None


def bulk_update(objects: Sequence[M], fields: Iterable[str], *, user: Actor, reason: str = "") -> int:
    """`QuerySet.bulk_update` that also writes each row's history, in one transaction; returns how many rows it changed."""
    if not objects:
        return 0
    known = user if isinstance(user, AbstractBaseUser) and user.pk else None
    return int(
        bulk_update_with_history(
            objects,
            type(objects[0]),
            list(fields),
            batch_size=500,
            default_user=known,
            default_change_reason=reason[:100],
            manager=_plain(objects[0]),
        )
    )


def update(queryset: models.QuerySet[M], *, user: Actor, reason: str = "", **values: Any) -> int:
    """`QuerySet.update(**values)` with history: the rows are locked, changed and recorded in one transaction."""
    with transaction.atomic():
        objects = list(queryset.select_for_update(of=("self",)))
        for obj in objects:
            for name, value in values.items():
                setattr(obj, name, value)
        return bulk_update(objects, values, user=user, reason=reason)


def note_secret_changes(obj: models.Model, changed: Iterable[str]) -> None:
    """Before saving: lets the history say that a secret was changed, without the secret."""
    secret = {field.name for field in encrypted_fields(type(obj))}
    names = [str(obj._meta.get_field(name).verbose_name) for name in changed if name in secret]  # type: ignore[union-attr]
    if names:
        vars(obj)["_change_reason"] = f"changed: {', '.join(names)}"[:100]  # where simple-history looks for it


def _plain(obj: M) -> models.Manager[M]:
    return type(obj)._default_manager
