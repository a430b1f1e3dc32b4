"""RapidPro's actions as our blocks: each returns the block that it became, or None when it has no counterpart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import Drawing, Section, choices, differing, translated
from apps.scenarios.foreign.naming import category_of, slug, variable
from apps.scenarios.foreign.rapidpro.bodies import Body
from apps.scenarios.foreign.rapidpro.languages import language
from apps.scenarios.foreign.rapidpro.tests import group_name, is_dynamic
from apps.scenarios.foreign.rapidpro.texts import Used, write
from apps.scenarios.foreign.reading import number, obj, rows, text
from apps.scenarios.importer import Verdict

MEDIA = {"image": "image", "audio": "audio", "video": "video", "document": "file", "application": "file", "sticker": "sticker"}
ENDINGS = {"image": ("jpg", "jpeg", "png", "gif", "webp"), "audio": ("mp3", "m4a", "ogg", "wav"), "video": ("mp4", "mov", "webm")}
LEFT_OUT = {
    "template": "the message template of WhatsApp is left out",
    "templating": "the message template of WhatsApp is left out",
    "labels": "its labels are left out",
    "all_urns": "it is sent to the chat only, not to every address of the person",
}
# Set by `interactive.py` and `weni.py`: how the message differs already, and what it asks for besides a text.
DIFFERS = "differs"
HINT = "hint"
MOST_BUTTONS = 50
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
WITHOUT_BODY = frozenset({"GET", "HEAD"})
WEBHOOK_EXITS = ("client_error", "server_error", "timeout", "refused")


@dataclass
class Place:
    """Where an action stands: its flow's drawing and section, the name of its node, where it is drawn, and the file's findings."""

    drawing: Drawing
    section: Section
    title: str
    at: tuple[float, float]
    used: Used
    localization: Json
    categories: frozenset[str]
    flow: Mapping[tuple[str, ...], str] = field(default_factory=dict)  # what the flow is called, by the path that names it
    results: tuple[str, ...] = ()
    unnamed: bool = False  # the flow does not name its language, so a translation may be the text itself

    def node(self, kind: str, params: Json, *, title: str = "") -> Json:
        found = self.drawing.node(self.section, kind, params, title=title, place=self.at)
        self.at = (self.at[0], self.at[1] + 150)
        return found

    def tell(self, what: str, verdict: Verdict, message: str = "", *, node: Json | None = None) -> None:
        self.drawing.tell(self.title, what, verdict, message, node=node, section=self.section)

    def plain(self, value: Any, lost: list[str]) -> str:
        """A template in Liquid; formulas that were lost are added to `lost`."""
        found = write(text(value), self.used)
        lost += found.told
        return found.text

    def said(self, base: Any, uuid: str, field: str, lost: list[str], *, index: int = 0) -> str | Json:
        """A text with its translations."""
        others = {
            language(code): self.plain(rows(obj(obj(found).get(uuid)).get(field))[index : index + 1][0], lost)
            for code, found in self.localization.items()
            if len(rows(obj(obj(found).get(uuid)).get(field))) > index
        }
        own = others.get(self.drawing.language, "") if self.unnamed else ""
        return translated(own or self.plain(base, lost), others, language=self.drawing.language)


@dataclass
class Chain:
    """Blocks in a row: the first one's id, and the loose exits from which the way goes on."""

    first: str
    loose: list[tuple[Json, str]]


Made = Chain | None
Maker = Callable[[Place, Json], Made]
ONWARD = {
    "message": ("next",),
    "set_variable": ("next",),
    "delay": ("next",),
    "input": (),  # what follows an answer hangs on the router
    "operator": ("connected", "limit", "timeout"),
    "emit_event": ("next",),
    "action_send_request": ("ok", *WEBHOOK_EXITS),
    "registered_users__set": ("ok", "invalid"),
}


def make(place: Place, action: Json) -> Made:
    kind = text(action.get("type"))
    maker = MAKERS.get(kind)
    if maker is None:
        place.tell(kind or "action", "unsupported", UNSUPPORTED.get(kind, "There is no such action here."))
        return None
    return maker(place, action)


