"""Messages as their visitor may see them: no notes, no other chat, files only by signed links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from apps.bots import tokens
from apps.bots.content import Button, Content, Media
from apps.conversations import feed, filelinks
from apps.conversations.models import Attachment, Message
from apps.identity.models import Lead
from apps.panel import presence
from apps.panel.models import WidgetVisitor

HISTORY_PAGE = 50
LINK_SCHEMES = ("https://", "http://", "mailto:", "tel:", "tg://")

Shown = dict[str, Any]


@dataclass(frozen=True)
class History:
    """`messages` oldest first; `more`: there are older ones; `cursor` is where the events after this snapshot begin."""

    messages: list[Shown]
    more: bool
    cursor: int


def lead_of(visitor: WidgetVisitor) -> Lead | None:
    """None until the first message of the chat was handled."""
    return Lead.objects.filter(channel_id=visitor.channel_id, chat_id=visitor.chat_id).first()


def history(visitor: WidgetVisitor, *, before: int | None = None, limit: int = HISTORY_PAGE) -> History:
    """The newest messages older than the message `before`. The cursor is taken first: what comes meanwhile is told twice, never not at all."""
    cursor = feed.head()
    rows = _visible(lead_of(visitor)).order_by("-id")
    found = list((rows.filter(pk__lt=before) if before else rows)[: limit + 1])
    return History(messages=show(reversed(found[:limit])), more=len(found) > limit, cursor=cursor)


def events(visitor: WidgetVisitor, *, after: int) -> Shown:
    """What changed after the cursor, with the cursor to ask with next: each changed message as it is now. `reset`: load the history anew."""
    head = feed.head()
    lead = lead_of(visitor)
    if lead is None:  # looked up after the head: a lead that appears later has only events after it
        return {"events": [], "cursor": str(head), "typing": False, "live": None}
    page = feed.read(after, lead_id=lead.pk)
    changed = {item.data["message"]: item for item in page.items if "message" in item.data}
    shown = show(_visible(lead).filter(pk__in=changed).order_by("id"))
    known = {message["id"]: message for message in shown}
    told = [
        {"type": "message", "cursor": str(item.cursor), "message": known[_public_id(pk)]}
        for pk, item in changed.items()
        if _public_id(pk) in known
    ]
    answer: Shown = {"events": told, "cursor": str(page.cursor), "typing": presence.staff_types(lead.pk)}
    return {**answer, "reset": True} if page.reset else answer


def show(messages: Iterable[Message]) -> list[Shown]:
    rows = list(messages)
    contents = [Content.model_validate(row.content) for row in rows]
    links = _file_links(item.attachment for content in contents for item in content.media if item.attachment)
    return [_message(row, content, links) for row, content in zip(rows, contents, strict=True)]


def message_id(public_id: object) -> int | None:
    """The inverse of the ids that visitors see (`m_17`); None for anything else."""
    text = str(public_id)
    number = text.removeprefix("m_")
    return int(number) if text.startswith("m_") and number.isdecimal() and number.isascii() and len(number) < 19 else None  # noqa: PLR2004


def _public_id(pk: int) -> str:
    return f"m_{pk}"


def _visible(lead: Lead | None) -> QuerySet[Message]:
    if lead is None:
        return Message.objects.none()
    return Message.objects.filter(conversation__lead_id=lead.pk, is_note=False)


def _message(row: Message, content: Content, links: dict[int, str]) -> Shown:
    shown: Shown = {
        "id": _public_id(row.pk),
        "direction": row.direction,
        "author": row.author,
        "text": content.text,
        "format": content.format,
        "state": row.state,
        "created_at": row.created_at.isoformat(),
        "keyboard": content.keyboard,
        "buttons": _buttons(row.pk, content.buttons),
        "media": [_media(item, links) for item in content.media],
    }
    if row.direction == Message.Direction.IN:
        shown["client_message_id"] = row.external_id or ""
        shown["edited"] = bool(row.meta.get("before"))
    if content.location:
        shown["location"] = content.location.model_dump()
    if content.contact:
        shown["contact"] = content.contact.model_dump()
    if content.typing:
        shown["typing"] = content.typing
    if message_id(content.edit):
        shown["edits"] = content.edit
    return shown


def _buttons(message_pk: int, rows: Sequence[Sequence[Button]]) -> list[list[Shown]]:
    """Tokens count through all buttons of the message, row after row."""
    shown: list[list[Shown]] = []
    index = 0
    for row in rows:
        shown.append([])
        for button in row:
            shown[-1].append(
                {"kind": button.kind, "label": button.label, "token": tokens.encode(message_pk, index), "url": safe_link(button.url)}
            )
            index += 1
    return shown


def _media(item: Media, links: dict[int, str]) -> Shown:
    url = filelinks.of_key(item.file) if item.file else links.get(item.attachment, "") if item.attachment else safe_link(item.url)
    return {"kind": item.kind, "url": url, "name": item.name, "mime": item.mime, "size": item.size, "caption": item.caption}


def safe_link(url: str) -> str:
    """The link when it leads to a place, "" when it would run something."""
    return url if url.strip().lower().startswith(LINK_SCHEMES) else ""


def _file_links(attachment_ids: Iterable[int | None]) -> dict[int, str]:
    stored = Attachment.objects.filter(pk__in={pk for pk in attachment_ids if pk}, state=Attachment.State.STORED)
    return {pk: filelinks.of_uid(uid) for pk, uid in stored.values_list("pk", "uid")}


def live_address(ticket: str) -> str:
    """Where the page may listen for changes instead of asking again and again."""
    return f"{settings.LIVE_URL}/live/widget?ticket={ticket}"
