"""Rows, groups, operators and the free expression."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from apps.scenarios.engine import described
from apps.scenarios.engine.conditions import OPERATORS, Condition
from apps.scenarios.engine.contract import Facts
from apps.scenarios.engine.names import Names
from apps.scenarios.engine.placeholders import TemplateError

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
VARIABLES = {
    "amount": 3500,
    "text": "  Hello World ",
    "list": ["red", "Green", 5],
    "empty": " ",
    "zero": 0,
    "flag": True,
    "code": "007",
    "typed": "3 500,00",
    "day": "31.05.2026",
    "phone": "90 123 45 67",
    "mail": "anna@example.com",
    "order": {"status": "paid", "none": None},
    "evil": "{{ amount }}",
}


def holds(condition: Any, **variables: Any) -> bool:
    names = Names({**VARIABLES, **variables}, Facts(region="UZ", timezone="UTC"), now=NOW, language="en")
    return Condition.model_validate(condition).holds(names)


@pytest.mark.parametrize(
    ("variable", "operator", "value", "expected"),
    [
        ("amount", "equals", 3500, True),
        ("amount", "equals", "3 500,00", True),
        ("typed", "equals", 3500, True),
        ("text", "equals", "hello world", True),
        ("code", "equals", "7", False),
        ("code", "equals", 7, True),
        ("code", "equals", "007", True),
        ("flag", "equals", "true", True),
        ("flag", "equals", "yes", True),
        ("flag", "equals", "no", False),
        ("list", "equals", ["red", "Green", 5], True),
        ("missing", "equals", "", True),
        ("order.status", "equals", "PAID", True),
        ("order.status", "equals", "{{ 'pa' | append: 'id' }}", True),
        ("amount", "not_equals", 1, True),
        ("text", "contains", "WORLD", True),
        ("text", "contains", "", False),
        ("list", "contains", "green", True),
        ("list", "contains", "5", True),
        ("order", "contains", "status", True),
        ("text", "not_contains", "moon", True),
        ("text", "starts", "hello", True),
        ("text", "ends", "world", True),
        ("amount", "gt", "3,499.5", True),
        ("amount", "gt", 3500, False),
        ("amount", "gte", 3500, True),
        ("amount", "lt", "{{ amount | plus: 1 }}", True),
        ("amount", "lte", 3499, False),
        ("text", "gt", 5, False),
        ("missing", "lt", 5, False),
        ("day", "gt", "today", True),
        ("day", "lt", "1 июня", True),
        ("day", "lt", "2026-05-31T00:00:01Z", True),
        ("amount", "between", [3000, 4000], True),
        ("amount", "between", "3000; 4000", True),
        ("amount", "between", "3000", False),
        ("day", "between", ["01.05.2026", "30.06.2026"], True),
        ("text", "in", "bye, hello world", True),
        ("amount", "in", [1, "3500"], True),
        ("list", "in", "blue, RED", True),
        ("text", "not_in", "a\nb", True),
        ("zero", "is_set", None, True),
        ("empty", "is_set", None, False),
        ("missing", "is_empty", None, True),
        ("order.none", "is_empty", None, True),
        ("list", "is_empty", None, False),
        ("text", "matches", "^\\s*hello\\s+\\w+", True),
        ("code", "matches", "^\\d{2}$", False),
        ("flag", "is_yes", None, True),
        ("flag", "is_no", None, False),
        ("phone", "is_phone", None, True),
        ("mail", "is_email", None, True),
        ("typed", "is_number", None, True),
        ("day", "is_date", None, True),
        ("text", "is_date", None, False),
        ("evil", "equals", 3500, False),
        ("list | size", "equals", 3, True),
        ("{{ amount }}", "equals", 3500, True),
    ],
)  # fmt: skip
def test_rows(variable: str, operator: str, value: Any, *, expected: bool) -> None:
    assert holds({"variable": variable, "operator": operator, "value": value}) is expected


def test_groups_nest() -> None:
    yes, no = {"variable": "flag", "operator": "is_yes"}, {"variable": "flag", "operator": "is_no"}
    assert holds({"all": [yes, {"any": [no, yes]}]})
    assert not holds({"all": [yes, no]})
    assert not holds({"any": [no, no]})
    assert (holds({"all": []}), holds({"any": []})) == (True, False)


def test_a_free_expression_stands_among_rows() -> None:
    assert holds({"any": [{"expression": "amount > 4000"}, {"expression": "order.status == 'paid' and not missing"}]})
    with pytest.raises(TemplateError):
        holds({"expression": "text > 5"})


def test_patterns_run_in_linear_time_and_are_limited() -> None:
    assert holds({"variable": "text", "operator": "matches", "value": "(a+)+$"}, text="a" * 4_096 + "b" * 90_000)
    with pytest.raises(ValidationError, match="longer than 500"):
        Condition.model_validate({"variable": "text", "operator": "matches", "value": "a" * 501})
    with pytest.raises(ValidationError, match="not a regular expression"):
        Condition.model_validate({"variable": "text", "operator": "matches", "value": "(?<=a)b"})
    with pytest.raises(TemplateError):
        holds({"variable": "text", "operator": "matches", "value": "{{ pattern }}"}, pattern="((")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"variable": "a", "all": []},
        {"variable": "a", "operator": "is_bigger"},
        {"variable": "a", "operator": "between", "value": [1]},
        {"variable": "a", "surprise": 1},
        {"all": [{"any": [{}]}]},
    ],
)
def test_what_is_no_condition_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate(wrong)


def test_the_form_gets_every_operator_with_what_it_takes() -> None:
    shown = described.operators(translate=str.upper)
    assert [one["name"] for one in shown] == list(OPERATORS)
    assert shown[0] == {"name": "equals", "label": "EQUALS", "takes": "one"}