def done(place: Place, node: Json, what: str, lost: list[str], near: str = "") -> Chain:
    """Report a block: near when formulas were lost or something differs."""
    message = differing(lost, near)
    place.tell(what, "approximated" if message else "exact", message, node=node)
    kind = node["params"]["action"] if node["kind"] == "action" else node["kind"]
    return Chain(node["id"], [(node, taken) for taken in ONWARD[kind]])


def message_params(place: Place, action: Json, lost: list[str]) -> Json:
    """What a message says: text with translations, media. How it differs is added to `lost`."""
    uuid = text(action.get("uuid"))
    params: Json = {"text": place.said(action.get("text"), uuid, "text", lost)}
    given = [text(item) for item in rows(action.get("attachments"))] or [text(action.get("audio_url"))]
    media = [found for index, item in enumerate(filter(None, given)) if (found := _attachment(place, item, uuid, lost, index=index))]
    lost += [why for key, why in LEFT_OUT.items() if action.get(key)]
    lost += filter(None, [text(action.get(DIFFERS))])
    return {**params, "media": media[:10]} if media else params


def replies(place: Place, action: Json, lost: list[str]) -> list[Json]:
    """Quick replies as choices; version 14 writes them as objects."""
    uuid = text(action.get("uuid"))
    given = [text(obj(item).get("text")) if isinstance(item, dict) else text(item) for item in rows(action.get("quick_replies"))]
    labels = [place.said(label, uuid, "quick_replies", lost, index=index) for index, label in enumerate(given)]
    return choices(labels, language=place.drawing.language)[:MOST_BUTTONS]


def _attachment(place: Place, item: str, uuid: str, lost: list[str], *, index: int) -> Json | None:
    """A file with its translations. Only what has an address of its own can be sent: RapidPro's storage is not in the export."""
    kind, address = _kind_and_address(item)
    if not address.startswith(("http://", "https://", "@")):
        lost.append(f"a file is left out, because its address is not complete: {address[:80]}")
        return None
    others = {
        language(code): place.plain(_kind_and_address(text(given[index]))[1], lost)
        for code, found in place.localization.items()
        for given in [rows(obj(obj(found).get(uuid)).get("attachments")) or rows(obj(obj(found).get(uuid)).get("audio_url"))]
        if len(given) > index
    }
    return {"kind": kind, "url": translated(place.plain(address, lost), others, language=place.drawing.language)}


def _kind_and_address(item: str) -> tuple[str, str]:
    """`image/jpeg:https://…` in its parts; what begins with an address or a formula is guessed by its ending."""
    kind, _colon, address = item.partition(":")
    known = MEDIA.get(kind.split("/", maxsplit=1)[0])
    if known and address:
        return known, address
    ending = item.rpartition(".")[2].lower()
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), "file"), item


def _send(place: Place, action: Json) -> Made:
    lost: list[str] = []
    params = message_params(place, action, lost)
    if not params.get("media") and not text(action.get("text")).strip():
        template = action.get("templating") or action.get("template")
        why = "The words of a message template of WhatsApp are not in the file." if template else "The message has no text."
        place.tell("send_msg", "unsupported", why)
        return None
    dropped = bool(rows(action.get("quick_replies")))
    near = "quick replies are left out, because no answer is waited for" if dropped else ""
    return done(place, place.node("message", params), "send_msg", lost, near)


def _set_result(place: Place, action: Json) -> Made:
    lost: list[str] = []
    key = variable(text(action.get("name")))
    values = [{"name": key, "value": place.plain(action.get("value"), lost)}]
    if key in place.categories and text(action.get("category")):
        values.append({"name": category_of(key), "value": place.plain(action.get("category"), lost)})
    return done(place, place.node("set_variable", {"variables": values}), "set_run_result", lost)


def _set_local(place: Place, action: Json) -> Made:
    """Variables of one run (definition 14)."""
    lost: list[str] = []
    name, value = variable(text(action.get("local"))), place.plain(action.get("value"), lost)
    match text(action.get("operation")):
        case "clear":
            value = ""
        case "increment":
            value = f"{{{{ {name} | default: 0 | plus: {number(action.get('value')) or 1:g} }}}}"
    return done(place, place.node("set_variable", {"variables": [{"name": name, "value": value}]}), "set_run_local", lost)


def _keep(place: Place, what: str, values: Json, lost: list[str], near: str = "") -> Chain:
    node = place.node("action", {"action": "registered_users__set", "params": {"values": values}})
    return done(place, node, what, lost, near)


