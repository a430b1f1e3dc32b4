"""A whole design, as the page of a model gives it, put into effect: what is new is added, what is plain is changed, what touches stored values
becomes a change to look at (`changing`). All or nothing; two people at once: the second is refused with what the first changed.

A design is {name, alias, description, icon, bot, title_field, fields: [{id?, name, alias, kind, options, required, …}], rights: [{role, …}]}.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Role
from apps.bots.models import Bot
from apps.customdata import changing, designing, following, naming, storage, structure
from apps.customdata.changing import NotNowError
from apps.customdata.designing import FieldSpec
from apps.customdata.fieldtype import kinds
from apps.customdata.models import Field, FieldChange, Table, TableRight

PLAIN = ("name", "alias", "required", "help_text", "section", "in_list", "in_filter", "in_search", "unique", "indexed")
FLAGS = ("required", "unique", "indexed", "personal", "in_list", "in_filter", "in_search")
TEXTS = ("name", "alias", "kind", "help_text", "section")
# How often people need a type; further ones come after these.
COMMON = (
    "text", "long_text", "number", "date", "datetime", "boolean", "choice", "choices", "phone", "email", "relation", "person", "file", "json",
)  # fmt: skip
LIMITS = {"name": 100, "help_text": 200, "section": 60, "alias": 60}


class DesignError(Exception):
    """Nothing was changed. `errors`: {name: text} of the model, `fields`: {place in the list: {attribute: text}}."""

    def __init__(self, errors: Mapping[str, str], fields: Mapping[int, Mapping[str, str]]) -> None:
        super().__init__("; ".join([*errors.values(), *(why for one in fields.values() for why in one.values())]))
        self.errors, self.fields = dict(errors), {place: dict(one) for place, one in fields.items()}


@dataclass
class Saved:
    """What became of a design: changes that wait for a decision, and what the person should know."""

    table: Table
    changes: list[FieldChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@transaction.atomic
def save(table_id: int | None, design: Mapping[str, Any], *, user: Any, version: int | None = None) -> Saved:
    """Raises `DesignError`, `StaleError`, `StorageBusyError`, `TableGoneError`."""
    head = _head(design)
    rows = _rows(design)
    errors: dict[str, str] = {}
    try:
        saved = Saved(designing.create_table(**head) if table_id is None else _change_head(table_id, head, version))
    except ValidationError as error:
        errors = _texts(error)
        raise DesignError(errors, {}) from error
    _remove_missing(saved, rows, user)
    faults: dict[int, dict[str, str]] = {}
    for place, row in enumerate(rows):
        try:
            _put(saved, place, row, user)
        except ValidationError as error:
            faults[place] = _texts(error)
        except NotNowError as error:
            faults[place] = {"name": str(error)}
    _set_rights(saved.table, design.get("rights") or [])
    if faults:
        raise DesignError({}, faults)
    following.changed(saved.table.pk)
    saved.table = structure.fresh(saved.table.pk)
    return saved


def _head(design: Mapping[str, Any]) -> dict[str, Any]:
    bot = design.get("bot")
    return {
        "name": str(design.get("name") or ""),
        "alias": str(design.get("alias") or ""),
        "description": str(design.get("description") or "")[:300],
        "icon": str(design.get("icon") or "table_rows")[:40],
        "bot": Bot.objects.filter(pk=bot).first() if isinstance(bot, int) else None,
        "title_field": str(design.get("title_field") or "")[:40],
    }


def _rows(design: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = design.get("fields")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DesignError({"": _("The list of fields is damaged. Load the page again.")}, {})
    if len(rows) > storage.MAX_FIELDS:
        told = _("A model may have %(limit)s fields; there are %(count)s. Split it into two models.")
        raise DesignError({"": told % {"limit": storage.MAX_FIELDS, "count": len(rows)}}, {})
    return rows


def _texts(error: ValidationError) -> dict[str, str]:
    if hasattr(error, "error_dict"):
        return {name: " ".join(whys) for name, whys in error.message_dict.items()}
    return {"": " ".join(error.messages)}


def _change_head(table_id: int, head: dict[str, Any], version: int | None) -> Table:
    table = structure.for_changing(table_id)
    designing.check_version(table, version)
    head["name"] = naming.clean_name(head["name"])
    designing.check_table_names(head["name"], head["alias"], pk=table.pk)
    stored = Table.objects.get(pk=table.pk)
    for name, value in head.items():
        setattr(stored, name, value)
    stored.save()
    return structure.fresh(table.pk)


def _remove_missing(saved: Saved, rows: list[Mapping[str, Any]], user: Any) -> None:
    """Fields that the design no longer names; with records their values are kept until somebody confirms."""
    kept = {row.get("id") for row in rows}
    filled = storage.row_count(saved.table, cap=0) > 0
    for one in saved.table.fields:
        if one.pk in kept:
            continue
        try:
            change = changing.begin_removal(one, user=user)
        except NotNowError as error:
            raise DesignError({"": str(error)}, {}) from error
        if filled:
            saved.changes.append(change)
        else:
            changing.confirm(change)


def _put(saved: Saved, place: int, row: Mapping[str, Any], user: Any) -> None:
    table = structure.fresh(saved.table.pk)
    values = _values(row)
    known = next((one for one in table.fields if one.pk == row.get("id")), None)
    if known is None:
        names = {name: value for name, value in values.items() if name in FieldSpec.__dataclass_fields__}
        added = designing.add_field(table, FieldSpec(**names))
        Field.objects.filter(pk=added.pk).update(position=place)
        return
    _alter(saved, table, known, {**values, "position": place}, user)


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: str(row.get(name) or "").strip()[: LIMITS.get(name, 60) + 1] for name in TEXTS}
    values |= {name: bool(row.get(name)) for name in FLAGS}
    options = row.get("options")
    values["options"] = options if isinstance(options, dict) else {}
    values["default"] = row.get("default")
    return values


def _alter(saved: Saved, table: Table, known: Field, values: dict[str, Any], user: Any) -> None:
    wanted = Field.objects.get(pk=known.pk)
    for name, value in values.items():
        setattr(wanted, name, value)
    designing.check_field(table, wanted)
    touches = wanted.kind != known.kind or wanted.personal != known.personal
    touches = touches or not changing.is_wider(known.kind, known.options, wanted.options)
    shape = {"kind": wanted.kind, "options": wanted.options, "personal": wanted.personal}
    if touches:
        wanted.kind, wanted.options, wanted.personal = known.kind, known.options, known.personal
        wanted.default = known.default
        wanted.unique, wanted.indexed = wanted.unique and (known.type.unique or known.personal), wanted.indexed and bool(known.type.index)
    _check_doubles(table, known, wanted)
    _store(table, known, wanted, saved)
    if touches:
        change = changing.begin_conversion(wanted, shape, user=user)
        if change is not None:
            saved.changes.append(change)


def _check_doubles(table: Table, known: Field, wanted: Field) -> None:
    from apps.customdata import converting  # noqa: PLC0415  only here, to keep the two apart

    if wanted.unique and not known.unique:
        twice = converting.doubles(table, converting.shape(known, converting.described(known)))
        if twice:
            told = _("%(count)d values are there more than once. Make them different first: sort the list by this field.")
            raise ValidationError({"unique": told % {"count": twice}})


def _store(table: Table, known: Field, wanted: Field, saved: Saved) -> None:
    if (known.unique, known.indexed) != (wanted.unique, wanted.indexed) or known.index_state == Field.Index.FAILED:
        storage.drop_index(table, known)
        wanted.index_state, wanted.index_error = designing.wanted_index(table, wanted), ""
        if wanted.index_state == Field.Index.WANTED:
            saved.notes.append(_("The index of “%(field)s” is built in the background.") % {"field": wanted.name})
    differ = designing.plain_changes(known, {name: getattr(wanted, name) for name in (*PLAIN, "options", "default", "position")})
    if differ or known.index_state != wanted.index_state:
        wanted.save()
    if wanted.required and not known.required:
        empty = _empty(table, known)
        if empty:
            told = _("%(count)s records have no “%(field)s” yet; it is asked for when they are edited.")
            saved.notes.append(told % {"count": empty, "field": wanted.name})


def _empty(table: Table, known: Field) -> str:
    from apps.customdata.building import model_of  # noqa: PLC0415  made anew with every structure

    count = model_of(table)._default_manager.filter(**{f"{known.attribute}__isnull": True}).order_by()[:1001].count()
    return "1,000+" if count > 1000 else str(count) if count else ""  # noqa: PLR2004


def _set_rights(table: Table, rows: Any) -> None:
    """[{role, own, view, add, edit, delete, hidden}] of each role; a role without `own` has the right of the module."""
    roles = {role.pk for role in Role.objects.all()}
    aliases = set(structure.fresh(table.pk).by_alias)
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict) or row.get("role") not in roles:
            continue
        if not row.get("own"):
            for right in TableRight.objects.filter(table_id=table.pk, role_id=row["role"]):
                right.delete()
            continue
        wanted: dict[str, Any] = {f"can_{verb}": bool(row.get(verb)) for verb in ("view", "add", "edit", "delete")}
        wanted["hidden"] = sorted(alias for alias in row.get("hidden") or [] if alias in aliases)
        right = TableRight.objects.filter(table_id=table.pk, role_id=row["role"]).first() or TableRight(
            table_id=table.pk, role_id=row["role"]
        )
        if right.pk is None or any(getattr(right, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(right, name, value)
            right.save()


def described(table: Table | None) -> dict[str, Any]:
    """The design of a stored model, for its page; of none, the beginning of a new one."""
    if table is None:
        return {
            "name": "",
            "alias": "",
            "description": "",
            "icon": "table_rows",
            "bot": None,
            "title_field": "",
            "fields": [],
            "version": None,
        }
    names = (*TEXTS, *FLAGS, "options", "default")
    fields = [{"id": one.pk, **{name: getattr(one, name) for name in names}, "index": _index(one)} for one in table.fields]
    head = {name: getattr(table, name) for name in ("name", "alias", "description", "icon", "title_field", "version")}
    return {**head, "bot": table.bot_id, "fields": fields}


def _index(one: Field) -> str:
    if one.index_state == Field.Index.FAILED:
        return _("index failed: %(why)s") % {"why": one.index_error}
    return str(one.get_index_state_display()) if one.index_state in (Field.Index.WANTED, Field.Index.BUILDING) else ""


def rights_of(table: Table | None) -> list[dict[str, Any]]:
    """For each role what it may do: its own right in the model, or the module's."""
    own = {right.role_id: right for right in TableRight.objects.filter(table_id=table.pk)} if table else {}
    return [_right(role, own.get(role.pk)) for role in Role.objects.order_by("name")]


