"""Validation errors of pydantic in words that tell an author what to do."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from apps.scenarios.engine.wording import _, gettext_noop

# By pydantic's error types; the rest keep pydantic's own words.
REASONS: dict[str, str] = {
    "missing": gettext_noop("Fill it in; it is required."),
    "extra_forbidden": gettext_noop("There is no such field here. Remove it or correct its name."),
    "literal_error": gettext_noop("Choose one of: %(expected)s."),
    "string_type": gettext_noop("Write a text in quotes."),
    "bool_type": gettext_noop("Write true or false."),
    "bool_parsing": gettext_noop("Write true or false."),
    "int_type": gettext_noop("Write a whole number."),
    "int_parsing": gettext_noop("Write a whole number."),
    "int_from_float": gettext_noop("Write a whole number."),
    "float_type": gettext_noop("Write a number."),
    "float_parsing": gettext_noop("Write a number."),
    "dict_type": gettext_noop("Write an object in braces {…}."),
    "model_type": gettext_noop("Write an object in braces {…}."),
    "model_attributes_type": gettext_noop("Write an object in braces {…}."),
    "list_type": gettext_noop("Write a list in brackets […]."),
    "tuple_type": gettext_noop("Write a list in brackets […]."),
    "string_pattern_mismatch": gettext_noop("It may hold letters, digits and underscores only (aliases also “/” and “-”)."),
    "string_too_long": gettext_noop("Shorten it to %(max_length)s characters."),
    "string_too_short": gettext_noop("Fill it in; it may not be empty."),
    "too_short": gettext_noop("Give at least %(min_length)s."),
    "too_long": gettext_noop("Give at most %(max_length)s."),
    "greater_than": gettext_noop("Give a number above %(gt)s."),
    "greater_than_equal": gettext_noop("Give a number of at least %(ge)s."),
    "less_than": gettext_noop("Give a number below %(lt)s."),
    "less_than_equal": gettext_noop("Give a number of at most %(le)s."),
    "union_tag_invalid": gettext_noop("Choose one of: %(expected_tags)s."),
    "union_tag_not_found": gettext_noop("Give its “kind”."),
    "finite_number": gettext_noop("Write a finite number."),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid", "timezone_aware"),
        gettext_noop("Write a moment with its zone, such as 2026-05-20T12:00:00Z."),
    ),
}
UNION_MARK = re.compile(r"(?:[a-z-]+\[|function-|constrained-)")
KINDS_IN = (("triggers",), ("inputs",))  # lists whose items say their kind


def explain(error: ValidationError, *, only: ErrorDetails | None = None) -> Iterator[tuple[str, str]]:
    """Pairs of path and advice, one per path (a union tells of each of its members)."""
    seen: set[str] = set()
    for details in [only] if only is not None else error.errors(include_url=False):
        path = path_of(details["loc"])
        if path not in seen:
            seen.add(path)
            yield path, _reason(details)


def _reason(details: ErrorDetails) -> str:
    reason = REASONS.get(details["type"])
    if reason is not None:
        return _(reason) % dict(details.get("ctx") or {})
    message = details["msg"].removeprefix("Value error, ")
    return f"{_(message)}." if not message.endswith(".") else _(message)


def path_of(location: tuple[Any, ...]) -> str:
    """("buttons", 0, "label", "str") → "buttons.0.label": pydantic's marks of a union's members are no part of the path."""
    return ".".join(str(part) for place, part in enumerate(location) if not _is_mark(location, place))


def _is_mark(location: tuple[Any, ...], place: int) -> bool:
    """Whether this part names a member of a union: of a text, or the kind of a trigger or of an input."""
    part, before = location[place], location[:place]
    if not isinstance(part, str):
        return False
    is_kind = before[-1:] == ("input",) or (before[-2:-1] in KINDS_IN and isinstance(before[-1], int))
    return is_kind or part == "str" or UNION_MARK.match(part) is not None
