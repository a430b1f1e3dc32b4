"""What starts the flows of a RapidPro or Glific file: keywords, triggers, campaigns around a date of a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import Drawing
from apps.scenarios.foreign.naming import slug, variable
from apps.scenarios.foreign.rapidpro.tests import group_name
from apps.scenarios.foreign.rapidpro.texts import Used
from apps.scenarios.foreign.reading import number, obj, objects, rows, text
from apps.scenarios.importer import Verdict

LONGEST_OFFSET = 366
# Dates that RapidPro itself keeps of a person; they are no attributes here.
OF_THE_SYSTEM = frozenset({"created_on", "last_seen_on"})
LETTERS = {"S": "schedule", "M": "missed call", "V": "incoming call", "T": "closed ticket", "O": "opt-in", "P": "opt-out"}
LONGER_WORDS = "a longer word that begins with it starts the scenario too"


@dataclass(frozen=True)
class Start:
    """`trigger` is ours, or None without a counterpart; `flow` the uuid of what it starts; `message`: why not, or what differs.

    `only`, `never`: attributes that say who is in the groups for which it holds.
    """

    name: str
    what: str
    flow: str
    trigger: Json | None
    message: str = ""
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return "unsupported" if self.trigger is None else "approximated" if self.message else "exact"


def starts_in(data: Any, used: Used) -> list[Start]:
    """Triggers and events of campaigns, in the order of the file."""
    return [*_triggers(data, used), *_campaigns(data, used)]


def by_words(flow: Json) -> Start | None:
    """The keywords that Glific keeps with the flow itself."""
    words = [text(word) for word in rows(flow.get("keywords")) if text(word).strip()]
    trigger = {"kind": "keyword", "words": words, "match": "prefix"}
    return Start(text(flow.get("name")), "trigger keyword", text(flow.get("uuid")), trigger, LONGER_WORDS) if words else None


def draw(drawing: Drawing, start: Start) -> None:
    """Put the trigger into the drawing; one for some groups only begins at an entry of its own, where the groups are looked at."""
    drawing.tell(start.name, start.what, start.verdict, start.message, section=drawing.sections[0])
    if start.trigger is None:
        return
    for_some = (start.only or start.never) and start.trigger["kind"] != "date"
    drawing.triggers.append({**start.trigger, "entry": _entry(drawing, start)} if for_some else start.trigger)


def _entry(drawing: Drawing, start: Start) -> str:
    section = drawing.sections[0]
    first, end = section.nodes[0]["exits"].get("next", ""), drawing.ended(section)
    branches = [
        (name, title, groups) for name, title, groups in (("left-out", "Left out", start.never), ("meant", "Meant", start.only)) if groups
    ]
    listed = [{"id": name, "title": title, "when": {"any": [_is_in(group) for group in groups]}} for name, title, groups in branches]
    alias = f"groups-{len(drawing.triggers) + 1}"
    entry = drawing.node(section, "entry", {"alias": alias}, place=(-400, -150 * len(drawing.triggers)))
    asked = drawing.node(section, "router", {"branches": listed}, place=(-400, -150 * len(drawing.triggers) + 75))
    entry["exits"] = {"next": asked["id"]}
    to = {"left-out": end, "meant": first or end}
    asked["exits"] = {**{name: to[name] for name, _title, _groups in branches}, "else": end if start.only else first or end}
    return alias


def _is_in(group: str) -> Json:
    return {"variable": group, "operator": "is_yes"}


def _named(flow: Json) -> str:
    """The uuid of a flow; its name in files that have none, as `files.flows_in` gives it."""
    return text(flow.get("uuid")) or text(flow.get("name"))


# --- triggers --------------------------------------------------------------------------------------------------------


def _triggers(data: Any, used: Used) -> Iterator[Start]:
    for trigger in objects(obj(data).get("triggers")):
        flow, kind = obj(trigger.get("flow")), text(trigger.get("trigger_type")) or text(trigger.get("type")) or "?"
        made = _trigger(kind, trigger)
        message = "" if made else "Start the scenario by an endpoint, an internal event or a broadcast."
        if made and made.get("match") == "prefix" and made["kind"] == "keyword":
            message = LONGER_WORDS
        yield Start(
            name=text(flow.get("name")) or "?",
            what=f"trigger {made['kind'] if made else LETTERS.get(kind, kind)}",
            flow=_named(flow) or text(trigger.get("flow_uuid")),
            trigger=made,
            message=message,
            only=tuple(group_name(group, used) for group in objects(trigger.get("groups"))),
            never=tuple(group_name(group, used) for group in objects(trigger.get("exclude_groups"))),
        )


def _trigger(kind: str, trigger: Json) -> Json | None:
    words = [text(word) for word in rows(trigger.get("keywords")) or [trigger.get("keyword")] if text(word).strip()]
    match kind:
        case "K" | "keyword" if words:
            return {"kind": "keyword", "words": words, "match": "exact" if text(trigger.get("match_type")) == "O" else "prefix"}
        case "C" | "catch_all":
            return {"kind": "any_message"}
        case "N" | "new_conversation":
            return {"kind": "new_chat"}
        case "R" | "referral":
            payload = slug(text(trigger.get("referrer_id")), empty="")
            return {"kind": "deep_link", "payload": payload[:64], "match": "exact" if payload else "prefix"}
    return None


# --- campaigns -------------------------------------------------------------------------------------------------------


def _events(data: Any) -> Iterator[tuple[Json, Json, str]]:
    """Every event of a campaign with its campaign, and the uuid of what it starts: of a flow, or of the message that `messages_in` makes."""
    for number_of, campaign in enumerate(objects(obj(data).get("campaigns"))):
        for place, event in enumerate(objects(campaign.get("events"))):
            own = f"message-{number_of}-{place}"
            yield campaign, event, own if _message(event) else _named(obj(event.get("flow")))


def _message(event: Json) -> Json:
    """What the event itself says, by language."""
    said = event.get("message")
    given = said if isinstance(said, dict) else {"base": said} if text(said) else {}
    return {text(code): text(words) for code, words in given.items() if text(words)} if event.get("event_type") != "F" else {}


def messages_in(data: Any) -> Iterator[Json]:
    """Messages of campaigns as flows of one node each."""
    for campaign, event, uuid in _events(data):
        said = _message(event)
        if not said:
            continue
        base = text(event.get("base_language"))
        first = base if base in said else next(iter(said))
        yield {
            "uuid": uuid,
            "name": f"{text(campaign.get('name')) or 'Campaign'} {text(event.get('offset'))}{text(event.get('unit'))}",
            "language": first,
            "nodes": [{"uuid": f"{uuid}-node", "actions": [{"type": "send_msg", "uuid": uuid, "text": said[first]}], "exits": []}],
            "localization": {code: {uuid: {"text": [words]}} for code, words in said.items() if code != first},
        }


def _campaigns(data: Any, used: Used) -> Iterator[Start]:
    for campaign in objects(obj(data).get("campaigns")):
        if not objects(campaign.get("events")):
            yield Start(text(campaign.get("name")) or "?", "campaign", "", None, "It has no events.")
    for campaign, event, uuid in _events(data):
        trigger, message = _around(event, used)
        group = obj(campaign.get("group"))
        only = (group_name(group, used),) if group else ()
        if trigger and only:
            trigger["when"] = _is_in(only[0])
        yield Start(text(campaign.get("name")) or "?", "campaign", uuid, trigger, message, only)


def _around(event: Json, used: Used) -> tuple[Json | None, str]:
    """A trigger around a date of the person, and what differs or why there is none."""
    field = obj(event.get("relative_to"))
    key, days = text(field.get("key")) or text(field.get("label")), {"D": 1, "W": 7}.get(text(event.get("unit")))
    offset = number(event.get("offset"))
    if variable(key) in OF_THE_SYSTEM or not key:
        return None, f"“{text(field.get('label')) or key}” is no attribute of a person here."
    if days is None or offset is None or abs(offset * days) > LONGEST_OFFSET:
        return None, "Only days and weeks around a date can be triggers."
    hour = number(event.get("delivery_hour"))
    kept = hour is not None and 0 <= hour <= 23  # noqa: PLR2004
    trigger: Json = {"kind": "date", "attribute": used.attribute(key, text(field.get("label"))), "days": int(offset * days)}
    return {**trigger, "at": f"{int(hour or 0) if kept else 10:02}:00"}, "" if kept else "no hour was given: 10:00"
