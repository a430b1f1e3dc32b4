"""Conditions as rows (variable, operator, value) in all/any groups, tolerant of what people type, plus one free expression.

{"all": [{"variable": "amount", "operator": "gt", "value": 100},
         {"any": [{"variable": "answer", "operator": "is_yes"}, {"expression": "status == 'paid'"}]}]}
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import re2
from pydantic import ConfigDict, Field, model_validator

from apps.scenarios.engine.limits import CUSTOMER_TEXT_CHARS, PATTERN_CHARS
from apps.scenarios.engine.names import Names
from apps.scenarios.engine.params import Expression, ParamsModel, Reference, Value
from apps.scenarios.engine.placeholders import TemplateError
from apps.scenarios.engine.plain import shown
from apps.scenarios.engine.reading import normal, read_email, read_moment, read_number, read_phone, read_yes
from apps.scenarios.engine.wording import _, gettext_noop

OperatorName = Literal[
    "equals", "not_equals", "contains", "not_contains", "starts", "ends", "gt", "lt", "gte", "lte", "between",
    "in", "not_in", "is_set", "is_empty", "matches", "is_yes", "is_no", "is_phone", "is_email", "is_number", "is_date",
]  # fmt: skip


class Condition(ParamsModel):
    """A row, a group of conditions, or an expression: exactly one of the three. An empty `all` holds, an empty `any` does not."""

    model_config = ConfigDict(json_schema_extra={"x-role": "condition"})

    all: tuple["Condition", ...] | None = Field(None, title=gettext_noop("All of"))
    any: tuple["Condition", ...] | None = Field(None, title=gettext_noop("Any of"))
    variable: Reference | None = Field(None, title=gettext_noop("Variable"))
    operator: OperatorName = Field("equals", title=gettext_noop("Operator"))
    value: Value = Field(Value(None), title=gettext_noop("Value"))
    expression: Expression | None = Field(None, title=gettext_noop("Expression"))

    @model_validator(mode="after")
    def _one_form(self) -> "Condition":
        if sum(part is not None for part in (self.all, self.any, self.variable, self.expression)) != 1:
            raise ValueError(gettext_noop("Give one of: all, any, variable with operator, expression"))
        literal = self.value.root
        if self.variable is not None and self.operator == "matches" and isinstance(literal, str):
            checked_pattern(literal if "{{" not in literal else "")
        if self.operator == "between" and isinstance(literal, list) and len(literal) != 2:  # noqa: PLR2004
            raise ValueError(gettext_noop("Give two values: from and to"))
        return self

    def holds(self, names: Names) -> bool:
        """Whether the condition is true of these names. Raises `TemplateError` when a placeholder or expression cannot be evaluated."""
        if self.all is not None:
            return all(condition.holds(names) for condition in self.all)
        if self.any is not None:
            return any(condition.holds(names) for condition in self.any)
        if self.expression is not None:
            return self.expression.compiled.test(names)
        return self.variable is not None and self._row_holds(self.variable, names)

    def _row_holds(self, variable: Reference, names: Names) -> bool:
        return OPERATORS[self.operator].test(variable.compiled.value(names), self.value.render(names), names)


@dataclass(frozen=True)
class Operator:
    """`takes`: how many values stand on the right: "none", "one", "two" (a range), "list"."""

    label: str
    takes: Literal["none", "one", "two", "list"]
    test: Callable[[Any, Any, Names], bool]


def is_empty(value: Any) -> bool:
    """Nothing, spaces only, or a list or object without members; zero and false are not empty."""
    return value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, list | dict) and not value)


def equal(left: Any, right: Any, names: Names) -> bool:
    """As people mean it: case and spaces do not matter, "3 500,50" is 3500.5, "true" is true; "007" as text is not "7"."""
    if isinstance(left, bool) or isinstance(right, bool):
        return read_yes(left) is not None and read_yes(left) == read_yes(right)
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return bool(left == right)
    if normal(shown(left)) == normal(shown(right)):
        return True
    if _is_code(left) or _is_code(right):
        return isinstance(left, int | float) != isinstance(right, int | float) and _numbers(left, right, names) == 0
    return _numbers(left, right, names) == 0


def _is_code(value: Any) -> bool:
    """A text of digits with a leading zero: a code, a postal index, not an amount."""
    return isinstance(value, str) and value.strip().startswith("0") and value.strip().isdecimal() and len(value.strip()) > 1


def _numbers(left: Any, right: Any, names: Names) -> float | None:
    """The difference of two numbers, or None when one of them is none."""
    first, second = read_number(left, language=names.language), read_number(right, language=names.language)
    return None if first is None or second is None else first - second


def _difference(left: Any, right: Any, names: Names) -> float | None:
    """The difference of two numbers, else of two moments; None when they cannot be compared."""
    found = _numbers(left, right, names)
    if found is not None:
        return found
    first, second = _moment(left, names), _moment(right, names)
    return None if first is None or second is None else (first - second).total_seconds()


def _moment(value: Any, names: Names) -> datetime | None:
    return read_moment(value, now=names.local_now) if isinstance(value, str) else None


def _compare(check: Callable[[float], bool]) -> Callable[[Any, Any, Names], bool]:
    def test(left: Any, right: Any, names: Names) -> bool:
        found = _difference(left, right, names)
        return found is not None and check(found)

    return test


def _listed(value: Any) -> list[Any]:
    """The list itself, or the parts of "red, green; blue"."""
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return [part.strip() for part in value.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
    return [] if value is None else [value]


def _between(left: Any, right: Any, names: Names) -> bool:
    bounds = _listed(right)
    if len(bounds) != 2:  # noqa: PLR2004
        return False
    low, high = _difference(left, bounds[0], names), _difference(left, bounds[1], names)
    return low is not None and high is not None and low >= 0 >= high


def _is_in(left: Any, right: Any, names: Names) -> bool:
    lefts = left if isinstance(left, list) else [left]
    return any(equal(one, other, names) for one in lefts for other in _listed(right))


def _contains(left: Any, right: Any, names: Names) -> bool:
    if isinstance(left, list):
        return any(equal(item, right, names) for item in left)
    if isinstance(left, dict):
        return shown(right) in left
    wanted = normal(shown(right))
    return bool(wanted) and wanted in normal(shown(left))


def _starts(left: Any, right: Any, _names: Names) -> bool:
    return normal(shown(left)).startswith(normal(shown(right)))


def _ends(left: Any, right: Any, _names: Names) -> bool:
    return normal(shown(left)).endswith(normal(shown(right)))


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """A user's regular expression on re2, which takes linear time. Raises `TemplateError`."""
    if len(pattern) > PATTERN_CHARS:
        raise TemplateError(_("The pattern is longer than %(limit)s characters. Shorten it.") % {"limit": PATTERN_CHARS})
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        raise TemplateError(_("The pattern is not a regular expression that we can run: %(reason)s.") % {"reason": reason}) from None


