"""Reading of parsed JSON in which anything may be missing or of another type: each function answers an empty value instead of failing."""

import math
from typing import Any

from apps.scenarios.engine.contract import Json

LONGEST_TEXT = 10_000


def obj(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def objects(value: Any) -> list[Json]:
    """The members that are objects."""
    return [item for item in rows(value) if isinstance(item, dict)]


def text(value: Any) -> str:
    """A text; numbers are written, everything else is no text. What cannot be stored is dropped: NUL, halves of a character."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT].replace("\x00", "").encode(errors="ignore").decode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def number(value: Any) -> float | None:
    """A finite number, also one that is written as a text."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def at(value: Any, *path: str) -> Any:
    """The member at a path of objects; None when there is none."""
    for key in path:
        value = obj(value).get(key)
    return value
