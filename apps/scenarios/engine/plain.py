"""Plain JSON values: how they are cleaned, walked by path, and written as text."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from liquid.undefined import Undefined
from pydantic_core import to_json

from apps.scenarios.engine.limits import JSON_DEPTH


class NotPlainError(ValueError):
    """The value cannot be stored as JSON (not finite, nested too deep)."""


def clean_text(text: str) -> str:
    """The text without what PostgreSQL's JSON and UTF-8 refuse: NUL and lone surrogates."""
    text = str.__str__(text)
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def plain(value: Any, *, depth: int = 0) -> Any:
    """A JSON value made of new containers only, so that no two variables share a list; missing names become ""."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return _finite(float(value))
    if isinstance(value, Undefined):
        return ""
    if depth >= JSON_DEPTH:
        raise NotPlainError("nested too deep")
    if isinstance(value, Mapping):
        return {clean_text(str(key)): plain(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | range | set | frozenset):
        return [plain(item, depth=depth + 1) for item in value]
    return clean_text(str(value))


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise NotPlainError("not a finite number")
    return number


def dig(value: Any, key: Any) -> Any:
    """One step of a path such as `order.items.0.price`, `items.size`, `items.last`; KeyError when there is nothing.

    Only mappings, lists and texts are entered: attributes of Python objects are out of reach by construction.
    """
    if isinstance(value, Mapping):
        return _dig_mapping(value, key)
    if isinstance(value, str):
        if key == "size":
            return len(value)
    elif isinstance(value, Sequence):
        return _dig_sequence(value, key)
    raise KeyError(key)


def _dig_mapping(value: Mapping[Any, Any], key: Any) -> Any:
    for candidate in (key, str(key)):
        try:
            return value[candidate]
        except (KeyError, TypeError):
            continue
    if key == "size":
        return len(value)
    if key == "first" and value:
        return list(next(iter(value.items())))
    raise KeyError(key)


def _dig_sequence(value: Sequence[Any], key: Any) -> Any:
    if key == "size":
        return len(value)
    if key in ("first", "last"):
        index = 0 if key == "first" else -1
    elif isinstance(key, int) or (isinstance(key, str) and key.lstrip("-").isdecimal() and len(key) < 10):  # noqa: PLR2004
        index = int(key)
    else:
        raise KeyError(key)
    try:
        return value[index]
    except IndexError:
        raise KeyError(key) from None


def shown(value: Any) -> str:
    """The value as a person reads it in a message: numbers without a needless ".0", lists with commas, objects as JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    if isinstance(value, list | tuple):
        return _shown_list(value)
    if isinstance(value, dict):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def _shown_list(value: Sequence[Any]) -> str:
    if any(isinstance(item, dict | list) for item in value):
        return json.dumps(plain(value), ensure_ascii=False)
    return ", ".join(shown(item) for item in value)


def size_of(value: Any) -> int:
    """Bytes of the value as JSON in UTF-8: what a variable costs in the database."""
    return len(to_json(value))


def strings_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with its path, such as ("items.0.name", "Anna"). Keys are not texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings_in(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from strings_in(item, f"{path}.{index}" if path else str(index))
