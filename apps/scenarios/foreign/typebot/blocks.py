"""Typebot's blocks as ours. A maker answers the block that it became, or None when it has no counterpart; questions and values have files of
their own.
"""

import re

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.naming import Distinct, slug
from apps.scenarios.foreign.reading import number, obj, objects, text
from apps.scenarios.foreign.typebot.place import Made, Maker, Place, done, says
from apps.scenarios.foreign.typebot.questions import ASKED, ask
from apps.scenarios.foreign.typebot.texts import option, path_of, plain
from apps.scenarios.foreign.typebot.values import set_variable

OPERATORS = {
    "Equal to": "equals", "Not equal": "not_equals", "Contains": "contains", "Does not contain": "not_contains", "Greater than": "gt",
    "Less than": "lt", "Greater or equal to": "gte", "Less or equal to": "lte", "Is set": "is_set", "Is empty": "is_empty",
    "Starts with": "starts", "Ends with": "ends", "Matches regex": "matches",
}  # fmt: skip
FLAGGED = re.compile(r"^/(?P<pattern>.*)/[a-z]*$", re.DOTALL)
FAILURES = ("client_error", "server_error", "timeout", "refused")


def make(place: Place, block: Json) -> Made | None:
    kind = text(block.get("type"))
    if kind in ASKED:
        return ask(place, block)
    maker = MAKERS.get(kind)
    if maker is None:
        place.tell(kind or "block", "unsupported", UNSUPPORTED.get(kind, "There is no such block here."))
        return None
    return maker(place, block)


def _text(place: Place, block: Json) -> Made | None:
    params = says(place, block)
    if not params["text"].strip():
        return None
    return done(place, Made(place.node("message", params)), "text", place.said)


def _media(kind: str, message: str = "") -> Maker:
    def make_one(place: Place, block: Json) -> Made | None:
        written = plain(text(obj(block.get("content")).get("url")), place.known)
        if not written.text:
            place.tell(text(block.get("type")), "unsupported", "It has no address.")
            return None
        params: Json = {"text": written.text} if not kind else {"media": [{"kind": kind, "url": written.text}]}
        return done(place, Made(place.node("message", params)), text(block.get("type")), written.lost, message)

    return make_one


# --- logic -----------------------------------------------------------------------------------------------------------


def _condition(place: Place, block: Json) -> Made | None:
    what, ids, near = "Condition", Distinct(), list[str]()
    branches, ways = list[Json](), dict[str, Json]()
    ids("else")
    for index, item in enumerate(objects(block.get("items"))):
        content = obj(item.get("content"))
        found = [made for one in objects(content.get("comparisons")) if (made := _compared(place, one, near))]
        if not found:
            continue
        joined = found[0] if len(found) == 1 else {"any" if content.get("logicalOperator") == "OR" else "all": found}
        name = ids(slug(text(item.get("title")) or f"if-{index + 1}", sign="-"))
        branches.append({"id": name, "when": joined})
        ways[name] = item
    if not branches:
        place.tell(what, "unsupported", "It compares nothing.")
        return None
    return done(place, Made(place.node("router", {"branches": branches}), ("else",), ways), what, [], "; ".join(near))


def _compared(place: Place, comparison: Json, near: list[str]) -> Json | None:
    name = place.known.at(comparison.get("variableId"), otherwise="")
    sign = text(comparison.get("comparisonOperator"))
    value = plain(text(comparison.get("value")), place.known).text
    if not name:
        return None
    if sign == "Does not match regex":
        near.append("“does not match” is checked as “is not equal”")
        return {"variable": name, "operator": "not_equals", "value": value}
    if sign not in OPERATORS:
        near.append("a comparison without an operator is “equals”")
    operator = OPERATORS.get(sign, "equals")
    flagged = FLAGGED.match(value) if operator == "matches" else None
    value = flagged["pattern"] if flagged else value
    bare = operator in {"is_set", "is_empty"}
    return {"variable": name, "operator": operator, **({} if bare else {"value": value})}


def _wait(place: Place, block: Json) -> Made | None:
    written = plain(text(option(block, "secondsToWaitFor")), place.known)
    seconds = number(written.text)
    if not written.text or (seconds is not None and not 0 <= seconds <= 366 * 86400):
        place.tell("Wait", "unsupported", "How long to wait is not a number of seconds.")
        return None
    amount: object = written.text if seconds is None else seconds
    return done(place, Made(place.node("delay", {"amount": amount, "unit": "seconds"})), "Wait", written.lost)


