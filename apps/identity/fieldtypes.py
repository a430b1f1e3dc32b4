"""How a value of a declared client field is read: tolerant of how people and systems write it, one form when stored."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.identity.models import ClientField

MAX_TEXT = 2000
MAX_NUMBER = 1e15  # beyond it a JSON number loses digits
_YES = frozenset({"true", "yes", "y", "1", "on", "да", "так", "иә", "ha"})
_NO = frozenset({"false", "no", "n", "0", "off", "нет", "ні", "жоқ", "yoq"})
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")


def clean(field: ClientField, value: Any) -> Any:
    """The value in the form in which it is stored (JSON); raises ValueError with a text for people."""
    return _READERS[ClientField.Type(field.type)](field, value)


def _text(_field: ClientField, value: Any) -> str:
    if isinstance(value, dict | list):
        raise ValueError(_("A text is expected."))  # noqa: TRY004  a wrong value of a person, not of a programmer
    text = str(value)
    if len(text) > MAX_TEXT:
        raise ValueError(_("The text is longer than %(limit)s characters.") % {"limit": MAX_TEXT})
    return text


def _number(_field: ClientField, value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number: int | float = value
    else:
        number = _read_number(_SPACES.sub("", str(value)).replace(",", "."))
    if not math.isfinite(number) or abs(number) >= MAX_NUMBER:
        raise ValueError(_("The number is too large."))
    return number


def _read_number(text: str) -> int | float:
    try:
        return float(text) if "." in text or "e" in text.lower() else int(text)
    except ValueError as error:
        raise ValueError(_("A number is expected, for example 1250 or 12.5.")) from error


def _boolean(_field: ClientField, value: Any) -> bool:
    word = str(value).strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError(_("Yes or no is expected."))


def _date(_field: ClientField, value: Any) -> str:
    text = str(value).strip()
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first:
            return date(int(day_first[3]), int(day_first[2]), int(day_first[1])).isoformat()
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError as error:
        raise ValueError(_("A date is expected, for example 2026-11-21.")) from error


def _choice(field: ClientField, value: Any) -> Any:
    for choice in field.choices:
        if choice == value or str(choice).casefold() == str(value).strip().casefold():
            return choice
    raise ValueError(_("One of these is expected: %(choices)s.") % {"choices": ", ".join(map(str, field.choices))})


_READERS: dict[ClientField.Type, Callable[[ClientField, Any], Any]] = {
    ClientField.Type.TEXT: _text,
    ClientField.Type.NUMBER: _number,
    ClientField.Type.BOOLEAN: _boolean,
    ClientField.Type.DATE: _date,
    ClientField.Type.CHOICE: _choice,
}