def _right(role: Role, own: TableRight | None) -> dict[str, Any]:
    verbs = role.permissions.get("customdata", [])
    if own is None:
        granted = {"view": bool(verbs), "add": "edit" in verbs, "edit": "edit" in verbs, "delete": "delete" in verbs}
    else:
        granted = {verb: getattr(own, f"can_{verb}") for verb in ("view", "add", "edit", "delete")}
    return {"role": role.pk, "name": role.name, "own": own is not None, **granted, "hidden": list(own.hidden) if own else []}


def kinds_for_page() -> list[dict[str, Any]]:
    """What the page must know of each kind to offer it."""
    return [
        {
            "kind": code, "label": str(kind.label), "icon": kind.icon, "unique": kind.unique, "index": bool(kind.index), "personal": kind.personal,
            "search": kind.searchable, "refers": kind.refers, "options": _options(kind.Options),
        }
        for code, kind in sorted(kinds.items(), key=lambda pair: (COMMON.index(pair[0]) if pair[0] in COMMON else len(COMMON), pair[0]))
    ]  # fmt: skip


def _options(model: Any) -> list[dict[str, Any]]:
    found = []
    for name, one in model.model_fields.items():
        extra = one.json_schema_extra or {}
        role = extra.get("x-role") or ("select" if "x-choices" in extra else "number")
        default = None if one.is_required() else one.default
        choices = [[value, _(text)] for value, text in extra.get("x-choices", [])]
        found.append({"name": name, "title": _(one.title or name), "role": role, "default": default, "choices": choices})
    return found
