"""Glific's interactive messages as plain ones: the content is in the action itself or among the templates of the export."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.core import strictjson
from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.rapidpro import weni
from apps.scenarios.foreign.rapidpro.actions import DIFFERS, HINT
from apps.scenarios.foreign.reading import at, obj, objects, rows, text

MOST_BYTES = 64 * 1024


def templates_in(data: Any) -> dict[str, Json]:
    """Templates of an export by their id and by their name."""
    found: dict[str, Json] = {}
    for template in objects(obj(data).get("interactive_templates")):
        for key in (text(template.get("source_id")), text(template.get("label"))):
            if key:
                found.setdefault(key, template)
    return found


def with_plain_messages(flow: Json, templates: Mapping[str, Json]) -> Json:
    """The flow with every interactive message that can be read as a plain message with quick replies."""
    nodes = [
        {**node, "actions": [_plain(action, templates) for action in rows(node.get("actions"))]} if rows(node.get("actions")) else node
        for node in map(weni.with_plain_routers, objects(flow.get("nodes")))
    ]
    return {**flow, "nodes": nodes, "localization": weni.localization(flow)}


def _plain(action: Any, templates: Mapping[str, Json]) -> Any:
    if obj(action).get("type") == weni.MESSAGE:
        return weni.plain(action)
    if obj(action).get("type") != "send_interactive_msg":
        return action
    template = templates.get(text(action.get("id"))) or templates.get(text(action.get("name"))) or {}
    content = _parsed(action.get("text")) or obj(template.get("interactive_content"))
    said = "\n".join(filter(None, _said(content)))
    if not said:
        return action
    made: Json = {
        "type": "send_msg",
        "uuid": action.get("uuid"),
        "text": said,
        "quick_replies": list(_labels(content)),
        "labels": action.get("labels"),
    }
    address = text(at(content, "content", "url"))
    if address:
        made["attachments"] = [f"{text(at(content, 'content', 'type'))}:{address}"]
    if text(content.get("type")) == "location_request_message":
        made[HINT] = "location"
    why = ["the groups of its list are one row of buttons"] if len(objects(content.get("items"))) > 1 else []
    if any(text(option.get("description")) for group in objects(content.get("items")) for option in objects(group.get("options"))):
        why.append("what stands below the items of its list is left out")
    if len(obj(template.get("translations"))) > 1:
        why.append("its translations are left out, because the file does not name their languages")
    return {**made, DIFFERS: "; ".join(why)}


def _parsed(value: Any) -> Json:
    if not isinstance(value, str):
        return obj(value)
    try:
        return obj(strictjson.loads(value.encode(errors="replace"), max_bytes=MOST_BYTES))
    except strictjson.StrictJsonError:
        return {}


def _said(content: Json) -> Iterator[str]:
    """Heading, words and small print, in this order."""
    inner = obj(content.get("content"))
    yield text(inner.get("header")) or text(content.get("title"))
    yield text(inner.get("text")) or text(content.get("body")) or text(at(content, "body", "text"))
    yield text(inner.get("caption"))


def _labels(content: Json) -> Iterator[str]:
    for option in objects(content.get("options")):
        yield text(option.get("title"))
    for group in objects(content.get("items")):
        for option in objects(group.get("options")):
            yield text(option.get("title"))
