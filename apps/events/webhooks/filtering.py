"""Conditions of a subscription over the envelope of an event: tolerant of human input, never an error."""

from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.events.webhooks.models import SubscriptionFilter

Json = dict[str, Any]
Operator = SubscriptionFilter.Operator


def passes(conditions: Iterable[SubscriptionFilter], envelope: Json) -> bool:
    """Whether all of them hold."""
    return all(_OPERATORS[Operator(row.operator)](value_at(envelope, row.field), row.value.strip()) for row in conditions)


def value_at(envelope: Json, path: str) -> Any:
    """The value at a path such as `data.items.0.sku`; None when there is none."""
    current: Any = envelope
    for part in path.strip().split("."):
        if isinstance(current, dict):
            current = current.get(part)
        elif isinstance(current, list) and part.isdecimal() and len(part) < 7 and int(part) < len(current):  # noqa: PLR2004
            current = current[int(part)]
        else:
            return None
    return current


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip().casefold()


def _same(value: Any, wanted: str) -> bool:
    number, other = _number(value), _number(wanted)
    if number is not None and other is not None:
        return number == other
    return _text(value) == wanted.casefold()


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _compared(value: Any, wanted: str) -> int:
    """-1, 0, 1; numbers as numbers, else as text (dates in ISO form order themselves)."""
    number, other = _number(value), _number(wanted)
    if number is not None and other is not None:
        return (number > other) - (number < other)
    text, against = _text(value), wanted.casefold()
    return (text > against) - (text < against)


def _holds(value: Any, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_same(item, wanted) for item in value)
    return wanted.casefold() in _text(value)


_OPERATORS: dict[str, Callable[[Any, str], bool]] = {
    Operator.EQUALS: _same,
    Operator.NOT_EQUALS: lambda value, wanted: not _same(value, wanted),
    Operator.ONE_OF: lambda value, wanted: any(_same(value, item.strip()) for item in wanted.split(",")),
    Operator.CONTAINS: _holds,
    Operator.STARTS_WITH: lambda value, wanted: _text(value).startswith(wanted.casefold()),
    Operator.GREATER: lambda value, wanted: value is not None and _compared(value, wanted) > 0,
    Operator.LESS: lambda value, wanted: value is not None and _compared(value, wanted) < 0,
    Operator.PRESENT: lambda value, _wanted: value not in (None, "", [], {}),
    Operator.ABSENT: lambda value, _wanted: value in (None, "", [], {}),
}
