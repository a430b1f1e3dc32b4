"""What can be said, made to fit what a messenger can show: nothing is lost, it only gets plainer (`channels.md` 2.9, 2.10)."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from apps.bots import markup, splitting
from apps.bots.adapter import Capabilities
from apps.bots.content import Button, Contact, Content, Location, Media

SUBSTITUTES = {"sticker": ("image", "file"), "voice": ("audio", "file")}
ALBUM_FAMILIES = (frozenset({"image", "video"}), frozenset({"audio"}), frozenset({"file"}))
GIVEN_UP_FIRST = ("url", "callback", "location", "contact")
WITHOUT_CAPTION = frozenset({"sticker"})

_TYPED_NUMBER = re.compile(r"(\d{1,3})\s*[.)]?")


@dataclass
class _Shown:
    """The buttons that stay buttons, and the lines of text that the others became."""

    rows: list[list[Button]] = field(default_factory=list)
    keyboard: str = "inline"
    lines: list[str] = field(default_factory=list)


def fit(content: Content, capabilities: Capabilities) -> list[Content]:
    """Parts to send one after the other, each one message of the messenger; buttons are on the last. Empty when nothing is left to say."""
    if _fits_as_it_is(content, capabilities):
        return [content]
    if content.edit and not capabilities.edit and not _says_something(content):
        return []
    if content.format == "html" and not capabilities.html:
        content = _without_markup(content)
    shown = _buttons(content, capabilities)
    files, file_lines = _files(content, capabilities)
    cards, card_lines = _place_and_person(content, capabilities)
    parts = _with_text(content, capabilities, [*files, *cards], [*file_lines, *card_lines, *shown.lines])
    return _finished(content, capabilities, parts, shown)


def match_typed(text: str, buttons: Sequence[Button]) -> Button | None:
    """The button that a typed answer means: its label, or its number among the answerable ones ("2", "2.", "2)").

    A label that is a number wins over a position, and where labels are numbers a position means nothing.
    """
    typed, answerable = _normal(text), [button for button in buttons if button.kind == "callback"]
    for button in answerable:
        if typed and (typed == _normal(button.label) or _is_cut_of(typed, _normal(button.label))):
            return button
    number = _TYPED_NUMBER.fullmatch(typed)
    if number is None or any(_normal(button.label).isdigit() for button in answerable):
        return None
    position = int(number.group(1)) - 1
    return answerable[position] if 0 <= position < len(answerable) else None


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text.replace("…", "\0")).casefold().split())


def _is_cut_of(typed: str, label: str) -> bool:
    """A messenger that returns the label of a pressed button returns it as we had shortened it."""
    return len(typed) > 1 and typed.endswith("\0") and label.startswith(typed[:-1])


def _fits_as_it_is(content: Content, capabilities: Capabilities) -> bool:
    """The common case, decided without any work: a short plain text."""
    return (
        bool(content.text.strip())
        and content.format == "plain"
        and splitting.units(content.text) <= capabilities.text_chars
        and not (content.buttons or content.media or content.location or content.contact or content.edit or content.typing)
        and content.keyboard != "remove"
    )


def _says_something(content: Content) -> bool:
    return bool(content.text.strip() or content.media or content.location or content.contact)


def _without_markup(content: Content) -> Content:
    media = [item.model_copy(update={"caption": markup.plain(item.caption)}) for item in content.media]
    return content.model_copy(update={"format": "plain", "text": markup.plain(content.text), "media": media})


# --- buttons ---------------------------------------------------------------------------------------------------------


def _buttons(content: Content, capabilities: Capabilities) -> _Shown:
    """Which buttons can be shown, in which keyboard, and what is said instead of the others."""
    shown = _Shown(keyboard=_keyboard(content, capabilities))
    room = capabilities.inline_buttons if shown.keyboard == "inline" else capabilities.reply_buttons
    as_text = _too_many(content.flat_buttons(), capabilities, keyboard=shown.keyboard, room=room)
    number = 0
    for row in content.buttons:
        kept = []
        for button in row:
            number += button.kind == "callback"
            if button.kind in as_text or not _showable(button, capabilities, keyboard=shown.keyboard, room=room):
                shown.lines.append(_line(button, number))
            else:
                kept.append(button.model_copy(update={"label": splitting.shortened(button.label, capabilities.label_chars)}))
        shown.rows += _chunks(kept, capabilities.buttons_per_row)
    return shown


def _keyboard(content: Content, capabilities: Capabilities) -> str:
    """The kind of keyboard to use: asking for a phone or a place needs a reply keyboard where there is one."""
    asks = any(_is_request(button) and _can_ask(button, capabilities) for button in content.flat_buttons())
    wanted = "reply" if content.keyboard == "reply" or asks else "inline"
    if wanted == "reply" and not capabilities.reply_buttons:
        return "inline"
    return "reply" if wanted == "inline" and not capabilities.inline_buttons and capabilities.reply_buttons else wanted


def _is_request(button: Button) -> bool:
    return button.kind in {"contact", "location"}


def _can_ask(button: Button, capabilities: Capabilities) -> bool:
    return capabilities.phone_request if button.kind == "contact" else capabilities.location_request


def _showable(button: Button, capabilities: Capabilities, *, keyboard: str, room: int) -> bool:
    if not room or not button.label.strip():
        return False
    if button.kind == "url":
        return keyboard == "inline" and capabilities.url_buttons and _is_address(button.url)
    return not _is_request(button) or _can_ask(button, capabilities)


def _too_many(buttons: list[Button], capabilities: Capabilities, *, keyboard: str, room: int) -> frozenset[str]:
    """Kinds that must become text so that the rest fits: links first, then every choice (half a list of choices would mislead)."""
    left = [button.kind for button in buttons if _showable(button, capabilities, keyboard=keyboard, room=room)]
    dropped: list[str] = []
    while len(left) > room:
        dropped.append(next(kind for kind in GIVEN_UP_FIRST if kind in left))
        left = [kind for kind in left if kind != dropped[-1]]
    return frozenset(dropped)


def _line(button: Button, number: int) -> str:
    if button.kind == "callback":
        return f"{number}. {button.label}"
    if button.kind == "url":
        return ": ".join(filter(None, [button.label.strip(), button.url]))
    return _("Please type your phone number.") if button.kind == "contact" else _("Please type the address.")


def _chunks(row: list[Button], size: int) -> Iterator[list[Button]]:
    step = size or len(row) or 1
    return (row[start : start + step] for start in range(0, len(row), step))


def _is_address(url: str) -> bool:
    """A link that messengers take on a button; one bad link makes them refuse the whole message."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "tg" or (parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and not re.search(r"\s", url))


