"""Typed filters: a field's alias, an operator that its kind knows, a value that the kind can read. A user's names and values never become names
of the ORM: what is not a known alias with a known operator is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.core.crypto import blind_index
from apps.customdata import reading
from apps.customdata.columns import folded
from apps.customdata.fieldtype import FieldKind, kinds
from apps.customdata.models import Table

OPERATORS: dict[str, str | Promise] = {
    "eq": _("is"),
    "ne": _("is not"),
    "in": _("is one of"),
    "gt": _("more than"),
    "gte": _("at least"),
    "lt": _("less than"),
    "lte": _("at most"),
    "contains": _("contains"),
    "starts": _("begins with"),
    "has": _("has"),
    "has_any": _("has any of"),
    "has_all": _("has all of"),
    "has_json": _("contains the JSON"),
    "empty": _("is empty"),
}
MOST_VALUES = 10_000
_ORDERED = ("eq", "ne", "in", "gt", "gte", "lt", "lte")


class FilterError(ValueError):
    """The filter cannot be asked; `field` is the alias as it was given, the text is for people."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True)
class Filter:
    """`field`: an alias, or id, created_at, updated_at. `value`: of the field's type or its text; a list for in, has_any, has_all; yes or no for
    empty.
    """

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class Target:
    """What an alias stands for: the attribute of the record class, the kind that reads values, and what may be asked."""

    attribute: str
    kind: FieldKind
    declared: Any
    operators: tuple[str, ...]
    personal: bool = False

    @property
    def folds(self) -> bool:
        return self.kind.index == "fold" or self.kind.searchable


@dataclass
class SystemField:
    """A column that every table has, for the kinds."""

    name: str
    alias: str
    options: dict[str, Any] = field(default_factory=dict)
    required: bool = True
    help_text: str = ""


_SYSTEM = {
    "id": Target("id", kinds["relation"], SystemField("id", "id"), _ORDERED),
    "created_at": Target("created_at", kinds["datetime"], SystemField("created", "created_at"), _ORDERED),
    "updated_at": Target("updated_at", kinds["datetime"], SystemField("changed", "updated_at"), _ORDERED),
}


def target(table: Table, alias: str, *, without: Iterable[str] = ()) -> Target:
    """What `alias` means; raises `FilterError` for what is unknown or in `without` (fields that the asker may not see)."""
    declared = table.by_alias.get(alias)
    if alias in _SYSTEM:
        return _SYSTEM[alias]
    if declared is None or alias in without:
        raise FilterError(alias, translated("There is no field “%(alias)s”.") % {"alias": alias[:60]})
    operators = ("eq", "in", "empty") if declared.personal else declared.type.operators
    return Target(declared.attribute, declared.type, declared, operators, declared.personal)


def condition(table: Table, asked: Filter, *, without: Iterable[str] = ()) -> Q:
    """For `filter()` of the record class; raises `FilterError`."""
    found = target(table, asked.field, without=without)
    if asked.op not in found.operators:
        allowed = ", ".join(found.operators)
        raise FilterError(
            asked.field, translated("“%(op)s” cannot be asked here. Use: %(ops)s.") % {"op": str(asked.op)[:20], "ops": allowed}
        )
    try:
        if found.personal and asked.op != "empty":
            return _sealed(found, asked)
        return _CONDITIONS[asked.op](found, asked.value)
    except ValueError as error:
        raise FilterError(asked.field, str(error)) from error


def conditions(table: Table, asked: Iterable[Filter], *, without: Iterable[str] = ()) -> Q:
    """All of them."""
    found = Q()
    for one in asked:
        found &= condition(table, one, without=without)
    return found


def digest(declared: Any, value: Any) -> str | None:
    """The blind index of a personal value; texts are compared without case and outer spaces."""
    if value is None:
        return None
    plain = declared.type.dump(declared, value)
    text = plain.strip().casefold() if isinstance(plain, str) else str(plain)
    return blind_index(text, purpose=f"record:{declared.pk}")


def _sealed(found: Target, asked: Filter) -> Q:
    values = _values(found, asked.value) if asked.op == "in" else [_one(found, asked.value)]
    return Q((f"{found.declared.digest_attribute}__in", [digest(found.declared, value) for value in values]))


def _one(found: Target, value: Any) -> Any:
    cleaned = found.kind.clean(found.declared, value)
    if cleaned is None:
        raise ValueError(translated("Give a value to compare with."))
    return cleaned


def _values(found: Target, value: Any) -> list[Any]:
    given = value if isinstance(value, list | tuple | set) else [value]
    if not given or len(given) > MOST_VALUES:
        raise ValueError(translated("Give between 1 and %(limit)s values.") % {"limit": MOST_VALUES})
    return [_one(found, item) for item in given]


def _eq(found: Target, value: Any) -> Q:
    return Q((f"{found.attribute}__folded" if found.folds else found.attribute, _one(found, value)))


def _ne(found: Target, value: Any) -> Q:
    """Records without a value are different too."""
    return ~_eq(found, value) | Q((f"{found.attribute}__isnull", True))


def _in(found: Target, value: Any) -> Q:
    values = _values(found, value)
    return Q((f"{found.attribute}__fold__in", [folded(item) for item in values])) if found.folds else Q((f"{found.attribute}__in", values))


def _compare(lookup: str) -> Callable[[Target, Any], Q]:
    return lambda found, value: Q((f"{found.attribute}__{lookup}", _one(found, value)))


def _part(lookup: str) -> Callable[[Target, Any], Q]:
    def ask(found: Target, value: Any) -> Q:
        text = reading.text(value).strip()
        if not text:
            raise ValueError(translated("Give a value to compare with."))
        return Q((f"{found.attribute}__{lookup}", text))

    return ask


def _has(lookup: str) -> Callable[[Target, Any], Q]:
    def ask(found: Target, value: Any) -> Q:
        chosen = found.kind.clean(found.declared, value if isinstance(value, list | tuple | set) else [value])
        if not chosen:
            raise ValueError(translated("Give a value to compare with."))
        return Q((f"{found.attribute}__{lookup}", chosen))

    return ask


def _empty(found: Target, value: Any) -> Q:
    return Q((f"{found.attribute}__isnull", True if reading.empty(value) else reading.yes_or_no(value)))


_CONDITIONS: dict[str, Callable[[Target, Any], Q]] = {
    "eq": _eq,
    "ne": _ne,
    "in": _in,
    **{name: _compare(name) for name in ("gt", "gte", "lt", "lte")},
    "contains": _part("folded_contains"),
    "starts": _part("folded_starts"),
    "has": _has("contains"),
    "has_any": _has("overlap"),
    "has_all": _has("contains"),
    "has_json": _compare("contains"),
    "empty": _empty,
}
