"""Typebot's inputs as our questions."""

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import choices
from apps.scenarios.foreign.reading import number, objects, text
from apps.scenarios.foreign.typebot.place import Made, Place, done
from apps.scenarios.foreign.typebot.texts import option, plain

WEB_ADDRESS = r"^(https?://)?[^\s/.]+\.[^\s]+$"
OF_DAY = r"^\s*([01]?\d|2[0-3])[:.][0-5]\d\s*$"
ASKED = {
    "text input": "text", "number input": "number", "email input": "email", "url input": "regex", "date input": "date",
    "time input": "regex", "phone number input": "phone", "rating input": "number", "file input": "file",
    "choice input": "choice", "picture choice input": "choice", "cards": "choice",
}  # fmt: skip
NO_QUESTION = "👇"  # above buttons that nothing is asked with: messengers show no buttons without a text
MOST_PICTURES = 10


def ask(place: Place, block: Json, *, said: Json | None = None) -> Made:
    """A question; `said`: the text block right before it, which becomes its text."""
    kind, lost = text(block.get("type")), list(place.said)
    params: Json = {"kind": ASKED[kind], "save_as": place.known.at(_kept_in(block)), "attempts": 0, **(said or {})}
    retry = plain(text(option(block, "retryMessageContent")), place.known)
    if retry.text:
        params["unrecognised_text"] = retry.text
    ways: dict[str, Json] = {}
    match ASKED[kind]:
        case "choice":
            lost += _choices(place, block, params, ways)
        case "regex":
            params["pattern"] = WEB_ADDRESS if kind == "url input" else OF_DAY
        case "number":
            _range(block, params, kind)
        case "phone":
            params |= _country(block)
        case "date" if option(block, "isRange") is True or option(block, "hasTime") is True:
            lost.append("one date is asked for, without a time")
        case "file" if option(block, "isMultipleAllowed") is True:
            lost.append("the files of one message are taken")
    node = place.node("input", params)
    return done(place, Made(node, ("ok",), ways), kind, lost)


def _kept_in(block: Json) -> object:
    mapped = next((row.get("variableId") for row in objects(option(block, "saveResponseMapping"))), None)
    return option(block, "variableId") or mapped


def _choices(place: Place, block: Json, params: Json, ways: dict[str, Json]) -> list[str]:
    """Fills in the choices; the items that lead out by themselves go into `ways`. Answers what differs."""
    dynamic = text(option(block, "dynamicVariableId"))
    if dynamic:
        params["options"] = f"{{{{ {place.known.at(dynamic)} }}}}"
        return []
    differs: list[str] = []
    pictures: list[Json] = []
    listed = _cards(place, block, pictures) if block.get("type") == "cards" else _items(place, block, pictures, differs)
    if pictures:
        params["media"] = pictures[:MOST_PICTURES]
        differs.append("pictures stand above one list of buttons")
    if len(pictures) > MOST_PICTURES:
        differs.append(f"only the first {MOST_PICTURES} pictures came over")
    by_label: dict[str, Json] = {}
    for label, item in listed:
        by_label.setdefault(label, item)
    params["choices"] = choices(list(by_label), language=place.drawing.language)
    if not params["choices"]:
        params["kind"] = "text"
        return [*differs, "it has no choices"]
    for choice in params["choices"]:
        ways[str(choice["id"])] = item = by_label[str(choice["label"])]
        if text(item.get("value")):
            choice["value"] = plain(text(item.get("value")), place.known).text
    if not str(params.get("text", "")).strip():
        params["text"] = NO_QUESTION
    if option(block, "isMultipleChoice") is True:
        differs.append("one answer is taken where several could be chosen")
    return differs


def _items(place: Place, block: Json, pictures: list[Json], differs: list[str]) -> list[tuple[str, Json]]:
    """Buttons, and the pictures of a picture choice, as labels with the item behind each."""
    found = []
    for index, item in enumerate(objects(block.get("items"))):
        written = plain(text(item.get("content")) or text(item.get("title")), place.known)
        differs += written.lost
        found.append((written.text or f"{index + 1}", item))
        shown = item.get("displayCondition")
        if isinstance(shown, dict) and shown.get("isEnabled") is True:
            differs.append("a button that was shown under a condition is always shown")
        pictures += _picture(place, item, "pictureSrc")
    return found


def _cards(place: Place, block: Json, pictures: list[Json]) -> list[tuple[str, Json]]:
    """Cards: their pictures with what they say, then one button for each of their ways."""
    found = []
    for card in objects(block.get("items")):
        title = plain(text(card.get("title")), place.known).text
        pictures += _picture(place, card, "imageUrl")
        for way in objects(card.get("paths")) or [card]:
            label = " · ".join(filter(None, (title, plain(text(way.get("text")), place.known).text)))
            found.append((label, {**way, "value": title}))
    return found


def _picture(place: Place, item: Json, source: str) -> list[Json]:
    """The picture of an item with what it says; none without an address."""
    address, title, about = (plain(text(item.get(key)), place.known).text for key in (source, "title", "description"))
    return [{"kind": "image", "url": address, "caption": "\n".join(filter(None, (title, about)))}] if address else []


def _range(block: Json, params: Json, kind: str) -> None:
    low = number(option(block, "min")) if kind == "number input" else 0 if text(option(block, "startsAt")) == "0" else 1
    high = number(option(block, "max")) if kind == "number input" else number(option(block, "length")) or 10
    bounds = [f"value {sign} {bound:g}" for sign, bound in ((">=", low), ("<=", high)) if bound is not None]
    if bounds:
        params["validation"] = " and ".join(bounds)


def _country(block: Json) -> Json:
    code = text(option(block, "defaultCountryCode")).upper()
    return {"region": code} if len(code) == 2 and code.isascii() and code.isalpha() else {}  # noqa: PLR2004  as countries are named