# --- files, places, people -------------------------------------------------------------------------------------------


def _files(content: Content, capabilities: Capabilities) -> tuple[list[Content], list[str]]:
    """One part per file or album, with captions that fit; and the lines that stand for files which cannot be shown."""
    parts: list[Content] = []
    lines: list[str] = []
    for item in content.media:
        kind = _usable_kind(item, capabilities)
        if kind is None:
            lines += [_unformatted(item.caption, content.format), ": ".join(filter(None, [item.name, item.url]))]
            continue
        caption, below = _caption(item, kind, content, capabilities)
        usable = item.model_copy(update={"kind": kind, "caption": caption})
        if parts and _joins(parts[-1].media, kind, capabilities):
            parts[-1] = _part(content, media=[*parts[-1].media, usable])
        else:
            parts.append(_part(content, media=[usable]))
        parts += [_part(content, text=text) for text in below]
    return parts, [line for line in lines if line.strip()]


def _usable_kind(item: Media, capabilities: Capabilities) -> str | None:
    """The kind as which the messenger can show a file; None when it cannot, or when the file is too big and a link can stand for it."""
    size = item.size or len(item.data or b"")
    if capabilities.media_bytes and size > capabilities.media_bytes and item.url:
        return None
    kinds = (item.kind, *SUBSTITUTES.get(item.kind, ()), "file")
    return next((kind for kind in kinds if kind in capabilities.media), None)


def _caption(item: Media, kind: str, content: Content, capabilities: Capabilities) -> tuple[str, list[str]]:
    """The caption that stays with the file, or the texts behind it that a caption becomes which has no room."""
    room = 0 if kind in WITHOUT_CAPTION else capabilities.caption_chars
    if not item.caption.strip():
        return "", []
    if _length(item.caption, content.format) <= room:
        return _clean(item.caption, content.format), []
    return "", _split(item.caption, content.format, capabilities.text_chars)


