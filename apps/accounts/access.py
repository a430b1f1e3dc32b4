"""Who may do what, in one place (security.md 5): the admin, the API and every queryset ask here.

A model declares `access_module` (the module whose rights open it) and `bot_lookup` (the ORM path from a row to the id of its bot, or None
when its rows belong to the whole installation). A model without `access_module` is for superusers only.

Rows of one bot: a role counts for the bots of its assignment. Rows of the whole installation: any assignment may view them, but only an
assignment for all bots may change them, because the change reaches every bot. Rows whose bot is empty count as the installation's and are
seen by assignments for all bots only.
"""

from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q, QuerySet

from apps.accounts.models import RoleAssignment, User
from apps.core import rights
from apps.core.rights import bot_lookup, module_of

Verb = rights.Verb
AnyUser = User | AnonymousUser
M = TypeVar("M", bound=models.Model)

_CACHE = "_bot_scopes"
_GRANTED_BY: dict[str, tuple[str, ...]] = {"view": ("view", "edit", "delete"), "edit": ("edit",), "delete": ("delete",)}


@dataclass(frozen=True)
class BotScope:
    """The bots for which a right holds: all of them, or those with the ids. Neither: the right is not given."""

    everywhere: bool = False
    ids: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.ids)

    def __or__(self, other: "BotScope") -> "BotScope":
        return BotScope(self.everywhere or other.everywhere, self.ids | other.ids)

    def covers(self, bot_id: int) -> bool:
        return self.everywhere or bot_id in self.ids


NOWHERE = BotScope()
EVERYWHERE = BotScope(everywhere=True)


def bot_scope(user: AnyUser, verb: Verb, module: str) -> BotScope:
    """For which bots `user` may do `verb` in `module`. Kept on the user object: one query for each request."""
    if not user.is_active or not isinstance(user, User):
        return NOWHERE
    if user.is_superuser:
        return EVERYWHERE
    return _scopes(user).get((module, verb), NOWHERE)


def _scopes(user: User) -> dict[tuple[str, str], BotScope]:
    known: dict[tuple[str, str], BotScope] | None = getattr(user, _CACHE, None)
    if known is None:
        known = {}
        for assignment in RoleAssignment.objects.filter(user=user).select_related("role"):
            _add(known, assignment)
        setattr(user, _CACHE, known)  # not __dict__: the user of a request is a lazy wrapper, and both must share it
    return known


def _add(scopes: dict[tuple[str, str], BotScope], assignment: RoleAssignment) -> None:
    scope = BotScope(everywhere=assignment.all_bots, ids=frozenset(() if assignment.all_bots else assignment.bot_ids))
    for module, verbs in assignment.role.permissions.items():
        for verb, granting in _GRANTED_BY.items():
            if set(granting) & set(verbs):
                scopes[module, verb] = scopes.get((module, verb), NOWHERE) | scope


def can(user: AnyUser, verb: Verb, module: str, bot_id: int | None = None) -> bool:
    """Whether `user` may do `verb` in `module`: for this bot, or for at least one when no bot is named."""
    scope = bot_scope(user, verb, module)
    return bool(scope) if bot_id is None else scope.covers(bot_id)


def can_model(user: AnyUser, verb: Verb, model: type[models.Model]) -> bool:
    """Whether `user` may do `verb` with some rows of `model`."""
    scope = bot_scope(user, verb, module_of(model))
    return bool(scope) if verb == "view" or bot_lookup(model) else scope.everywhere


def can_add(user: AnyUser, model: type[models.Model]) -> bool:
    """Whether `user` may make rows of `model`. A new bot would lie outside a right for listed bots, so it needs one for all."""
    scope = bot_scope(user, "edit", module_of(model))
    return bool(scope) if bot_lookup(model) not in (None, "pk", model._meta.pk.name) else scope.everywhere


def can_object(user: AnyUser, verb: Verb, obj: models.Model) -> bool:
    """Whether `user` may do `verb` with this stored row."""
    scope = bot_scope(user, verb, module_of(type(obj)))
    if scope.everywhere or not scope:
        return scope.everywhere
    return scoped(type(obj)._base_manager.filter(pk=obj.pk), user, verb).exists()


def scoped(queryset: QuerySet[M], user: AnyUser, verb: Verb = "view", *, module: str = "") -> QuerySet[M]:
    """The rows of `queryset` with which `user` may do `verb`. `module` asks for the right in another module than the model's own:
    which bots may be chosen for a new channel is a question of the right in "channels".
    """
    scope = bot_scope(user, verb, module or module_of(queryset.model))
    if scope.everywhere:
        return queryset
    if not scope:
        return queryset.none()
    lookup = bot_lookup(queryset.model)
    if lookup is None:
        return queryset if verb == "view" or module else queryset.none()
    return queryset.filter(_of_bots(queryset.model, lookup, scope.ids))


def _of_bots(model: type[models.Model], lookup: str, ids: frozenset[int]) -> Q:
    """The condition; through a subquery when the path may meet several rows, so that no row is doubled."""
    condition = Q((f"{lookup}__in", sorted(ids)))
    if not _meets_many(model, lookup):
        return condition
    return Q(pk__in=model._base_manager.filter(condition).values("pk"))


def _meets_many(model: type[models.Model], lookup: str) -> bool:
    for name in lookup.split("__"):
        field = next((field for field in model._meta.get_fields() if name in (field.name, getattr(field, "attname", ""))), None)
        if field is None or not field.is_relation or name == getattr(field, "attname", ""):
            return False
        if field.one_to_many or field.many_to_many:
            return True
        if not isinstance(field.related_model, type):
            return False
        model = field.related_model
    return False
