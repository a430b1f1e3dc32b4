"""Pages by key over any sortable field: page one and page ten thousand cost the same, and no row is seen twice or missed."""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, F, Q, QuerySet
from django.db.models.expressions import Func, Value
from django.utils.translation import gettext as _

from apps.customdata.building import RecordBase
from apps.customdata.columns import FOLD
from apps.customdata.filtering import FilterError, Target, target
from apps.customdata.models import Table

MOST = 1000


class CursorError(ValueError):
    """The cursor was not given out for this order, or was changed."""


@dataclass(frozen=True)
class Page:
    """`next` and `previous` are cursors, "" at the ends."""

    records: list[RecordBase]
    next: str = ""
    previous: str = ""


class _Beyond(Func):
    """`(value, id) > (…, …)` as one comparison, so that an index over both begins where the page begins."""

    output_field = BooleanField()
    arity = 4

    def __init__(self, *expressions: Any, sign: str = ">", **extra: Any) -> None:
        super().__init__(*expressions, **extra)
        self.sign = sign

    def as_sql(self, compiler: Any, connection: Any, **_extra: Any) -> Any:  # type: ignore[override]  # noqa: ARG002  Django's signature
        parts = [compiler.compile(expression) for expression in self.source_expressions]
        (value, pk, than_value, than_pk), params = zip(*parts, strict=True)
        return f"({value}, {pk}) {self.sign} ({than_value}, {than_pk})", [item for group in params for item in group]


@dataclass(frozen=True)
class _Order:
    name: str
    found: Target
    descending: bool

    @property
    def by_id(self) -> bool:
        return self.found.attribute == "id"

    def value(self) -> Any:
        column = F(self.found.attribute)
        return Func(column, function=FOLD) if self.found.folds else column

    def bound(self, value: Any, model: type[RecordBase]) -> Any:
        found = Value(value, output_field=model._meta.get_field(self.found.attribute))  # type: ignore[arg-type]
        return Func(found, function=FOLD) if self.found.folds else found


def order_of(table: Table, name: str, *, without: Iterable[str] = ()) -> _Order:
    """`alias` or `-alias`; raises `FilterError` for what cannot be sorted by."""
    found = target(table, name.removeprefix("-"), without=without)
    if found.personal or not found.kind.sortable:
        raise FilterError(name.removeprefix("-"), _("It cannot be sorted by this field."))
    return _Order(name, found, name.startswith("-"))


def page(
    rows: QuerySet[RecordBase],
    table: Table,
    *,
    order: str = "-id",
    after: str = "",
    before: str = "",
    limit: int = 50,
    without: Iterable[str] = (),
) -> Page:
    """At most `limit` of `rows` in this order beyond the cursor. Raises `FilterError`, `CursorError`."""
    asked, limit = order_of(table, order, without=without), max(1, min(limit, MOST))
    edge = _read(asked, after or before) if after or before else None
    backward = bool(before)
    found = _walk(rows, asked, edge, backward=backward, count=limit + 1)
    more, shown = len(found) > limit, found[:limit][:: -1 if backward else 1]
    if not shown:
        return Page([])
    forth, back = (bool(edge), more) if backward else (more, bool(edge))
    return Page(shown, _cursor(asked, shown[-1]) if forth else "", _cursor(asked, shown[0]) if back else "")


def _walk(rows: QuerySet[RecordBase], asked: _Order, edge: tuple[Any, int] | None, *, backward: bool, count: int) -> list[RecordBase]:
    """Records with a value and records without one are two stretches: empty ones come last, or first in the descending order."""
    descending = asked.descending != backward
    sign = "<" if descending else ">"
    if asked.by_id:
        near = rows.filter(**{f"pk__{'lt' if descending else 'gt'}": edge[1]}) if edge else rows
        return list(near.order_by("-pk" if descending else "pk")[:count])
    filled, hollow = _stretches(rows, asked, edge, sign)
    by_value = asked.value().desc() if descending else asked.value().asc()
    by_pk = "-pk" if descending else "pk"
    steps = [filled.order_by(by_value, by_pk) if filled is not None else None, hollow.order_by(by_pk) if hollow is not None else None]
    found: list[RecordBase] = []
    for step in reversed(steps) if descending else steps:
        if step is not None and len(found) < count:
            found += step[: count - len(found)]
    return found


def _stretches(rows: QuerySet[RecordBase], asked: _Order, edge: tuple[Any, int] | None, sign: str) -> tuple[Any, Any]:
    empty = Q((f"{asked.found.attribute}__isnull", True))
    filled, hollow = rows.exclude(empty), rows.filter(empty)
    if edge is None:
        return filled, hollow
    value, pk = edge
    if value is None:
        hollow = hollow.filter(**{f"pk__{'gt' if sign == '>' else 'lt'}": pk})
        return (None, hollow) if sign == ">" else (filled, hollow)
    beyond = filled.filter(_Beyond(asked.value(), F("pk"), asked.bound(value, rows.model), Value(pk), sign=sign))
    return (beyond, hollow) if sign == ">" else (beyond, None)


def _cursor(asked: _Order, record: RecordBase) -> str:
    value = getattr(record, asked.found.attribute)
    told = [asked.name, None if asked.by_id else asked.found.kind.dump(asked.found.declared, value), record.pk]
    return base64.urlsafe_b64encode(json.dumps(told, ensure_ascii=False).encode()).decode().rstrip("=")


def _read(asked: _Order, cursor: str) -> tuple[Any, int]:
    try:
        name, dumped, pk = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        if name != asked.name or not isinstance(pk, int) or isinstance(pk, bool) or not 0 < pk < 2**63:
            raise ValueError(name)  # noqa: TRY301
        return (None if dumped is None else _as_value(asked, dumped)), pk
    except (ValueError, TypeError, UnicodeError, RecursionError, binascii.Error) as error:
        raise CursorError(_("The cursor does not belong to this list. Begin at the first page.")) from error


def _as_value(asked: _Order, dumped: Any) -> Any:
    """Read as its column's type; the field's limits may have changed since the value was stored."""
    if asked.found.kind.column == "text":
        if not isinstance(dumped, str) or "\x00" in dumped:
            raise ValueError(dumped)
        return dumped
    plain = type("Plain", (), {"options": {"decimals": 10}, "alias": "", "name": "", "required": False, "help_text": ""})()
    return asked.found.kind.clean(plain, dumped)