def _joins(album: list[Media], kind: str, capabilities: Capabilities) -> bool:
    """Whether a file may stand in one message with those before it."""
    kinds = {other.kind for other in album} | {kind}
    return 0 < len(album) < capabilities.album and any(kinds <= family for family in ALBUM_FAMILIES)


def _place_and_person(content: Content, capabilities: Capabilities) -> tuple[list[Content], list[str]]:
    """A place and a contact as messages of their own, or as lines of text."""
    parts: list[Content] = []
    lines: list[str] = []
    if content.location and capabilities.location:
        parts.append(_part(content, location=content.location))
    elif content.location:
        lines += [line for line in (content.location.title, map_link(content.location)) if line]
    if content.contact and capabilities.contact:
        parts.append(_part(content, contact=content.contact))
    elif content.contact:
        lines.append(_card(content.contact))
    return parts, lines


def map_link(location: Location) -> str:
    """An address that shows the place on an open map."""
    place = f"{location.latitude:.6f}/{location.longitude:.6f}"
    return f"https://www.openstreetmap.org/?mlat={location.latitude:.6f}&mlon={location.longitude:.6f}#map=17/{place}"


def _card(contact: Contact) -> str:
    return f"{contact.name}: {contact.phone}" if contact.name else contact.phone


# --- text and the whole ----------------------------------------------------------------------------------------------


def _with_text(content: Content, capabilities: Capabilities, parts: list[Content], lines: list[str]) -> list[Content]:
    """The text and what became text: beside a single file or album when there is room, else behind everything."""
    text = content.text
    if lines:
        below = "\n".join(html.escape(line, quote=False) for line in lines) if content.format == "html" else "\n".join(lines)
        text = f"{text.rstrip()}\n\n{below}" if text.strip() else below
    if not text.strip():
        return parts
    if len(parts) == 1 and _takes_caption(parts[0], content, capabilities) and _length(text, content.format) <= capabilities.caption_chars:
        first, *others = parts[0].media
        return [parts[0].model_copy(update={"media": [first.model_copy(update={"caption": _clean(text, content.format)}), *others]})]
    return parts + [_part(content, text=piece) for piece in _split(text, content.format, capabilities.text_chars)]


def _takes_caption(part: Content, content: Content, capabilities: Capabilities) -> bool:
    """An album with buttons needs a text of its own to carry them."""
    if not part.media or not capabilities.caption_chars or any(item.caption or item.kind in WITHOUT_CAPTION for item in part.media):
        return False
    return len(part.media) == 1 or not (content.buttons or content.keyboard == "remove")


def _finished(content: Content, capabilities: Capabilities, parts: list[Content], shown: _Shown) -> list[Content]:
    """Put buttons on the last part, typing and the message to edit on the first."""
    markup_wanted = bool(shown.rows) or content.keyboard == "remove"
    if not parts and (shown.rows or content.edit):
        parts = [_part(content, text="" if content.edit and capabilities.edit else _("Choose an option:"))]
    if markup_wanted and parts and len(parts[-1].media) > 1:
        parts[-1:] = [_part(content, media=parts[-1].media[:-1]), _part(content, media=parts[-1].media[-1:])]
    if markup_wanted and parts:
        keyboard = shown.keyboard if shown.rows else "remove"
        parts[-1] = parts[-1].model_copy(update={"buttons": shown.rows, "keyboard": keyboard})
    if content.edit and capabilities.edit and parts and not (parts[0].media or parts[0].location or parts[0].contact):
        parts[0] = parts[0].model_copy(update={"edit": content.edit})
    if content.typing and capabilities.typing_seconds:
        parts = [(parts or [_part(content)])[0].model_copy(update={"typing": content.typing}), *parts[1:]]
    return parts


def _part(content: Content, **said: Any) -> Content:
    """One message with nothing of the whole but its manner."""
    manner = {"format": content.format, "silent": content.silent, "context": content.context}
    return Content.model_construct(**{"buttons": [], "media": [], **manner, **said})


def _length(text: str, form: str) -> int:
    return splitting.units(markup.text_of(markup.read(text)) if form == "html" else text)


def _clean(text: str, form: str) -> str:
    return markup.write(markup.read(text)) if form == "html" and text else text


def _unformatted(text: str, form: str) -> str:
    return markup.plain(text) if form == "html" else text


def _split(text: str, form: str, limit: int) -> list[str]:
    if form == "html":
        return markup.split(text, limit)
    return [text[start:end] for start, end in splitting.spans(text, limit)]
