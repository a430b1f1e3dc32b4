"""Typebot's “Set variable”: ready values, calculations, lists and texts; real code has no counterpart."""

import json
import re

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.formulas import LONGEST, FormulaError
from apps.scenarios.foreign.reading import number, text
from apps.scenarios.foreign.typebot.place import Made, Place, done
from apps.scenarios.foreign.typebot.texts import calculated, option, plain

READY = {
    "Now": "{{ now }}", "Today": "{{ today }}", "Yesterday": "{{ now | shift: '-1 day' }}", "Tomorrow": "{{ now | shift: '1 day' }}",
    "User ID": "{{ lead.id }}", "Contact name": "{{ user_name }}", "Phone number": "{{ user_phone }}", "Empty": "",
    "Environment name": "{{ channel.kind }}",
    "Moment of the day": (
        "{% assign hour = now | date: '%H' | plus: 0 %}"
        "{% if hour < 6 %}night{% elsif hour < 12 %}morning{% elsif hour < 18 %}afternoon{% elsif hour < 22 %}evening{% else %}night{% endif %}"
    ),
}  # fmt: skip
# Signs of JavaScript that is more than a value: arrows, keywords, browser objects, calls of methods, template texts, choices.
CODE = re.compile(
    r"=>|`|\b(?:return|const|let|var|new|typeof|await|function)\b|\.\w+\(|\b\w+\([^)]*\)|;"
    r"|\b(?:document|window|navigator|location|localStorage|Math|JSON|Object|Array|Date)\s*[.\[]|\s\?\s.+\s:\s"
)
ONE_VALUE = re.compile(r"^\s*return\s+(?P<value>[^;]+?);?\s*$", re.DOTALL)


def set_variable(place: Place, block: Json) -> Made | None:
    what, kind = "Set variable", text(option(block, "type"))
    name = place.known.at(option(block, "variableId"), otherwise="")
    if not name:
        return None
    if kind == "Append value(s)":
        return done(place, Made(place.node("set_variable", {"variables": _appended(place, block, name)})), what, [])
    if kind in READY:
        value: object = READY[kind]
    elif kind not in {"", "Custom"}:
        place.tell(what, "unsupported", f"“{kind}” has no counterpart.")
        return None
    else:
        value = _value(place, text(option(block, "expressionToEvaluate")), code=option(block, "isCode") is True)
        if value is None:
            place.tell(what, "unsupported", "The value is JavaScript. Make it a custom action.")
            return None
    return done(place, Made(place.node("set_variable", {"variables": [{"name": name, "value": value}]})), what, [])


def _appended(place: Place, block: Json, name: str) -> list[Json]:
    """The value becomes a list of one, which is put at the end of the other."""
    one = place.known.named(f"{name} added")
    added = plain(text(option(block, "item")), place.known).text
    return [{"name": one, "value": [added]}, {"name": name, "value": f"{{{{ {name} | concat: {one} }}}}"}]


def _value(place: Place, expression: str, *, code: bool) -> object | None:
    """A number, a list, a calculation, or a text with placeholders; None for real code."""
    if len(expression) > LONGEST:
        return None
    one = ONE_VALUE.match(expression)
    expression = one["value"] if one else expression
    found = number(expression)
    if found is not None and expression.strip() == expression.strip().lstrip("+"):
        return int(found) if found.is_integer() else found
    listed = _listed(expression)
    if listed is not None:
        return listed
    try:
        return f"{{{{ {calculated(expression, place.known)} }}}}"
    except FormulaError:
        if CODE.search(expression) or (code and expression.strip()):
            return None
        written = plain(expression, place.known)
        return None if written.lost else written.text


def _listed(expression: str) -> list[str | float] | None:
    """A list of texts and numbers that is written out."""
    if not expression.lstrip().startswith("["):
        return None
    try:
        found = json.loads(expression)
    except (ValueError, RecursionError):
        return None
    bare = isinstance(found, list) and all(isinstance(item, str | int | float) and "{{" not in str(item) for item in found)
    return found if bare else None