def _set_field(place: Place, action: Json) -> Made:
    lost: list[str] = []
    field = obj(action.get("field"))
    key = place.used.attribute(text(field.get("key")) or text(field.get("name")), text(field.get("name")))
    return _keep(place, "set_contact_field", {key: place.plain(action.get("value"), lost)}, lost)


def _set_own(column: str, source: str) -> Maker:
    def make_one(place: Place, action: Json) -> Made:
        lost: list[str] = []
        given = text(action.get(source))
        value = language(given) if given and column == "language" else place.plain(given, lost)
        return _keep(place, f"set_contact_{column}", {column: value}, lost)

    return make_one


def _add_urn(place: Place, action: Json) -> Made:
    lost: list[str] = []
    column = {"tel": "phone", "mailto": "email"}.get(text(action.get("scheme")))
    if column is None:
        place.tell("add_contact_urn", "unsupported", "Only phones and e-mail addresses can be added to a person.")
        return None
    return _keep(place, "add_contact_urn", {column: place.plain(action.get("path"), lost)}, lost)


def _groups(*, joins: bool) -> Maker:
    def make_one(place: Place, action: Json) -> Made:
        what = "add_contact_groups" if joins else "remove_contact_groups"
        given = [group for group in rows(action.get("groups")) if isinstance(group, dict | str)]
        named = {group_name(group, place.used): joins for group in given if not is_dynamic(group)}
        near = ["a group is kept as a yes/no attribute of the person"]
        if action.get("all_groups") is True:
            named, near = dict.fromkeys(place.used.groups, False), ["only the groups that this file names are left"]
        if not named:
            place.tell(what, "unsupported", "Groups that only the run can tell have no counterpart.")
            return None
        if len(named) < len(given):
            near.append("a group that only the run can tell is left out")
        return _keep(place, what, named, [], "; ".join(near))

    return make_one


def _webhook(place: Place, action: Json) -> Made:
    lost: list[str] = []
    key = variable(text(action.get("result_name")) or "webhook")
    headers = {text(name): place.plain(value, lost) for name, value in obj(action.get("headers")).items() if text(name)}
    method = text(action.get("method")).upper() or "GET"
    if method not in METHODS:
        place.tell(
            "call_webhook",
            "unsupported",
            f"“{text(action.get('url'))}” is a function of the other system, no address that could be called.",
        )
        return None
    params: Json = {
        "method": method,
        "url": place.plain(action.get("url"), lost),
        "headers": headers,
        "save": dict.fromkeys(dict.fromkeys(("webhook", key)), "json"),
    }
    if method not in WITHOUT_BODY:
        params |= _body(place, action, lost)
    call = place.node("action", {"action": "action_send_request", "params": params})
    chain = done(place, call, "call_webhook", lost)
    return _with_category(place, call, category_of(key)) if key in place.categories else chain


def _body(place: Place, action: Json, lost: list[str]) -> Json:
    template = text(action.get("body"))
    if not template:
        if place.used.older:
            lost.append("the body that RapidPro makes by itself is left out; write one")
        return {}
    body = Body(place.used, place.flow, {name: _result_of(place, name) for name in place.results})
    made = body.of(template)
    lost += body.lost
    return {"body": place.plain(template, lost) if made is None else made}


def _result_of(place: Place, name: str) -> Json:
    category = {"category": f"{{{{ {category_of(name)} }}}}"} if name in place.categories else {}
    return {"value": f"{{{{ {name} }}}}", **category}


def _with_category(place: Place, call: Json, name: str) -> Chain:
    """After the call a variable says how it went, in RapidPro's words."""
    good = place.node("set_variable", {"variables": [{"name": name, "value": "Success"}]})
    bad = place.node("set_variable", {"variables": [{"name": name, "value": "Failure"}]})
    call["exits"] = {"ok": good["id"], **dict.fromkeys(WEBHOOK_EXITS, bad["id"])}
    return Chain(call["id"], [(good, "next"), (bad, "next")])


