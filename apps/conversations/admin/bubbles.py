"""Messages as people read them: text, files, buttons, place, and how far each came."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.conversations.models import Attachment, Message
from apps.core.filetypes import INLINE
from apps.events.showing import Tone, badge, page_of, trace_page

TONES: dict[str, Tone] = {
    Message.State.RECEIVED: "plain", Message.State.QUEUED: "warn", Message.State.SENT: "info", Message.State.DELIVERED: "ok",
    Message.State.READ: "ok", Message.State.FAILED: "bad", Message.State.UNKNOWN: "bad",
}  # fmt: skip
ICONS = {"image": "image", "video": "movie", "audio": "music_note", "voice": "mic", "file": "draft", "sticker": "mood"}
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class File:
    icon: str
    name: str
    note: str = ""
    url: str = ""
    image: str = ""


@dataclass(frozen=True)
class Bubble:
    """One message, ready for the template."""

    number: int
    at: datetime
    out: bool
    author: str
    text: str
    state: SafeString
    error: str = ""
    note: bool = False
    buttons: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    place: str = ""
    url: str = ""
    trace_url: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def bubble(message: Message, attachments: Iterable[Attachment] = ()) -> Bubble:
    content = message.content if isinstance(message.content, dict) else {}
    text = strip_tags(message.text) if content.get("format") == "html" else message.text
    return Bubble(
        number=message.seq, at=message.created_at, out=message.direction == Message.Direction.OUT, author=message.get_author_display(), text=text,
        state=state_badge(message), error=message.error, note=message.is_note, files=tuple(_files(content, attachments)), place=_place(content),
        buttons=tuple(button.get("label", "") for row in content.get("buttons", []) for button in row),
        url=page_of("conversations.Message", message.pk), trace_url=trace_page(message.trace_id),
    )  # fmt: skip


def state_badge(message: Message) -> SafeString:
    return badge(message.get_state_display(), TONES.get(message.state, "plain"), title=message.error)


def _files(content: dict[str, Any], attachments: Iterable[Attachment]) -> Iterable[File]:
    stored = list(attachments)
    for row in stored:
        url = reverse("admin:conversations_message_file", args=[row.uid]) if row.state == Attachment.State.STORED else ""
        note = row.error or (size_text(row.size) if row.size else row.get_state_display())
        image = f"{url}?preview=1" if url and row.mime in INLINE and row.mime.startswith("image/") else ""
        yield File(icon=ICONS.get(row.kind, "draft"), name=row.name or row.kind, note=note, url=url, image=image)
    if not stored:
        for item in content.get("media", []):
            yield File(
                icon=ICONS.get(item.get("kind", ""), "draft"),
                name=item.get("caption") or item.get("name") or item.get("file") or item.get("kind", ""),
                note=item.get("url", ""),
            )


def size_text(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE else f"{max(1, size // 1024)} kB"


def _place(content: dict[str, Any]) -> str:
    place, contact = content.get("location"), content.get("contact")
    if place:
        return f"{place.get('title', '')} {place.get('latitude')}, {place.get('longitude')}".strip()
    return _("Contact: %(who)s") % {"who": " ".join(str(contact[key]) for key in ("name", "phone") if contact.get(key))} if contact else ""
