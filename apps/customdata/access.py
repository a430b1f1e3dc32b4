"""Who may do what with records, in one place: lists, pages, counts, search, exports and links all ask here.

    rights(user, table)      → Rights(view, add, edit, delete, hidden)
    visible_tables(user)     the models whose records the user may see, in the order of the menu
    rows(table, user, verb)  the one scoped queryset

A role's right in “Custom data” holds for every model (view; edit = add and change; delete), unless the model says otherwise for that role
(`TableRight`). A model of one bot asks for a role in that bot. Several roles add up; a field is hidden only if every role that may see the
records hides it.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import RoleAssignment, User
from apps.core.rights import Verb
from apps.customdata import structure
from apps.customdata.building import RecordBase, model_of
from apps.customdata.models import Field, Table, TableRight

MODULE = "customdata"
_KEPT = "_record_rights"


@dataclass(frozen=True)
class Rights:
    """`hidden`: aliases of fields that the user never sees."""

    view: bool = False
    add: bool = False
    edit: bool = False
    delete: bool = False
    hidden: frozenset[str] = frozenset()

    def allows(self, verb: Verb) -> bool:
        return {"view": self.view, "edit": self.edit, "delete": self.delete}[verb]

    def fields(self, table: Table) -> list[Field]:
        """The fields that the user may see."""
        return [field for field in table.fields if field.alias not in self.hidden]


NOTHING = Rights()
EVERYTHING = Rights(view=True, add=True, edit=True, delete=True)


def rights(user: Any, table: Table) -> Rights:
    """Asked of the database once for each request (kept on the user object)."""
    if not isinstance(user, User) or not user.is_active:
        return NOTHING
    if user.is_superuser:
        return EVERYTHING
    granted = [right for right in (_of_role(user, one, table) for one in _assignments(user)) if right.view]
    if not granted:
        return NOTHING
    return Rights(
        view=True,
        add=any(right.add for right in granted),
        edit=any(right.edit for right in granted),
        delete=any(right.delete for right in granted),
        hidden=frozenset.intersection(*(right.hidden for right in granted)),
    )


def visible_tables(user: Any) -> list[Table]:
    return sorted((one for one in structure.tables().values() if rights(user, one).view), key=lambda one: (one.position, one.name, one.pk))


def rows(table: Table, user: Any, verb: Verb = "view") -> QuerySet[RecordBase]:
    everything = model_of(table)._default_manager.all()
    return everything if rights(user, table).allows(verb) else everything.none()


def named(record: RecordBase, reader: Rights) -> RecordBase:
    """The record, called by its number only where the field that names it is hidden from the reader."""
    title = record.table.title
    record.unnamed = title is not None and title.alias in reader.hidden
    return record


def _assignments(user: User) -> list[RoleAssignment]:
    return _kept(user)[0]


def _kept(user: User) -> tuple[list[RoleAssignment], dict[tuple[int, int], TableRight]]:
    known: Any = getattr(user, _KEPT, None)
    if known is None:
        assignments = list(RoleAssignment.objects.filter(user=user).select_related("role"))
        own = TableRight.objects.filter(role_id__in=[one.role_id for one in assignments])
        known = assignments, {(one.table_id, one.role_id): one for one in own}
        setattr(user, _KEPT, known)
    return known  # type: ignore[no-any-return]


def _of_role(user: User, assignment: RoleAssignment, table: Table) -> Rights:
    if table.bot_id is not None and not assignment.all_bots and table.bot_id not in assignment.bot_ids:
        return NOTHING
    own = _kept(user)[1].get((table.pk, assignment.role_id))
    if own is not None:
        return Rights(own.can_view, own.can_add, own.can_edit, own.can_delete, frozenset(own.hidden))
    verbs = assignment.role.permissions.get(MODULE, [])
    return Rights(view=bool(verbs), add="edit" in verbs, edit="edit" in verbs, delete="delete" in verbs)
