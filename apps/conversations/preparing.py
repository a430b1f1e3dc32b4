"""What a message needs beyond its row before it can leave: the bytes of its files, and the facts that a system wants to be told."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.core.files.storage import default_storage

from apps.bots.content import Content
from apps.bots.models import Channel
from apps.conversations import filelinks
from apps.conversations.models import Attachment, Message
from apps.conversations.outbox import Outgoing
from apps.core.models import StoredFile
from apps.identity import attributes

logger = structlog.get_logger(__name__)


def complete(claimed: Sequence[Outgoing], channels: Mapping[int, Channel]) -> None:
    """Fill `files` and `context` of claimed messages; reads the database, so it runs in the sender's database thread."""
    _fill_files(claimed)
    telling = [outgoing for outgoing in claimed if channels[outgoing.channel_id].adapter.wants_context]
    if telling:
        _fill_context(telling)


def content_of(outgoing: Outgoing) -> Content:
    """The content with its files' bytes and its context; buttons get their tokens later, when the parts are made."""
    content = Content.model_validate(outgoing.content)
    content.context = outgoing.context
    for item in content.media:
        item.data = outgoing.files.get(item.file or item.attachment or 0)
    return content


def _fill_files(claimed: Sequence[Outgoing]) -> None:
    """Bytes by the id of an attachment or the key of a file of the business; names and addresses are filled in where they are missing."""
    wanted = [
        (outgoing, item) for outgoing in claimed for item in outgoing.content.get("media", []) if item.get("attachment") or item.get("file")
    ]
    if not wanted:
        return
    attachments = Attachment.objects.filter(state=Attachment.State.STORED).in_bulk(
        {item.get("attachment") or 0 for _outgoing, item in wanted}
    )
    files = StoredFile.objects.in_bulk({item.get("file") or "" for _outgoing, item in wanted}, field_name="key")
    for outgoing, item in wanted:
        row: Attachment | StoredFile | None = files.get(item.get("file") or "") or attachments.get(item.get("attachment") or 0)
        if row is None:
            continue
        told = {"name": row.name, "mime": row.mime, "url": filelinks.absolute(filelinks.of(row))}
        item.update({name: value for name, value in told.items() if not item.get(name)})
        data = _read(row)
        if data:
            outgoing.files[item.get("file") or item["attachment"]] = data


def _read(row: Attachment | StoredFile) -> bytes:
    try:
        with default_storage.open(str(row.file.name)) as stored:
            return bytes(stored.read())
    except OSError:
        logger.exception("a stored file cannot be read", file=str(row))
        return b""


def _fill_context(telling: Sequence[Outgoing]) -> None:
    rows = Message.objects.select_related("conversation__person", "conversation__lead").in_bulk(
        [outgoing.message_id for outgoing in telling]
    )
    known = attributes.facts_of(row.conversation.person for row in rows.values())
    for outgoing in telling:
        row = rows.get(outgoing.message_id)
        if row:
            outgoing.context = _context(row, known[row.conversation.person_id])


def _context(row: Message, known: Mapping[str, Any]) -> dict[str, Any]:
    """Names of the sources' webhook (channels.md 12). Flags that nothing has decided yet stay unknown (null)."""
    conversation = row.conversation
    contacts = {name: known.get(f"user_{name}") for name in ("phone", "email") if known.get(f"user_{name}")}
    if conversation.lead.username:
        contacts["username"] = conversation.lead.username
    return {
        "message_id": row.pk,
        "thread_id": f"t_{conversation.pk}",
        "trace_id": row.trace_id,
        "created_at": row.created_at.isoformat(),
        "author": "operator" if row.author == Message.Author.OPERATOR else "bot",
        "title": conversation.person.name or conversation.lead.display_name or None,
        "contacts": contacts,
        "manager_id": str(conversation.operator_id) if conversation.operator_id else None,
        "operator": conversation.owner == "operator",
        "close": conversation.status == "closed",
        "panel_url": f"{settings.PUBLIC_URL}{conversation.get_absolute_url()}" if settings.PUBLIC_URL else None,
    }
