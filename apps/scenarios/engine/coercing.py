"""Parameters of a section: what a caller gave, as the declared types; defaults for what is missing."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from apps.scenarios.engine.conditions import is_empty
from apps.scenarios.engine.contract import Facts, Json
from apps.scenarios.engine.definition import Param, Section
from apps.scenarios.engine.errors import NodeError
from apps.scenarios.engine.names import Names
from apps.scenarios.engine.plain import shown
from apps.scenarios.engine.reading import read_date, read_number, read_yes
from apps.scenarios.engine.wording import _


def section_params(section: Section, given: Mapping[str, Any], names: Names) -> Json:
    """Values of the declared parameters. Raises `NodeError` when a required one is missing or one does not fit its type."""
    return {param.name: _one(section, param, given.get(param.name), names) for param in section.params}


def fits(param: Param, value: Any) -> bool:
    """Whether a value that is written in the definition can be this parameter; what holds a placeholder is judged when it runs."""
    if is_empty(value) or (isinstance(value, str) and "{" in value):
        return True
    return COERCE[param.type](value, Names({}, Facts(), now=datetime.now(UTC), language="en")) is not None


def _one(section: Section, param: Param, value: Any, names: Names) -> Any:
    where = {"name": param.name, "section": section.name or section.id, "type": param.type}
    if value is None or (param.required and is_empty(value)):
        if param.required and is_empty(param.default):
            raise NodeError("param", _("The section “%(section)s” needs the parameter “%(name)s”. Give it a value.") % where)
        return param.default
    found = COERCE[param.type](value, names)
    if found is None and not is_empty(value):
        raise NodeError("param", _("The parameter “%(name)s” of the section “%(section)s” must be of the type %(type)s.") % where)
    return found


def _text(value: Any, _names: Names) -> Any:
    return None if isinstance(value, dict | list) else shown(value)


def _number(value: Any, names: Names) -> Any:
    return read_number(value, language=names.language)


def _date(value: Any, names: Names) -> Any:
    found = read_date(value[:10] if isinstance(value, str) and "T" in value else value, today=names.local_now.date())
    return found.isoformat() if found else None


COERCE: dict[str, Callable[[Any, Names], Any]] = {
    "any": lambda value, _names: value,
    "text": _text,
    "number": _number,
    "boolean": lambda value, _names: read_yes(value),
    "date": _date,
    "list": lambda value, _names: value if isinstance(value, list) else None,
    "object": lambda value, _names: value if isinstance(value, dict) else None,
}
