"""JSON for statements of the hot paths: what `json` makes, in a third of its time."""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json


def dumps(value: Any) -> str:
    """For PostgreSQL to read: moments, UUIDs and decimals are text as it takes them, whatever else JSON does not know is its `str`."""
    try:
        return to_json(value, fallback=str).decode()
    except PydanticSerializationError:  # nested too deep for it, or half a surrogate pair, with which PostgreSQL finds fault itself
        return json.dumps(value, default=str, ensure_ascii=False)


def loads(text: str) -> Any:
    """What PostgreSQL gave as the text of a `jsonb`. Integers of any size stay what they are."""
    try:
        return from_json(text)
    except ValueError:  # nested deeper than the quick reader goes
        return json.loads(text)
