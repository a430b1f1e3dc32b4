"""Telegram's own reading of `parse_mode=HTML`: text and entities, or the error that the real server gives."""

import html
import re
from typing import Any

from tools.emulators.telegram.refusals import bad_request

KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
}
MARKUP = re.compile(r"<(?P<close>/?)(?P<tag>[^\s>/]*)(?P<rest>[^>]*)(?P<end>>?)|&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)


def units(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts offsets."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def read_html(source: str) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities of an HTML message; raises "can't parse entities" as Telegram does."""
    text, position = "", 0
    entities: list[dict[str, Any]] = []
    opened: list[tuple[str, int, str]] = []
    for token in MARKUP.finditer(source):
        text += source[position : token.start()]
        position = token.end()
        if token.group("tag") is None:
            text += html.unescape(token.group())
            continue
        offset = len(source[: token.start()].encode())
        if not token.group("end"):
            raise bad_request(f"can't parse entities: Unclosed start tag at byte offset {offset}")
        tag = token.group("tag").lower()
        if token.group("close"):
            entities += closed_entity(opened, tag=tag, text=text, offset=offset)
        else:
            opened.append(opened_tag(tag, rest=token.group("rest"), start=units(text), offset=offset))
    if opened:
        raise bad_request(f"can't parse entities: Can't find end tag corresponding to start tag \"{opened[-1][0]}\"")
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return text + source[position:], entities


def opened_tag(tag: str, *, rest: str, start: int, offset: int) -> tuple[str, int, str]:
    """A start tag as (name, start in UTF-16 units, link)."""
    if tag not in KINDS or (tag == "span" and "tg-spoiler" not in rest):
        raise bad_request(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {offset}')
    found = HREF.search(rest) if tag == "a" else None
    return tag, start, html.unescape(next(filter(None, found.groups()), "")) if found else ""


def closed_entity(opened: list[tuple[str, int, str]], *, tag: str, text: str, offset: int) -> list[dict[str, Any]]:
    """The entity that an end tag completes; none for an empty one or a link without an address."""
    if not opened:
        raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {offset}")
    name, start, link = opened.pop()
    if name != tag:
        raise bad_request(f'can\'t parse entities: Unmatched end tag at byte offset {offset}, expected "</{name}>", found "</{tag}>"')
    length = units(text) - start
    if not length or (name == "a" and not link):
        return []
    entity: dict[str, Any] = {"type": KINDS[name], "offset": start, "length": length}
    return [entity | {"url": link} if link else entity]
