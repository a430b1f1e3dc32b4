"""Request schemas: what fits, what is told, and that a schema cannot harm the installation."""

import time
from typing import Any

import pytest

from apps.gateway import fitting
from apps.gateway.answers import RefusedError

ORDER = {
    "type": "object",
    "required": ["userId", "order"],
    "properties": {
        "userId": {"type": ["integer", "string"]},
        "order": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "integer"}, "items": {"type": "array", "items": {"type": "string"}}},
        },
        "when": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": False,
}


def errors(params: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(RefusedError) as caught:
        fitting.check(params, schema)
    assert caught.value.code == "schema_mismatch"
    return caught.value.errors


def test_what_fits_passes_and_an_empty_schema_takes_everything() -> None:
    fitting.check({"userId": 1, "order": {"id": 5}, "when": "2026-01-01T10:00:00Z"}, ORDER)
    fitting.check({"anything": [1]}, {})


def test_every_field_that_does_not_fit_is_named() -> None:
    found = errors({"order": {"id": "5", "items": ["a", 7]}, "when": "soon", "extra": 1}, ORDER)
    assert sorted(item["field"] for item in found) == ["", "order.id", "order.items[1]", "userId", "when"]
    assert {"field": "userId", "message": "is required"} in found
    assert {"field": "order.id", "message": "'5' is not of type 'integer'"} in found


def test_many_errors_and_long_values_are_cut() -> None:
    found = errors({"list": ["x" * 5000] * 1000}, {"properties": {"list": {"items": {"type": "integer"}}}})
    assert len(found) == 20
    assert all(len(item["message"]) <= 200 for item in found)


def test_patterns_run_in_linear_time() -> None:
    schema = {"properties": {"code": {"type": "string", "pattern": "^(a+)+$"}}}
    began = time.monotonic()
    assert errors({"code": "a" * 4000 + "b"}, schema)[0]["field"] == "code"
    assert time.monotonic() - began < 1


def test_unique_items_of_mixed_kinds_are_checked_in_linear_time() -> None:
    items = [{"a": number} if number % 2 else number for number in range(20_000)]
    began = time.monotonic()
    fitting.check({"list": items}, {"properties": {"list": {"uniqueItems": True}}})
    assert errors({"list": [*items, {"a": 1}]}, {"properties": {"list": {"uniqueItems": True}}}) == [
        {"field": "list", "message": "has items that occur twice"},
    ]
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}},
        {"$ref": "#/$defs/none"},
        {"$ref": "#"},
        {"patternProperties": {"^(a+)+$": {}}},
        {"properties": {"a": {"pattern": "(?=x)"}}},
    ],
)
def test_a_schema_that_cannot_be_used_is_told_as_such(schema: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as caught:
        fitting.check({"a": "x"}, schema)
    assert caught.value.code == "endpoint_misconfigured"


def test_problems_for_the_form() -> None:
    assert fitting.problems(ORDER) == []
    assert fitting.problems({"$defs": {"id": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/id"}}}) == []
    assert fitting.problems([]) == ["The schema must be a JSON object."]
    assert fitting.problems({"type": "nonsense"})[0].startswith("type: 'nonsense'")
    assert fitting.problems({"patternProperties": {"x": {}}}) == ["“patternProperties” is not supported."]
    assert fitting.problems({"properties": {"patternProperties": {"type": "string"}}}) == []
    assert fitting.problems({"properties": {"a": {"$ref": "https://example.com/x"}}}) == [
        "The reference “https://example.com/x” leads nowhere. Use #/$defs/…."
    ]
    assert fitting.problems({"properties": {"a": {"pattern": "(?=x)"}}})[0].startswith("The pattern “(?=x)” cannot be used:")
    assert fitting.problems({"properties": {"a": {"pattern": "x" * 501}}})[0].endswith("longer than 500 characters.")