def _ticket(place: Place, action: Json) -> Made:
    lost: list[str] = []
    topic = text(obj(action.get("topic")).get("name")) or text(action.get("subject"))
    params = {"subject_alias": variable(topic) if topic else "", "message": place.plain(action.get("body") or action.get("note"), lost)}
    asked = place.node("operator", params)
    near = "name a topic of the operators that exists here; the scenario goes on when one of them took the chat"
    chain = done(place, asked, "open_ticket", lost, near)
    values = [{"name": "new_ticket", "value": "opened"}]
    key = variable(text(action.get("result_name")) or "ticket")
    if key in place.categories:
        values.append({"name": category_of(key), "value": "Success"})
    took = place.node("set_variable", {"variables": values})
    asked["exits"]["connected"] = took["id"]
    return Chain(chain.first, [(took, "next"), *((node, taken) for node, taken in chain.loose if taken != "connected")])


def _resthook(place: Place, action: Json) -> Made:
    """What is subscribed to there is an event here; it is taken to be delivered, because no answer comes back."""
    name = slug(text(action.get("resthook")), sign="-", empty="resthook")
    told = place.node("emit_event", {"name": f"resthook.{name}", "data": {"person": "{{ user_id }}"}})
    near = f"subscribe to the event resthook.{name}; it brings no answer back"
    chain = done(place, told, "call_resthook", [], near)
    values: list[Json] = [{"name": "request_status", "value": 200}]
    key = variable(text(action.get("result_name")) or "webhook")
    if key in place.categories:
        values.append({"name": category_of(key), "value": "Success"})
    after = place.node("set_variable", {"variables": values})
    told["exits"]["next"] = after["id"]
    return Chain(chain.first, [(after, "next")])


def _wait_for_time(place: Place, action: Json) -> Made:
    seconds = number(action.get("delay"))
    if seconds is None or not 0 <= seconds <= 366 * 86400:
        place.tell("wait_for_time", "unsupported", "How long to wait is not a number of seconds.")
        return None
    return done(place, place.node("delay", {"amount": seconds, "unit": "seconds"}), "wait_for_time", [])


MAKERS: dict[str, Maker] = {
    "send_msg": _send,
    "say_msg": _send,
    "set_run_result": _set_result,
    "set_run_local": _set_local,
    "set_contact_field": _set_field,
    "set_contact_name": _set_own("name", "name"),
    "set_contact_language": _set_own("language", "language"),
    "set_contact_timezone": _set_own("timezone", "timezone"),
    "add_contact_urn": _add_urn,
    "add_contact_groups": _groups(joins=True),
    "remove_contact_groups": _groups(joins=False),
    "call_webhook": _webhook,
    "call_resthook": _resthook,
    "open_ticket": _ticket,
    "wait_for_time": _wait_for_time,
}
# Actions of which a person sees nothing.
KEEPING = frozenset(kind for kind in MAKERS if kind.startswith(("set_", "add_", "remove_")))
UNSUPPORTED = {
    "enter_flow": "The flow that it enters is not in the file. Import it together with this one.",
    "call_classifier": "Classifiers have no counterpart; use a router with conditions or an agent.",
    "call_llm": "Use an agent.",
    "send_broadcast": "Messages to others are sent by a broadcast.",
    "start_session": "Starting a flow for others is done by a broadcast or an internal event.",
    "send_email": "Use an action that sends a request to a mail service.",
    "transfer_airtime": "There is no transfer of airtime here.",
    "add_input_labels": "Messages carry no labels here.",
    "play_audio": "There are no voice calls here.",
    "set_contact_channel": "A person answers where they are asked.",
    "set_contact_status": "A person is blocked by the messenger or in the admin.",
    "request_optin": "There is no opt-in of channels here.",
    "link_google_sheet": "Bring the sheet in as custom data.",
    "send_interactive_msg": "The file names a template that it does not hold. Write the message with its buttons anew.",
    "send_whatsapp_msg": "Forms and orders of WhatsApp have no counterpart. Ask for one thing after another.",
    "send_msg_catalog": "There are no catalogues of WhatsApp here. Bring the products in as custom data.",
    "call_brain": "Use an agent.",
    "call_wenigpt": "Use an agent.",
    "call_external_service": "Use an action that sends a request to that service.",
    "run_code_action": "Make it a custom action.",
    "set_contact_profile": "A person has one profile here.",
    "wait_for_result": "There is no waiting for an answer that comes later. Use an endpoint that emits an event.",
    "say_msg": "It says nothing.",
}
