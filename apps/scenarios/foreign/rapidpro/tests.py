"""RapidPro's tests of a router, `has_any_word`, as our conditions."""

import re

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.formulas import FormulaError
from apps.scenarios.foreign.naming import variable
from apps.scenarios.foreign.rapidpro.texts import Used, write
from apps.scenarios.foreign.reading import obj, rows, text

# Tests with one value on the right, or with none, and our operator.
COMPARED = {
    "has_only_text": "equals", "has_only_phrase": "equals", "has_beginning": "starts", "has_number_eq": "equals",
    "has_number_lt": "lt", "has_number_lte": "lte", "has_number_gt": "gt", "has_number_gte": "gte", "has_date_lt": "lt",
    "has_date_eq": "equals", "has_date_gt": "gt", "has_status": "equals",
}  # fmt: skip
BARE = {
    "has_text": "is_set", "has_value": "is_set", "has_number": "is_number", "has_date": "is_date", "has_phone": "is_phone",
    "has_email": "is_email", "has_error": "is_empty", "is_error": "is_empty",
}  # fmt: skip
NEARLY = {"has_time": r"\b\d{1,2}[:.]\d{2}\b", "has_state": "", "has_district": "", "has_ward": ""}
EDGE = r"(^|[^\p{L}\p{N}])", r"($|[^\p{L}\p{N}])"


class Approximated(Exception):  # noqa: N818  a way of answering, not a failure
    """The condition is near, not the same; carries it."""

    def __init__(self, condition: Json, message: str) -> None:
        super().__init__(message)
        self.condition = condition
        self.message = message


def condition(case: Json, *, on: str, used: Used) -> Json:
    """Our condition of one case on the variable `on`. Raises `FormulaError` without a counterpart, `Approximated` for a near one."""
    kind = text(case.get("type"))
    if kind == "has_group":
        return _group(rows(case.get("arguments")))
    given = [_written(text(argument), used) for argument in rows(case.get("arguments"))]
    if kind in BARE:
        return {"variable": on, "operator": BARE[kind]}
    if kind in COMPARED and given:
        return {"variable": on, "operator": COMPARED[kind], "value": given[0]}
    if kind in NEARLY:
        pattern = NEARLY[kind]
        near = {"variable": on, "operator": "matches", "value": pattern} if pattern else {"variable": on, "operator": "is_set"}
        raise Approximated(near, f"{kind} is only checked by its form")
    return _by_words(kind, given, on)


def _by_words(kind: str, given: list[str], on: str) -> Json:
    words = given[0].split() if given else []
    match kind:
        case "has_any_word" if words:
            return _matches(on, f"{EDGE[0]}({'|'.join(map(re.escape, words))}){EDGE[1]}")
        case "has_all_words" if words:
            return {"all": [_matches(on, f"{EDGE[0]}{re.escape(word)}{EDGE[1]}") for word in words]}
        case "has_phrase" if words:
            return _matches(on, EDGE[0] + r"\W+".join(map(re.escape, words)) + EDGE[1])
        case "has_pattern" if given:
            return _matches(on, given[0])
        case "has_number_between" if len(given) > 1:
            return {"variable": on, "operator": "between", "value": given[:2]}
        case "has_category" if given:
            return {"variable": f"{on}_category", "operator": "in", "value": given}
        case "has_any_word" | "has_all_words" | "has_phrase":
            raise FormulaError(f"{kind} without words never holds")
    raise FormulaError(f"the test {kind or '?'} has no counterpart")


def group_name(group: object) -> str:
    """The attribute that says that a person is in the group."""
    return f"group_{variable(text(obj(group).get('name')) or text(obj(group).get('uuid')) or text(group))}"[:60]


def _group(arguments: list[object]) -> Json:
    """Old files give [uuid, name], new ones may give an object."""
    named = arguments[1] if len(arguments) > 1 else arguments[0] if arguments else ""
    return {"variable": group_name(named), "operator": "is_yes"}


def _matches(on: str, pattern: str) -> Json:
    return {"variable": on, "operator": "matches", "value": pattern}


def _written(argument: str, used: Used) -> str:
    found = write(argument, used)
    if found.lost:
        raise FormulaError(found.lost[0])
    return found.text
