"""Flows of RapidPro's older definitions (11 and 12: action sets and rule sets) in the form of definition 13."""

from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.naming import variable
from apps.scenarios.foreign.reading import number, obj, objects, rows, text

TESTS = {
    "contains_any": "has_any_word", "contains": "has_all_words", "contains_phrase": "has_phrase", "contains_only_phrase": "has_only_phrase",
    "starts": "has_beginning", "regex": "has_pattern", "number": "has_number", "eq": "has_number_eq", "lt": "has_number_lt",
    "lte": "has_number_lte", "gt": "has_number_gt", "gte": "has_number_gte", "between": "has_number_between", "date": "has_date",
    "date_before": "has_date_lt", "date_equal": "has_date_eq", "date_after": "has_date_gt", "phone": "has_phone", "state": "has_state",
    "district": "has_district", "ward": "has_ward", "in_group": "has_group", "not_empty": "has_text", "has_email": "has_email",
}  # fmt: skip
WAITING = {"wait_message", "wait_digit", "wait_digits", "wait_photo", "wait_video", "wait_audio", "wait_gps", "wait_recording"}
HINTS = {"wait_photo": "image", "wait_video": "video", "wait_audio": "audio", "wait_gps": "location"}
RENAMED = {
    "say": "say_msg", "play": "play_audio", "api": "call_webhook", "lang": "set_contact_language", "add_group": "add_contact_groups", "del_group": "remove_contact_groups", "flow": "enter_flow",
    "trigger-flow": "start_session", "email": "send_email", "add_label": "add_input_labels", "channel": "set_contact_channel",
}  # fmt: skip


def is_legacy(flow: Json) -> bool:
    return "action_sets" in flow or "rule_sets" in flow


def migrated(flow: Json) -> Json:
    """The flow in the newer form; parts that cannot be read are left out."""
    language = text(flow.get("base_language")) or "base"
    job = _Job(language)
    nodes = {uuid: found for item in objects(flow.get("action_sets")) if (uuid := text(item.get("uuid"))) and (found := job.actions(item))}
    nodes |= {uuid: found for item in objects(flow.get("rule_sets")) if (uuid := text(item.get("uuid"))) and (found := job.rules(item))}
    entry = text(flow.get("entry"))
    ordered = [nodes.pop(entry)] if entry in nodes else []
    meta = obj(flow.get("metadata"))
    return {
        "uuid": text(meta.get("uuid")) or text(flow.get("uuid")),
        "name": text(meta.get("name")) or text(flow.get("name")),
        "language": language,
        "type": "voice" if flow.get("flow_type") == "V" else "messaging",
        "older": True,
        "expire_after_minutes": meta.get("expires"),
        "nodes": [*ordered, *nodes.values()],
        "localization": job.localization,
        "_ui": {"nodes": job.places},
    }


