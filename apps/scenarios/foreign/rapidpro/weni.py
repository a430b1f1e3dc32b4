"""Weni, which grew out of RapidPro: its messages for WhatsApp as plain ones with buttons, its router with an AI as one that looks at words."""

from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.rapidpro.actions import DIFFERS, HINT
from apps.scenarios.foreign.reading import at, obj, objects, rows, text

MESSAGE = "send_whatsapp_msg"
WITHOUT = frozenset({"flow_msg", "order_details"})  # a form and an order: nothing here says them
SAID = ("header_text", "text", "footer")


def plain(action: Json) -> Json:
    """The message as a plain one; forms and orders stay as they are."""
    kind = text(action.get("interaction_type"))
    if kind in WITHOUT:
        return action
    made: Json = {"type": "send_msg", "uuid": action.get("uuid"), "text": _said(action, {}), "quick_replies": _labels(action, {})}
    if action.get("header_type") == "media" and action.get("attachment"):
        made["attachments"] = [action["attachment"]]
    if kind == "location":
        made[HINT] = "location"
    why = ["what stands below the items of its list is left out"] if any(item.get("description") for item in _items(action)) else []
    if text(action.get("action_url")):
        why.append("the address of its button stands in the text")
    return {**made, "all_urns": action.get("all_urns"), "labels": action.get("labels"), DIFFERS: "; ".join(why)}


def with_plain_routers(node: Json) -> Json:
    """A rule of the AI's router has one example after another: any word of them."""
    if at(node, "router", "type") != "smart":
        return node
    cases = [{**case, "arguments": [" ".join(map(text, rows(case.get("arguments"))))]} for case in objects(at(node, "router", "cases"))]
    return {**node, "router": {**obj(node.get("router")), "cases": cases}}


def localization(flow: Json) -> Json:
    """The flow's translations, with those of its WhatsApp messages where plain messages have theirs."""
    messages = [one for node in objects(flow.get("nodes")) for one in objects(node.get("actions")) if one.get("type") == MESSAGE]
    given = obj(flow.get("localization"))
    return {code: {**obj(found), **_translated(messages, obj(found))} for code, found in given.items()} if messages else given


def _translated(messages: list[Json], found: Json) -> Json:
    made: Json = {}
    for message in messages:
        named = [text(message.get("uuid")), *(text(item.get("uuid")) for item in _items(message))]
        said, labels = _said(message, found), _labels(message, found)
        if any(obj(found.get(uuid)) for uuid in named):
            made[named[0]] = {
                "text": [said] if said != _said(message, {}) else [],
                "quick_replies": labels if labels != _labels(message, {}) else [],
            }
    return made


def _said(message: Json, found: Json) -> str:
    """Heading, words and small print, and the button that opens an address."""
    there = obj(found.get(text(message.get("uuid"))))
    address = text(message.get("action_url"))
    button = ": ".join(filter(None, (_one(there, message, "button_text"), address))) if address else ""
    return "\n".join(filter(None, (*(_one(there, message, key) for key in SAID), button)))


def _labels(message: Json, found: Json) -> list[str]:
    items = _items(message)
    if items:
        return [_one(obj(found.get(text(item.get("uuid")))), item, "title") for item in items]
    replies = rows(obj(found.get(text(message.get("uuid")))).get("quick_replies")) or rows(message.get("quick_replies"))
    return [text(reply) for reply in replies]


def _items(message: Json) -> list[Json]:
    return list(objects(message.get("list_items")))


def _one(there: Json, base: Json, key: str) -> str:
    """The translation of a text, or the text."""
    given: list[Any] = rows(there.get(key))
    return (text(given[0]) if given else "") or text(base.get(key))
