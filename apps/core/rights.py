"""Row rights for code that lies below `accounts`: the admin base asks here, `accounts.access` answers.

`accounts` installs itself when the apps are ready. Until then nothing is visible to anybody.
"""

from typing import Any, Literal, Protocol, TypeVar

from django.db import models
from django.db.models import QuerySet

M = TypeVar("M", bound=models.Model)
Verb = Literal["view", "edit", "delete"]
Staff = Any  # the project's user model or AnonymousUser; the model itself lies above this app


class Scoped(Protocol):
    """See `apps.accounts.access.scoped`."""

    def __call__(self, queryset: QuerySet[M], user: Staff, verb: Verb, *, module: str = "") -> QuerySet[M]: ...


_installed: list[Scoped] = []


def install(scoped_rows: Scoped) -> None:
    """Called once by `accounts`."""
    _installed[:] = [scoped_rows]


def scoped(queryset: QuerySet[M], user: Staff, verb: Verb = "view", *, module: str = "") -> QuerySet[M]:
    """The rows with which `user` may do `verb`."""
    return _installed[0](queryset, user, verb, module=module) if _installed else queryset.none()


def module_of(model: type[models.Model]) -> str:
    """The module that opens `model`; a history model belongs to the one of the model it records. "" = superusers only."""
    return str(getattr(getattr(model, "instance_type", model), "access_module", ""))


def bot_lookup(model: type[models.Model]) -> str | None:
    """The ORM path from a row of `model` to the id of its bot; None when its rows belong to the whole installation."""
    lookup = getattr(getattr(model, "instance_type", model), "bot_lookup", None)
    return None if lookup is None else str(lookup)
