"""Functions of other systems that need more than one filter of ours. Each gets the first argument in Liquid and the others as trees."""

import re
from collections.abc import Callable, Mapping, Sequence

from apps.scenarios.foreign.formulas import FormulaError, Literal, Operation, Tree

ALL = 9_999  # words or letters: more than any text has
UNITS = {"d": "days", "w": "weeks", "h": "hours", "m": "minutes", "s": "seconds"}
# Longest first; the letters of RapidPro's and spreadsheets' patterns.
PATTERN = re.compile(r"Y{4}|Y{2}|M{4}|MMM|MM|M|DD|D|EEEE|EEE|tt|t|hh|h|mm|m|ss|s|aa|AA", re.ASCII)
PARTS = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "DD": "%d", "D": "%e", "EEEE": "%A", "EEE": "%a",
    "tt": "%H", "t": "%H", "hh": "%I", "h": "%I", "mm": "%M", "m": "%M", "ss": "%S", "s": "%S", "aa": "%p", "AA": "%p",
}  # fmt: skip
Writer = Callable[[str, Sequence[Tree]], str]


def whole(tree: Tree) -> int:
    """A whole number that is written there. Raises `FormulaError` when it is calculated."""
    match tree:
        case Literal(value=float() as value) if value.is_integer():
            return int(value)
        case Operation(sign="-", left=Literal(value=0.0), right=Literal(value=float() as value)) if value.is_integer():
            return -int(value)
    raise FormulaError("a number that is only calculated later")


def _plain(trees: Sequence[Tree], place: int, otherwise: str) -> str:
    """A text that is written there."""
    if len(trees) <= place:
        return otherwise
    tree = trees[place]
    if isinstance(tree, Literal) and isinstance(tree.value, str) and '"' not in tree.value:
        return tree.value
    raise FormulaError("a text that is only calculated later")


def _needs(trees: Sequence[Tree], least: int) -> None:
    if len(trees) < least:
        raise FormulaError("an argument is missing")


def _word(text: str, rest: Sequence[Tree]) -> str:
    _needs(rest, 1)
    return _nth(text, whole(rest[0]), _plain(rest, 1, " "))


def _field(text: str, rest: Sequence[Tree]) -> str:
    _needs(rest, 1)
    return _nth(text, whole(rest[0]), _plain(rest, 1, " ") or " ")


def _nth(text: str, place: int, between: str) -> str:
    return f'{text} | split: "{between}" | slice: {place}, 1 | first'


def _words(text: str, rest: Sequence[Tree]) -> str:
    """`word_slice(text, 1, 3)`: from the second word to before the fourth; -1 or nothing: to the end."""
    _needs(rest, 1)
    return f'{text} | split: " " | slice: {_from_to(rest)} | join: " "'


def _letters(text: str, rest: Sequence[Tree]) -> str:
    _needs(rest, 1)
    return f"{text} | slice: {_from_to(rest)}"


def _from_to(rest: Sequence[Tree]) -> str:
    start, end = whole(rest[0]), whole(rest[1]) if len(rest) > 1 else -1
    if start < 0 or end < -1:
        raise FormulaError("a part that is counted from the end")
    return f"{start}, {ALL if end == -1 else max(end - start, 0)}"


def _left(text: str, rest: Sequence[Tree]) -> str:
    _needs(rest, 1)
    return f"{text} | slice: 0, {whole(rest[0])}"


def _right(text: str, rest: Sequence[Tree]) -> str:
    _needs(rest, 1)
    return f"{text} | slice: -{whole(rest[0])}, {whole(rest[0])}"


def _moved(moment: str, rest: Sequence[Tree]) -> str:
    _needs(rest, 2)
    unit = UNITS.get(_plain(rest, 1, "").lower() if _plain(rest, 1, "") != "M" else "")
    if unit is None:
        raise FormulaError("months and years cannot be added to a date here")
    return f'{moment} | shift: "{whole(rest[0])} {unit}"'


def _dated(otherwise: str) -> Writer:
    def write(moment: str, rest: Sequence[Tree]) -> str:
        pattern = PATTERN.sub(lambda match: PARTS[match[0]], _plain(rest, 0, otherwise).replace("%", "%%"))
        return f'{moment} | date: "{pattern}"'

    return write


WRITERS: Mapping[str, Writer] = {
    "word": _word,
    "field": _field,
    "word_slice": _words,
    "text_slice": _letters,
    "left": _left,
    "right": _right,
    "datetime_add": _moved,
    "format_date": _dated("DD-MM-YYYY"),
    "format_datetime": _dated("DD-MM-YYYY tt:mm"),
    "format_time": _dated("tt:mm"),
    "first_word": lambda text, _rest: f'{text} | split: " " | first',
    "word_count": lambda text, _rest: f'{text} | split: " " | size',
    "remove_first_word": lambda text, _rest: f'{text} | split: " " | slice: 1, {ALL} | join: " "',
    "format_location": lambda text, _rest: f'{text} | split: " > " | last',
}
