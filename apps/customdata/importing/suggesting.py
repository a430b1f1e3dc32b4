"""Which kind of field a column of a file looks like, and which field of a model it belongs to. People confirm or change it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.customdata.importing.sniffing import Form

MOST_CHOICES = 12
LEAST_ROWS_OF_CHOICES = 20
LONG = 200
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[ \u00a0\u202f]?\d{3})*(?:[.,]\d{1,10})?")
_CODE = re.compile(r"0\d+|\d{16,}|\+\d+")  # leading zeros and long numbers are names, not amounts
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}")
_CLOCK = re.compile(r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})[T ]+\d{1,2}:\d{2}.*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+?\d[\d ()-]{8,18}\d")
_BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"да", "нет"}, {"истина", "ложь"}, {"так", "ні"})


@dataclass(frozen=True)
class Suggestion:
    """A kind of field and its options."""

    kind: str
    options: dict[str, Any] = field(default_factory=dict)


def kind_of(cells: Sequence[str], form: Form) -> Suggestion:
    """What all the cells that are not empty agree on; text when they do not."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled:
        return Suggestion("text")
    for kind, fits in _TESTS:
        if all(fits(cell) for cell in filled):
            return Suggestion(kind, {"decimals": _decimals(filled, form)} if kind == "number" else {})
    if {cell.lower() for cell in filled} in _BOOLEANS:
        return Suggestion("boolean")
    values = list({cell.casefold(): cell for cell in filled}.values())
    if len(filled) >= LEAST_ROWS_OF_CHOICES and len(values) <= MOST_CHOICES and max(map(len, values)) <= LONG // 4:
        return Suggestion("choice", {"choices": [{"value": value} for value in sorted(values)]})
    return Suggestion("long_text" if any(len(cell) > LONG or "\n" in cell for cell in filled) else "text")


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell)) and not _CODE.fullmatch(cell)


def _is_phone(cell: str) -> bool:
    digits = sum(character.isdigit() for character in cell)
    return bool(_PHONE.fullmatch(cell)) and (cell.startswith("+") or not cell.isdigit()) and 10 <= digits <= 15  # noqa: PLR2004  E.164


_TESTS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("datetime", _CLOCK.fullmatch),
    ("date", _DATE.fullmatch),
    ("phone", _is_phone),
    ("number", _is_number),
    ("email", _EMAIL.fullmatch),
)


def _decimals(cells: Sequence[str], form: Form) -> int:
    return max(len(cell.rpartition(form.decimal)[2]) if form.decimal in cell else 0 for cell in cells)


def same_name(one: str, other: str) -> bool:
    """Whether a column and a field are called alike, whatever the case, spaces and signs."""
    return _bare(one) == _bare(other) != ""


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