def _ab_test(place: Place, block: Json) -> Made | None:
    items = objects(block.get("items"))[:2]
    if not items:
        return None
    share = number(option(block, "aPercent"))
    first = 50.0 if share is None or not 0 <= share <= 100 else share  # noqa: PLR2004
    named = dict(zip(("a", "b"), items, strict=False))
    branches = [{"id": name, "share": part} for name, part in zip(named, (first, 100 - first), strict=False)]
    return done(place, Made(place.node("router", {"mode": "share", "branches": branches}), ("else",), named), "AB test", [])


def _redirect(place: Place, block: Json) -> Made | None:
    written = plain(text(option(block, "url")), place.known)
    if not written.text:
        return None
    return done(place, Made(place.node("message", {"text": written.text})), "Redirect", written.lost, "the address is sent as a link")


def _request(place: Place, block: Json) -> Made | None:
    request = obj(option(block, "webhook")) or obj(block.get("webhook"))
    lost: list[str] = []

    def written(value: object) -> str:
        found = plain(text(value), place.known)
        lost.extend(found.lost)
        return found.text

    if not text(request.get("url")):
        place.tell("HTTP request", "unsupported", "The file does not hold its address.")
        return None
    method = text(request.get("method")).upper()
    params: Json = {
        "method": method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"} else "POST",
        "url": written(request.get("url")),
        "query": {text(row.get("key")): written(row.get("value")) for row in objects(request.get("queryParams")) if text(row.get("key"))},
        "headers": {text(row.get("key")): written(row.get("value")) for row in objects(request.get("headers")) if text(row.get("key"))},
        "save": {
            place.known.at(row.get("variableId")): path_of(text(row.get("bodyPath")))
            for row in objects(option(block, "responseVariableMapping"))
            if text(row.get("variableId"))
        },
    }
    if text(request.get("body")) and params["method"] not in {"GET", "HEAD"}:
        params["body"] = written(request.get("body"))
    node = place.node("action", {"action": "action_send_request", "params": {name: value for name, value in params.items() if value}})
    return done(place, Made(node, ("ok", *FAILURES)), "HTTP request", lost)


def _operator(place: Place, _block: Json) -> Made:
    node = place.node("operator", {})
    return done(place, Made(node, ("connected", "limit", "closed", "timeout")), "Chatwoot", [], "name a topic of the operators")


MAKERS: dict[str, Maker] = {
    "text": _text,
    "image": _media("image"),
    "audio": _media("audio"),
    "video": _media("", "the address of the film is sent"),
    "embed": _media("", "the address of the page is sent"),
    "Set variable": set_variable,
    "Condition": _condition,
    "Wait": _wait,
    "AB test": _ab_test,
    "Redirect": _redirect,
    "Webhook": _request,
    "HTTP request": _request,
    "Zapier": _request,
    "Make.com": _request,
    "Pabbly": _request,
    "Chatwoot": _operator,
}
AGENT = "Use an agent."
UNSUPPORTED = {
    "Code": "Make it a custom action in JavaScript.",
    "Script": "Make it a custom action in JavaScript.",
    "payment input": "There are no payments here; send a link of your payment system.",
    "Typebot link": "The other bot is not in the file. Import it too and lead to it by an event.",
    "Google Sheets": "Bring the sheet in as custom data.",
    "Google Analytics": "Subscribe to events instead.",
    "Pixel": "Subscribe to events instead.",
    "Email": "Use an action that sends a request to a mail service.",
    "Return": "Nothing calls this group, so there is nowhere to come back to.",
    "Jump": "It names no group.",
    "cal-com": "Send the address of the calendar as a link.",
    "qr-code": "Send the picture of the code by its address.",
    **dict.fromkeys(
        (
            "OpenAI",
            "openai",
            "mistral",
            "anthropic",
            "groq",
            "together-ai",
            "open-router",
            "deepseek",
            "perplexity",
            "dify-ai",
            "chat-node",
        ),
        AGENT,
    ),
    "webhook": "Use an endpoint that emits an event.",
}