class _Job:
    def __init__(self, language: str) -> None:
        self.language = language
        self.localization: Json = {}
        self.places: Json = {}

    def actions(self, item: Json) -> Json:
        uuid = text(item.get("uuid"))
        self._place(uuid, item)
        made = [self._action(action, f"{uuid}-{index}") for index, action in enumerate(objects(item.get("actions")))]
        return {"uuid": uuid, "actions": made, "exits": [{"uuid": f"{uuid}-exit", "destination_uuid": text(item.get("destination"))}]}

    def rules(self, item: Json) -> Json:
        uuid, kind = text(item.get("uuid")), text(item.get("ruleset_type"))
        self._place(uuid, item)
        config = obj(item.get("config"))
        categories, exits, cases, default, timeout = self._ways(uuid, objects(item.get("rules")))
        if not categories:
            return {}
        router: Json = {
            "type": "random" if kind == "random" else "switch",
            "operand": _operand(item, kind, config),
            "result_name": text(item.get("label")),
            "categories": categories,
            "cases": cases,
            "default_category_uuid": default,
        }
        if kind in WAITING or (not kind and "step." in router["operand"]):  # the oldest wait without saying so
            router["wait"] = {"type": "msg", **({"hint": {"type": HINTS[kind]}} if kind in HINTS else {}), **timeout}
        return {"uuid": uuid, "actions": self._before(uuid, item, kind, config), "router": router, "exits": exits}

    def _ways(self, uuid: str, rules: list[Json]) -> tuple[list[Json], list[Json], list[Json], str, Json]:
        """Categories, exits, cases, the default category, and the timeout of a set of rules."""
        categories: dict[str, Json] = {}
        exits, cases, default, timeout = [], [], "", {}
        for index, rule in enumerate(rules):
            name = self._said(rule.get("category")) or "Other"
            target = text(rule.get("destination"))
            category = f"{uuid}-{name}-{target}"
            if category not in categories:
                categories[category] = {"uuid": category, "name": name, "exit_uuid": f"{category}-exit"}
                exits.append({"uuid": f"{category}-exit", "destination_uuid": target})
            test = obj(rule.get("test"))
            kind = text(test.get("type"))
            if kind in {"true", ""}:
                default = category
            elif kind == "timeout":
                minutes = number(test.get("minutes")) or 5
                timeout = {"timeout": {"seconds": minutes * 60, "category_uuid": category}}
            else:
                cases.append(self._case(test, kind, category, f"{uuid}-case-{index}"))
        return list(categories.values()), exits, cases, default, timeout

    def _case(self, test: Json, kind: str, category: str, uuid: str) -> Json:
        found: Json = {"uuid": uuid, "category_uuid": category, "type": TESTS.get(kind, kind)}
        if kind == "between":
            found["arguments"] = [text(test.get("min")), text(test.get("max"))]
        elif kind == "in_group":
            found["arguments"] = [obj(test.get("test"))]
        elif kind in {"ward", "district", "state"}:
            found["arguments"] = []
        elif kind in {"webhook_status", "subflow", "airtime_status"}:
            given = text(test.get("status") or test.get("exit_type") or test.get("exit_status"))
            found |= {"type": "has_only_text", "arguments": [{"success": "Success", "failure": "Failure"}.get(given, given)]}
        else:
            value = test.get("test")
            found["arguments"] = [self._said(value, uuid=uuid, field="arguments")] if value is not None else []
        return found

    def _before(self, uuid: str, item: Json, kind: str, config: Json) -> list[Json]:
        """What the older router did itself and is an action now."""
        match kind:
            case "webhook":
                headers = _headers(config)
                return [
                    {
                        "type": "call_webhook", "uuid": f"{uuid}-call", "url": config.get("webhook") or item.get("webhook"),
                        "headers": headers, "method": config.get("webhook_action") or item.get("webhook_action") or "GET",
                        "result_name": text(item.get("label")) or "webhook",
                    }
                ]  # fmt: skip
            case "subflow":
                return [{"type": "enter_flow", "uuid": f"{uuid}-flow", "flow": obj(config.get("flow"))}]
            case "resthook":
                label = text(item.get("label"))
                return [{"type": "call_resthook", "uuid": f"{uuid}-call", "resthook": text(config.get("resthook")), "result_name": label}]
            case "airtime":
                return [{"type": "transfer_airtime", "uuid": f"{uuid}-call"}]
        return []

    def _action(self, action: Json, uuid: str) -> Json:
        kind = text(action.get("type"))
        match kind:
            case "reply" | "send" | "say":
                return self._message(action, uuid, kind={"reply": "send_msg", "say": "say_msg"}.get(kind, "send_broadcast"))
            case "save":
                return self._saved(action, uuid)
        return {"type": RENAMED.get(kind, kind or "action"), "uuid": uuid, **_details(kind, action)}

    def _message(self, action: Json, uuid: str, *, kind: str) -> Json:
        made: Json = {"type": kind, "uuid": uuid, "text": self._said(action.get("msg"), uuid=uuid, field="text")}
        media = self._said(action.get("media") or action.get("recording"), uuid=uuid, field="attachments")
        if media:
            made["attachments"] = [media if kind != "say_msg" or media.startswith("audio") else f"audio:{media}"]
        if action.get("send_all") is True:
            made["all_urns"] = True
        replies = [self._said(reply) for reply in rows(action.get("quick_replies"))]
        if replies:
            made["quick_replies"] = replies
            for code in {code for reply in rows(action.get("quick_replies")) for code in obj(reply) if code != self.language}:
                given = [text(obj(reply).get(code)) for reply in rows(action.get("quick_replies"))]
                self._localized(code, uuid)["quick_replies"] = given
        return made

    def _saved(self, action: Json, uuid: str) -> Json:
        field, value = text(action.get("field")), text(action.get("value"))
        if field == "first_name":
            return {"type": "set_contact_name", "uuid": uuid, "name": f"{value} @(word_slice(contact.name, 1))"}
        if field == "name":
            return {"type": "set_contact_name", "uuid": uuid, "name": value}
        if field in {"tel_e164", "tel", "mailto"}:
            return {"type": "add_contact_urn", "uuid": uuid, "scheme": "mailto" if field == "mailto" else "tel", "path": value}
        return {"type": "set_contact_field", "uuid": uuid, "field": {"key": field, "name": text(action.get("label"))}, "value": value}

    def _said(self, value: Any, *, uuid: str = "", field: str = "") -> str:
        """The text in the flow's own language; the others become its localization."""
        if not isinstance(value, dict):
            return text(value)
        for code, other in value.items():
            if uuid and code != self.language:
                self._localized(text(code), uuid)[field] = [text(other)]
        return text(value.get(self.language)) or next((text(other) for other in value.values()), "")

    def _localized(self, code: str, uuid: str) -> Json:
        found: Json = self.localization.setdefault(code, {}).setdefault(uuid, {})
        return found

    def _place(self, uuid: str, item: Json) -> None:
        self.places[uuid] = {"position": {"left": number(item.get("x")) or 0, "top": number(item.get("y")) or 0}}


def _details(kind: str, action: Json) -> Json:
    match kind:
        case "lang":
            return {"language": text(action.get("lang"))}
        case "add_group" | "del_group":
            groups = [group if isinstance(group, dict) else {"name": text(group)} for group in rows(action.get("groups"))]
            return {"groups": groups} if groups or kind == "add_group" else {"all_groups": True}
        case "api":
            method = text(action.get("action")) or "POST"
            return {"url": action.get("webhook"), "method": method, "headers": _headers(action), "result_name": "webhook"}
        case "flow":
            return {"flow": obj(action.get("flow")) or {"name": action.get("name"), "uuid": action.get("name")}, "terminal": True}
    return {}


def _headers(config: Json) -> Json:
    return {text(header.get("name")): text(header.get("value")) for header in objects(config.get("webhook_headers"))}


def _operand(item: Json, kind: str, config: Json) -> str:
    match kind:
        case "webhook" | "resthook" | "airtime":
            return f"@results.{variable(text(item.get('label')) or 'webhook')}.category"
        case "subflow":
            return "@child.status"
        case "group":
            return "@contact.groups"
        case "form_field":
            delimiter, place = text(config.get("field_delimiter")) or " ", int(number(config.get("field_index")) or 0) + 1
            return f'@(FIELD({text(item.get("operand")).removeprefix("@")}, {place}, "{delimiter}"))'
    return text(item.get("operand")) or "@step.value"
