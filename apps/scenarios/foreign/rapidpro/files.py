"""What a RapidPro or Glific file holds: its flows, whichever way they are wrapped, fields, triggers, campaigns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.naming import slug, variable
from apps.scenarios.foreign.rapidpro import legacy
from apps.scenarios.foreign.reading import at, number, obj, objects, rows, text

CATEGORY = re.compile(r"\b(?:results|flow)\.(\w+)\.category", re.IGNORECASE)
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
    found = []
    for index, item in enumerate(_bodies(data)):
        body = legacy.migrated(item) if legacy.is_legacy(item) else item
        name = text(body.get("name")) or text(at(item, "metadata", "name")) or f"Flow {index + 1}"
        found.append(Flow(text(body.get("uuid")) or name, name, body))
    return found


def _bodies(data: Any) -> Iterator[Json]:
    for item in data if isinstance(data, list) else [data]:
        one = obj(item)
        if is_flow(one):
            yield one
        for flow in objects(one.get("flows")):
            body = obj(flow.get("definition")) if isinstance(flow.get("definition"), dict) else flow
            if is_flow(body):
                yield {**body, "keywords": flow.get("keywords")} if flow is not body and flow.get("keywords") else body


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
                found.update(variable(text(at(other, "router", "result_name"))) for other in objects(flow.body.get("nodes")))
    return frozenset(found)


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < 60:  # noqa: PLR2004  deeper than any flow that was ever drawn
        for item in value.values() if isinstance(value, dict) else rows(value):
            yield from _texts(item, depth + 1)


def fields_in(data: Any) -> dict[str, tuple[str, str]]:
    """Declared attributes of people: key → (label, type of a client field)."""
    found = {}
    for field in objects(obj(data).get("fields")):
        key = variable(text(field.get("key")) or text(field.get("name")))
        kind = FIELD_TYPES.get(text(field.get("type") or field.get("value_type")), "text")
        found[key] = (text(field.get("name")) or text(field.get("label")) or key, kind)
    return found


def triggers_of(data: Any, flow: Flow) -> tuple[list[Json], list[tuple[str, str]]]:
    """Our triggers of a flow; and what has no counterpart, as pairs of what it is and why."""
    found: list[Json] = []
    lost: list[tuple[str, str]] = []
    words = [text(word) for word in rows(flow.body.get("keywords")) if text(word).strip()]
    if words:
        found.append({"kind": "keyword", "words": words, "match": "prefix"})
    for trigger in objects(obj(data).get("triggers")):
        target = obj(trigger.get("flow"))
        if flow.uuid not in {text(target.get("uuid")), text(trigger.get("flow_uuid"))}:
            continue
        made = _trigger(trigger)
        if made is None:
            lost.append((f"trigger {_kind_of(trigger)}", "Start the scenario by an endpoint, an internal event or a broadcast."))
        else:
            found.append(made)
        if objects(trigger.get("groups")) or objects(trigger.get("exclude_groups")):
            lost.append(("groups of a trigger", "Check the group in a router at the beginning."))
    return found, lost


def _kind_of(trigger: Json) -> str:
    return text(trigger.get("trigger_type")) or text(trigger.get("type")) or "?"


def _trigger(trigger: Json) -> Json | None:
    words = [text(word) for word in rows(trigger.get("keywords")) or [trigger.get("keyword")] if text(word).strip()]
    match _kind_of(trigger):
        case "K" | "keyword" if words:
            return {"kind": "keyword", "words": words, "match": "exact" if text(trigger.get("match_type")) == "O" else "prefix"}
        case "C" | "catch_all":
            return {"kind": "any_message"}
        case "N" | "new_conversation":
            return {"kind": "keyword", "words": ["/start"], "match": "exact"}
        case "R" | "referral":
            payload = slug(text(trigger.get("referrer_id")), empty="")
            return {"kind": "deep_link", "payload": payload[:64], "match": "exact"} if payload else None
    return None


@dataclass(frozen=True)
class Around:
    """An event of a campaign: what it is called in the report, the uuid of the flow that it starts ("" for a bare message), our trigger or
    None, and why not or what differs.
    """

    name: str
    flow: str
    trigger: Json | None
    message: str = ""


def campaigns_in(data: Any) -> list[Around]:
    """Events around a date of a person, of every campaign of the file."""
    found = []
    for campaign in objects(obj(data).get("campaigns")):
        name = text(campaign.get("name")) or "?"
        found += [_around(name, event) for event in objects(campaign.get("events"))] or [Around(name, "", None, "It has no events.")]
    return found


def _around(name: str, event: Json) -> Around:
    flow = text(obj(event.get("flow")).get("uuid"))
    if not flow:
        return Around(name, "", None, "A bare message: make a scenario that says it, with a trigger around the date.")
    days = {"D": 1, "W": 7}.get(text(event.get("unit")))
    offset = number(event.get("offset"))
    if days is None or offset is None or abs(offset * days) > 366:  # noqa: PLR2004  as a trigger takes them
        return Around(name, flow, None, "Only days and weeks around a date can be triggers.")
    hour = number(event.get("delivery_hour"))
    kept = hour is not None and 0 <= hour <= 23  # noqa: PLR2004
    field = obj(event.get("relative_to"))
    trigger = {"kind": "date", "attribute": variable(text(field.get("key")) or text(field.get("label"))), "days": int(offset * days)}
    return Around(name, flow, {**trigger, "at": f"{int(hour or 0) if kept else 10:02}:00"}, "" if kept else "no hour was given: 10:00")