def checked_pattern(pattern: str) -> str:
    """The pattern, for validation of parameters. Raises `ValueError` when it cannot run."""
    try:
        compile_pattern(pattern)
    except TemplateError as error:
        raise ValueError(error.message) from None
    return pattern


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found in the text; write ^…$ for the whole text. Case does not matter."""
    return compile_pattern(pattern).search(text[:CUSTOMER_TEXT_CHARS]) is not None


def _not(test: Callable[[Any, Any, Names], bool]) -> Callable[[Any, Any, Names], bool]:
    return lambda left, right, names: not test(left, right, names)


OPERATORS: dict[str, Operator] = {
    "equals": Operator(gettext_noop("equals"), "one", equal),
    "not_equals": Operator(gettext_noop("does not equal"), "one", _not(equal)),
    "contains": Operator(gettext_noop("contains"), "one", _contains),
    "not_contains": Operator(gettext_noop("does not contain"), "one", _not(_contains)),
    "starts": Operator(gettext_noop("starts with"), "one", _starts),
    "ends": Operator(gettext_noop("ends with"), "one", _ends),
    "gt": Operator(gettext_noop("is more or later than"), "one", _compare(lambda found: found > 0)),
    "lt": Operator(gettext_noop("is less or earlier than"), "one", _compare(lambda found: found < 0)),
    "gte": Operator(gettext_noop("is at least"), "one", _compare(lambda found: found >= 0)),
    "lte": Operator(gettext_noop("is at most"), "one", _compare(lambda found: found <= 0)),
    "between": Operator(gettext_noop("is between"), "two", _between),
    "in": Operator(gettext_noop("is one of"), "list", _is_in),
    "not_in": Operator(gettext_noop("is none of"), "list", _not(_is_in)),
    "is_set": Operator(gettext_noop("has a value"), "none", lambda left, _right, _names: not is_empty(left)),
    "is_empty": Operator(gettext_noop("is empty"), "none", lambda left, _right, _names: is_empty(left)),
    "matches": Operator(gettext_noop("matches the pattern"), "one", lambda left, right, _names: matches(shown(left), shown(right))),
    "is_yes": Operator(gettext_noop("is a yes"), "none", lambda left, _right, _names: read_yes(left) is True),
    "is_no": Operator(gettext_noop("is a no"), "none", lambda left, _right, _names: read_yes(left) is False),
    "is_phone": Operator(
        gettext_noop("is a phone number"), "none", lambda left, _right, names: read_phone(left, region=names.facts.region) is not None
    ),
    "is_email": Operator(gettext_noop("is an e-mail address"), "none", lambda left, _right, _names: read_email(left) is not None),
    "is_number": Operator(
        gettext_noop("is a number"), "none", lambda left, _right, names: read_number(left, language=names.language) is not None
    ),
    "is_date": Operator(gettext_noop("is a date"), "none", lambda left, _right, names: _moment(left, names) is not None),
}


def rows_in(conditions: Iterable[Condition]) -> Iterable[Condition]:
    """Every row of nested groups; for checks of single rows."""
    for condition in conditions:
        yield from rows_in([*(condition.all or ()), *(condition.any or ())])
        if condition.variable is not None:
            yield condition
