"""RapidPro's tests of a router, `has_any_word`, as our conditions."""

import re
from collections.abc import Sequence

import re2

from apps.scenarios.engine.conditions import checked_pattern
from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.formulas import FormulaError
from apps.scenarios.foreign.naming import category_of, variable
from apps.scenarios.foreign.rapidpro.texts import Used, write
from apps.scenarios.foreign.reading import at, obj, rows, text

# Tests with one value on the right, or with none, and our operator.
COMPARED = {"has_only_text": "equals", "has_beginning": "starts", "has_status": "equals"}
NUMBERS = {
    "has_number_eq": "equals", "has_number_lt": "lt", "has_number_lte": "lte", "has_number_gt": "gt", "has_number_gte": "gte",
    "has_date_lt": "lt", "has_date_eq": "equals", "has_date_gt": "gt",
}  # fmt: skip
BARE = {"has_text": "is_set", "has_value": "is_set"}
FORMED = {"has_number": "is_number", "has_date": "is_date", "has_phone": "is_phone", "has_error": "is_empty", "is_error": "is_empty"}
PLACES = frozenset({"has_state", "has_district", "has_ward"})
# What a message carries besides its text: the kind of question that takes it.
CARRIED = {
    "has_location": "location", "has_image": "photo", "has_audio": "voice", "has_video": "file", "has_file": "file", "has_media": "file",
}  # fmt: skip
TAKES_A_PART = frozenset(
    {"has_any_word", "has_all_words", "has_phrase", "has_pattern", "has_email", "has_phone", *NUMBERS, "has_number", "has_date"}
)
OF_WORDS = frozenset({"has_any_word", "has_all_words", "has_phrase", "has_only_phrase"})
ALONE = "only where nothing else stands in the answer"
E_MAIL = r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]{2,}"
OF_DAY = r"\b\d{1,2}[:.]\d{2}\b"
# Letters as every script writes them: with the signs that are set on them.
LETTER = r"\p{L}\p{M}\p{N}_"
BETWEEN = rf"[^{LETTER}]"
TOKEN = re2.compile(rf"[{LETTER}]+(?:'[{LETTER}]+)*|\p{{S}}")


class Approximated(Exception):  # noqa: N818  a way of answering, not a failure
    """The condition is near, not the same; carries it."""

    def __init__(self, condition: Json, message: str) -> None:
        super().__init__(message)
        self.condition = condition
        self.message = message


def condition(case: Json, *, on: str, used: Used, given: Sequence[object] | None = None) -> Json:
    """Our condition of one case on the variable `on`; `given`: arguments in another language than the case's own.

    Raises `FormulaError` without a counterpart, `Approximated` for a near one.
    """
    kind, listed = text(case.get("type")), rows(case.get("arguments")) if given is None else list(given)
    if kind == "has_group":
        return _group(listed, used)
    if kind in CARRIED or kind in BARE:
        return {"variable": on, "operator": "is_set"}
    words = [_written(text(argument), used) for argument in listed]
    if kind in COMPARED and words:
        return {"variable": on, "operator": COMPARED[kind], "value": words[0]}
    if kind in NUMBERS and words:
        raise Approximated({"variable": on, "operator": NUMBERS[kind], "value": words[0]}, ALONE)
    if kind in FORMED:
        raise Approximated({"variable": on, "operator": FORMED[kind]}, ALONE)
    if kind in PLACES or kind == "has_time":
        near = {"variable": on, "operator": "is_set"} if kind in PLACES else _matches(on, OF_DAY)
        raise Approximated(near, f"{kind} is only checked by its form")
    return _by_words(kind, words, on)


def _by_words(kind: str, given: list[str], on: str) -> Json:
    if kind in OF_WORDS and given and ("{{" in given[0] or "{%" in given[0]):
        raise Approximated({"variable": on, "operator": "contains", "value": given[0]}, "its words are looked for as they stand")
    words = TOKEN.findall(given[0]) if given else []
    match kind:
        case "has_any_word" if words:
            return _matches(on, _any_of(list(dict.fromkeys(words))))
        case "has_all_words" if words:
            parts = [_matches(on, _alone(word)) for word in dict.fromkeys(words)]
            return parts[0] if len(parts) == 1 else {"all": parts}
        case "has_phrase" if words:
            return _matches(on, _edged(rf"{BETWEEN}*".join(map(re.escape, words)), words))
        case "has_only_phrase" if words:
            return _matches(on, rf"^{BETWEEN}*{rf'{BETWEEN}+'.join(map(re.escape, words))}{BETWEEN}*$")
        case "has_pattern" if given:
            return _matches(on, given[0])
        case "has_email":
            return _matches(on, E_MAIL)
        case "has_number_between" if len(given) > 1:
            raise Approximated({"variable": on, "operator": "between", "value": given[:2]}, ALONE)
        case "has_category" if given:
            return {"variable": category_of(on), "operator": "in", "value": given}
        case _ if kind in OF_WORDS:
            raise FormulaError(f"{kind} without words never holds")
    raise FormulaError(f"the test {kind or '?'} has no counterpart")


def _any_of(words: Sequence[str]) -> str:
    """Signs such as 👍 may stand anywhere, words only where they are no part of a longer one."""
    plain = [word for word in words if re2.search(rf"^[{LETTER}]", word)]
    joined = "|".join(map(re.escape, plain))
    return "|".join(
        filter(None, (_edged(f"({joined})", plain) if plain else "", *(re.escape(word) for word in words if word not in plain)))
    )


def _alone(word: str) -> str:
    return _edged(re.escape(word), [word])


def _edged(pattern: str, words: Sequence[str]) -> str:
    before = rf"(^|{BETWEEN})" if re2.search(rf"^[{LETTER}]", words[0]) else ""
    after = rf"($|{BETWEEN})" if re2.search(rf"[{LETTER}]$", words[-1]) else ""
    return f"{before}{pattern}{after}"


def carried(cases: Sequence[Json]) -> str:
    """The kind of question that takes what all these cases look for; "" when it is text."""
    kinds = {CARRIED.get(text(case.get("type")), "") for case in cases}
    return kinds.pop() if len(kinds) == 1 else ""


def group_name(group: object, used: Used) -> str:
    """The attribute that says that a person is in the group."""
    label = text(obj(group).get("name")) or text(obj(group).get("uuid")) or text(group)
    found = f"group_{variable(label)}"[:60]
    used.groups.setdefault(found, label)
    return found


def is_dynamic(group: object) -> bool:
    """Named by a formula, so that only the run can tell which group it is."""
    return bool(at(group, "name_match")) or "@" in (text(obj(group).get("name")) or text(group))


def _group(arguments: list[object], used: Used) -> Json:
    """Old files give [uuid, name], new ones may give an object."""
    named = arguments[1] if len(arguments) > 1 else arguments[0] if arguments else ""
    return {"variable": group_name(named, used), "operator": "is_yes"}


def _matches(on: str, pattern: str) -> Json:
    if "{{" not in pattern:
        try:
            checked_pattern(pattern)
        except ValueError as error:
            raise FormulaError(str(error)) from error
    return {"variable": on, "operator": "matches", "value": pattern}


def _written(argument: str, used: Used) -> str:
    found = write(argument, used)
    if found.lost:
        raise FormulaError(found.lost[0])
    return found.text
