"""Nobody gives rights that they do not have, nor takes over an account that has more."""

from apps.accounts.access import AnyUser, BotScope, bot_scope
from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.modules import VERBS


def covers(user: AnyUser, permissions: dict[str, list[str]], scope: BotScope) -> bool:
    """Whether `user` has each of these rights for each of these bots."""
    return all(_contains(bot_scope(user, verb, module), scope) for module, verbs in permissions.items() for verb in VERBS if verb in verbs)


def _contains(outer: BotScope, inner: BotScope) -> bool:
    return outer.everywhere or (not inner.everywhere and inner.ids <= outer.ids)


def scope_of(assignment: RoleAssignment) -> BotScope:
    return BotScope(everywhere=assignment.all_bots, ids=frozenset(() if assignment.all_bots else assignment.bot_ids))


def may_give(user: AnyUser, role: Role, scope: BotScope) -> bool:
    """Whether `user` may give `role` for these bots."""
    return covers(user, role.permissions, scope)


def may_manage(user: AnyUser, other: User) -> bool:
    """Whether `user` may change the account of `other` (password, roles): `other` has no right that `user` lacks."""
    if not isinstance(user, User) or user.is_superuser:
        return isinstance(user, User)
    if other.is_superuser:
        return False
    return all(may_give(user, given.role, scope_of(given)) for given in other.role_assignments.select_related("role"))
