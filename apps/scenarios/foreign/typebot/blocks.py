"""Typebot's blocks as ours. A maker answers the block that it became, or None when it has no counterpart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import Drawing, Section, choices, differing
from apps.scenarios.foreign.formulas import FormulaError
from apps.scenarios.foreign.naming import Distinct, slug
from apps.scenarios.foreign.reading import number, obj, objects, text
from apps.scenarios.foreign.typebot.texts import Variables, calculated, option, path_of, plain, rich
from apps.scenarios.importer import Verdict

WEB_ADDRESS = r"^(https?://)?[^\s/.]+\.[^\s]+$"
OF_DAY = r"^\s*([01]?\d|2[0-3])[:.][0-5]\d\s*$"
ASKED = {
    "text input": "text", "number input": "number", "email input": "email", "url input": "regex", "date input": "date",
    "time input": "regex", "phone number input": "phone", "rating input": "number", "file input": "file",
    "choice input": "choice", "picture choice input": "choice", "cards input": "choice",
}  # fmt: skip
OPERATORS = {
    "Equal to": "equals", "Not equal": "not_equals", "Contains": "contains", "Does not contain": "not_contains", "Greater than": "gt",
    "Less than": "lt", "Greater or equal to": "gte", "Less or equal to": "lte", "Is set": "is_set", "Is empty": "is_empty",
    "Starts with": "starts", "Ends with": "ends", "Matches regex": "matches",
}  # fmt: skip
READY = {
    "Now": "{{ now }}", "Today": "{{ today }}", "Yesterday": "{{ now | shift: '-1 day' }}", "Tomorrow": "{{ now | shift: '1 day' }}",
    "User ID": "{{ lead.id }}", "Contact name": "{{ user_name }}", "Phone number": "{{ user_phone }}", "Empty": "",
    "Environment name": "{{ channel.kind }}",
}  # fmt: skip
NO_QUESTION = "👇"  # above buttons that nothing is asked with: messengers show no buttons without a text
FAILURES = ("client_error", "server_error", "timeout", "refused")


@dataclass
class Place:
    """Where a block stands: drawing and section, its group's title, where it is drawn, the file's variables."""

    drawing: Drawing
    section: Section
    title: str
    at: tuple[float, float]
    known: Variables
    said: list[str] = field(default_factory=list)

    def node(self, kind: str, params: Json) -> Json:
        found = self.drawing.node(self.section, kind, params, title=self.title, place=self.at)
        self.at = (self.at[0], self.at[1] + 150)
        return found

    def tell(self, what: str, verdict: Verdict, message: str = "", *, node: Json | None = None) -> None:
        self.drawing.tell(self.title, what, verdict, message, node=node, section=self.section)


@dataclass
class Made:
    """A block of ours: where the way goes on (`onward`), and exits that an item of theirs leads out of (`ways`: exit → item)."""

    node: Json
    onward: tuple[str, ...] = ("next",)
    ways: dict[str, Json] = field(default_factory=dict)


Maker = Callable[[Place, Json], Made | None]


def make(place: Place, block: Json) -> Made | None:
    kind = text(block.get("type"))
    if kind in ASKED:
        return ask(place, block)
    maker = MAKERS.get(kind)
    if maker is None:
        place.tell(kind or "block", "unsupported", UNSUPPORTED.get(kind, "There is no such block here."))
        return None
    return maker(place, block)


def done(place: Place, made: Made, what: str, lost: Sequence[str], near: str = "") -> Made:
    message = differing(lost, near)
    place.tell(what, "approximated" if message else "exact", message, node=made.node)
    return made


def says(place: Place, block: Json) -> Json:
    """Parameters of what a text block says, and the formulas that were lost on the way."""
    found = rich(obj(block.get("content")), place.known)
    place.said = found.lost
    return {"text": found.text, **({"format": "html"} if found.html else {})}


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


# --- questions -------------------------------------------------------------------------------------------------------


def ask(place: Place, block: Json, *, said: Json | None = None) -> Made:
    """A question; `said`: the text block right before it, which becomes its text."""
    kind, lost, near = text(block.get("type")), list(place.said), ""
    params: Json = {"kind": ASKED[kind], "save_as": place.known.at(option(block, "variableId")), "attempts": 0, **(said or {})}
    retry = plain(text(option(block, "retryMessageContent")), place.known)
    if retry.text:
        params["unrecognised_text"] = retry.text
    ways: dict[str, Json] = {}
    if ASKED[kind] == "choice":
        near = _choices(place, block, params, ways, lost)
    elif ASKED[kind] == "regex":
        params["pattern"] = WEB_ADDRESS if kind == "url input" else OF_DAY
    elif ASKED[kind] == "number":
        _range(block, params, kind)
    node = place.node("input", params)
    return done(place, Made(node, ("ok",), ways), kind, lost, near)


def _choices(place: Place, block: Json, params: Json, ways: dict[str, Json], lost: list[str]) -> str:
    """Fills in the choices; the items that lead out by themselves go into `ways`. Answers what differs."""
    dynamic = text(option(block, "dynamicVariableId"))
    if dynamic:
        params["options"] = f"{{{{ {place.known.at(dynamic)} }}}}"
        return ""
    labels, items = [], []
    for index, item in enumerate(objects(block.get("items"))):
        written = plain(text(item.get("content")) or text(item.get("title")), place.known)
        lost += written.lost
        labels.append(written.text or f"{index + 1}")
        items.append(item)
    by_label: dict[str, Json] = {}
    for label, item in zip(labels, items, strict=True):
        by_label.setdefault(label, item)
    params["choices"] = choices(labels, language=place.drawing.language)
    if not params["choices"]:
        params["kind"] = "text"
        return "it has no choices"
    if not str(params.get("text", "")).strip():
        params["text"] = NO_QUESTION
    ways.update({str(choice["id"]): by_label[str(choice["label"])] for choice in params["choices"]})
    if option(block, "isMultipleChoice") is True:
        return "one answer is taken where several could be chosen"
    return "" if text(block.get("type")) == "choice input" else "pictures of the choices are left out"


def _range(block: Json, params: Json, kind: str) -> None:
    low = number(option(block, "min")) if kind == "number input" else 0 if text(option(block, "startsAt")) == "0" else 1
    high = number(option(block, "max")) if kind == "number input" else number(option(block, "length")) or 10
    bounds = [f"value {sign} {bound:g}" for sign, bound in ((">=", low), ("<=", high)) if bound is not None]
    if bounds:
        params["validation"] = " and ".join(bounds)


# --- logic -----------------------------------------------------------------------------------------------------------


def _set_variable(place: Place, block: Json) -> Made | None:
    what, kind = "Set variable", text(option(block, "type"))
    name = place.known.at(option(block, "variableId"), otherwise="")
    if not name:
        return None
    if kind in READY:
        value: object = READY[kind]
    elif kind not in {"", "Custom"}:
        place.tell(what, "unsupported", f"“{kind}” has no counterpart.")
        return None
    else:
        value = _value(place, text(option(block, "expressionToEvaluate")))
        if value is None:
            place.tell(what, "unsupported", "The value is JavaScript. Make it a custom action.")
            return None
    return done(place, Made(place.node("set_variable", {"variables": [{"name": name, "value": value}]})), what, [])


def _value(place: Place, expression: str) -> object | None:
    """A number, a calculation, or a text with placeholders; None for real code."""
    found = number(expression)
    if found is not None and expression.strip() == expression.strip().lstrip("+"):
        return int(found) if found.is_integer() else found
    try:
        return f"{{{{ {calculated(expression, place.known)} }}}}"
    except FormulaError:
        if any(sign in expression for sign in ("=>", "();", "return ", "const ", "let ", ";", "new ", "Math.", "JSON.")):
            return None
        written = plain(expression, place.known)
        return None if written.lost else written.text


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
        name = ids(slug(text(item.get("displayCondition")) or f"if-{index + 1}", sign="-"))
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
    if operator == "matches":
        value = value.strip("/")
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
    "Set variable": _set_variable,
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
UNSUPPORTED = {
    "Code": "Make it a custom action in JavaScript.",
    "Script": "Make it a custom action in JavaScript.",
    "payment input": "There are no payments here; send a link of your payment system.",
    "Typebot link": "The other bot is not in the file. Import it too and lead to it by an event.",
    "Google Sheets": "Bring the sheet in as custom data.",
    "Google Analytics": "Subscribe to events instead.",
    "Pixel": "Subscribe to events instead.",
    "Email": "Use an action that sends a request to a mail service.",
    "OpenAI": "Use an agent.",
    "openai": "Use an agent.",
    "Return": "A called section comes back by its Exit point.",
    "webhook": "Use an endpoint that emits an event.",
}
