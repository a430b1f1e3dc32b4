"""Whether parameters fit an endpoint's JSON Schema (2020-12), safely for schemas that a person wrote in the admin.

Patterns run on re2, references lead nowhere outside the schema, and the two keywords whose patterns the library would run on Python's own
engine (`patternProperties`, `unevaluatedProperties`) are refused when the schema is saved.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any

import re2
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker, SchemaError, ValidationError, validators
from referencing import Registry
from referencing.exceptions import Unresolvable

from apps.gateway.answers import Json, RefusedError

MAX_ERRORS = 20
MAX_MESSAGE = 200
MAX_PATTERN = 500
MAX_MATCHED = 4096
UNSUPPORTED = frozenset({"patternProperties", "unevaluatedProperties", "$dynamicRef"})
_MAPS = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
_PLAIN = frozenset({"const", "enum", "default", "examples", "example", "required", "dependentRequired"})


def check(params: Json, schema: Json) -> None:
    """Raises `RefusedError` that lists the fields which do not fit; an empty schema takes everything."""
    if not schema:
        return
    try:
        validator = _validator(json.dumps(schema, sort_keys=True))
        errors = list(islice(validator.iter_errors(params), MAX_ERRORS))
    except (SchemaError, Unresolvable, RecursionError, re2.error) as error:
        raise RefusedError("endpoint_misconfigured") from error
    if errors:
        told = [{"field": field_of(error), "message": error.message[:MAX_MESSAGE]} for error in errors]
        raise RefusedError("schema_mismatch", errors=sorted(told, key=itemgetter("field")))


def problems(schema: Any) -> list[str]:
    """What is wrong with a schema that someone wants to save; for the admin's form."""
    if not isinstance(schema, dict):
        return [_("The schema must be a JSON object.")]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return [f"{_place(error.absolute_path) or '$'}: {error.message[:MAX_MESSAGE]}"]
    return [*_unsupported(schema), *_bad_patterns(schema), *_bad_references(schema)]


def field_of(error: ValidationError) -> str:
    """`order.items[0].id`; "" for the parameters as a whole."""
    return _place(error.absolute_path)


def _place(path: Any) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


@lru_cache(maxsize=512)
def _validator(schema_text: str) -> Any:
    """One compiled validator for each wording of a schema."""
    schema = json.loads(schema_text)
    _Validator.check_schema(schema)
    if _unsupported(schema):
        raise SchemaError("unsupported keyword")
    return _Validator(schema, registry=Registry(), format_checker=_formats)


def _unsupported(schema: Any) -> list[str]:
    found = sorted({key for part in _parts(schema) for key in UNSUPPORTED & part.keys()})
    return [_("“%(name)s” is not supported.") % {"name": name} for name in found]


def _bad_patterns(schema: Any) -> list[str]:
    return [
        _("The pattern “%(pattern)s” cannot be used: %(reason)s.") % {"pattern": pattern[:80], "reason": reason}
        for part in _parts(schema)
        if isinstance(pattern := part.get("pattern"), str) and (reason := _pattern_problem(pattern))
    ]


def _bad_references(schema: Any) -> list[str]:
    """References must stay inside the schema: `#/$defs/…`."""
    wrong = sorted({ref for part in _parts(schema) if isinstance(ref := part.get("$ref"), str) and not _resolves(schema, ref)})
    return [_("The reference “%(ref)s” leads nowhere. Use #/$defs/….") % {"ref": ref[:80]} for ref in wrong]


def _resolves(schema: Any, ref: str) -> bool:
    if ref == "#":
        return True
    if not ref.startswith("#/"):
        return False
    place = schema
    for part in ref[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(place, dict) or key not in place:
            return False
        place = place[key]
    return isinstance(place, dict | bool)


def _pattern_problem(pattern: str) -> str:
    if len(pattern) > MAX_PATTERN:
        return _("longer than %(limit)s characters") % {"limit": MAX_PATTERN}
    try:
        _compiled(pattern)
    except re2.error as error:
        return str(error)
    return ""


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every subschema that is an object, the schema itself included."""
    if isinstance(schema, list):
        for item in schema:
            yield from _parts(item)
    if not isinstance(schema, dict):
        return
    yield schema
    for key, value in schema.items():
        if key in _MAPS and isinstance(value, dict):
            for item in value.values():
                yield from _parts(item)
        elif key not in _PLAIN:
            yield from _parts(value)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and (len(instance) > MAX_MATCHED or not _compiled(pattern).search(instance)):
        yield ValidationError(f"{instance[:60]!r} does not match {pattern!r}")


def _required(validator: Any, names: list[str], instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """As the library's, but the error's place is the missing field itself."""
    if validator.is_type(instance, "object"):
        for name in names:
            if name not in instance:
                yield ValidationError("is required", path=[name])


def _unique_items(validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:  # noqa: FBT001  the library's call
    """In linear time; the library compares every pair of mixed items."""
    if wanted and validator.is_type(instance, "array") and len({json.dumps(item, sort_keys=True) for item in instance}) != len(instance):
        yield ValidationError("has items that occur twice")


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_formats = FormatChecker(formats=["date", "email", "ipv4", "ipv6", "uuid"])
_formats.checks("date-time")(_is_date_time)

_KEYWORDS: Mapping[str, Any] = {"pattern": _pattern, "required": _required, "uniqueItems": _unique_items}
_Validator = validators.extend(Draft202012Validator, _KEYWORDS)  # type: ignore[no-untyped-call]
