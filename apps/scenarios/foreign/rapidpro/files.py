"""What a RapidPro or Glific file holds: its flows, whichever way they are wrapped, and fields; `starts.py` reads what starts the flows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.identity.attributes import COLUMNS
from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.naming import variable
from apps.scenarios.foreign.rapidpro import interactive, legacy, starts
from apps.scenarios.foreign.reading import at, obj, objects, rows, text

CATEGORY = re.compile(r"\b(?:results|flow|child|parent)\.(\w+)\.category", re.IGNORECASE)
RESULT = re.compile(r"\bresults\.(\w+)", re.IGNORECASE)
VALUE = re.compile(r"@\(?(?:[^@\n]{0,80}\b)?(?:results|flow)\.(\w+)(?!\w|\.category|\.input|\.extra|\.text)", re.IGNORECASE)
FIELD_TYPES = {"text": "text", "T": "text", "number": "number", "numeric": "number", "N": "number", "datetime": "date", "D": "date"}


@dataclass
class Flow:
    uuid: str
    name: str
    body: Json

    @property
    def kind(self) -> str:
        return text(self.body.get("type")) or "messaging"


def flows_in(data: Any) -> list[Flow]:
    """Every flow, brought to the form of definition 13; those without a uuid get their name as one."""
    found, templates = [], interactive.templates_in(data)
    for index, item in enumerate((*_bodies(data), *starts.messages_in(data))):
        body = legacy.migrated(item) if legacy.is_legacy(item) else interactive.with_plain_messages(item, templates)
        name = text(body.get("name")) or text(at(item, "metadata", "name")) or f"Flow {index + 1}"
        found.append(Flow(text(body.get("uuid")) or name, name, body))
    return found


def _bodies(data: Any) -> Iterator[Json]:
    for item in data if isinstance(data, list) else [data]:
        one = obj(item)
        if is_flow(one):
            yield one
        if is_flow(obj(one.get("definition"))):  # as the server of the editor answers
            yield obj(one.get("definition"))
        for flow in objects(one.get("flows")):
            body = obj(flow.get("definition")) if isinstance(flow.get("definition"), dict) else flow
            if is_flow(body):
                yield {"name": flow.get("name"), **body, "keywords": flow.get("keywords")} if flow is not body else body


def is_flow(item: Json) -> bool:
    """A flow has nodes that name themselves by uuid, or the sets of the older form."""
    if legacy.is_legacy(item):
        return True
    nodes = item.get("nodes")
    return isinstance(nodes, list) and (all("uuid" in obj(node) for node in nodes) if nodes else "spec_version" in item)


def categories_in(flows: list[Flow]) -> frozenset[str]:
    """Results whose category some text or test of the file looks at."""
    found: set[str] = set()
    for flow in flows:
        for said in _texts(flow.body):
            found.update(variable(match) for match in CATEGORY.findall(said))
        for node in objects(flow.body.get("nodes")):
            if any(case.get("type") == "has_category" for case in objects(at(node, "router", "cases"))):
                found.update(variable(match) for match in RESULT.findall(text(at(node, "router", "operand"))))
                found.update(variable(text(at(other, "router", "result_name"))) for other in objects(flow.body.get("nodes")))
    return frozenset(found)


def values_in(flows: list[Flow]) -> frozenset[str]:
    """Results whose value, not only its category, some text of the file says."""
    return frozenset(variable(match) for flow in flows for said in _texts(flow.body) for match in VALUE.findall(said))


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < 60:  # noqa: PLR2004  deeper than any flow that was ever drawn
        for item in value.values() if isinstance(value, dict) else rows(value):
            yield from _texts(item, depth + 1)


def fields_in(data: Any) -> dict[str, tuple[str, str]]:
    """Declared attributes of people: key → (label, type of a client field). Glific lists bare keys."""
    found = {}
    given = [item if isinstance(item, dict) else {"key": item} for item in rows(obj(data).get("contact_field"))]
    for field in (*objects(obj(data).get("fields")), *given):
        key = variable(text(field.get("key")) or text(field.get("name")))
        if key in COLUMNS:
            continue
        kind = FIELD_TYPES.get(text(field.get("type") or field.get("value_type")), "text")
        found[key] = (text(field.get("name")) or text(field.get("label")) or key, kind)
    return found
