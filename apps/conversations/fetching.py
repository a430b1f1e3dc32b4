"""Files that clients sent: fetched from the messenger once, kept in Django's storage under a random name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.functions import Now

from apps.bots import adapter as contract
from apps.bots.models import Channel
from apps.conversations.models import Attachment, FeedItem, Message
from apps.core import dbclock
from apps.core.filetypes import HEAD_BYTES, file_type

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5


@dataclass
class Fetched:
    """`data` when it worked, else `error`; `again` says whether trying later can help."""

    attachment: Attachment
    data: bytes = b""
    error: str = ""
    again: bool = False


def claim(identity: int, *, limit: int) -> list[Attachment]:
    with transaction.atomic():
        free = Attachment.objects.select_for_update(skip_locked=True).filter(
            state=Attachment.State.PENDING,
            claimed_by__isnull=True,
            due_at__lte=Now(),
            channel__is_active=True,
        )
        rows = list(free.order_by("due_at")[:limit])
        for row in rows:
            row.attempts += 1
            row.claimed_by = identity
        Attachment.objects.bulk_update(rows, ["attempts", "claimed_by"])
    return rows


async def fetch(attachment: Attachment, *, channel: Channel) -> Fetched:
    """Download one file; never raises."""
    try:
        data = await channel.adapter.download(channel.credentials, attachment.external)
    except contract.SendError as error:
        again = isinstance(error, contract.RetryError | contract.RateLimitedError) and attachment.attempts < MAX_ATTEMPTS
        return Fetched(attachment, error=error.reason, again=again)
    return Fetched(attachment, data=data)


def settle(results: Sequence[Fetched]) -> None:
    """Store what came; a file that cannot be had is marked with its reason, the message stays."""
    for result in results:
        attachment = result.attachment
        attachment.claimed_by, attachment.error = None, result.error[:300]
        if result.data and _stored(result):
            attachment.size, attachment.state, attachment.error = len(result.data), Attachment.State.STORED, ""
            known = file_type(result.data[:HEAD_BYTES], name=attachment.name)
            attachment.mime = known.mime if known else attachment.mime  # what it is, not what somebody says (security.md 13)
        elif result.again:
            attachment.due_at = dbclock.now() + timedelta(seconds=5 * 3**attachment.attempts)
        else:
            attachment.state = Attachment.State.FAILED
        with transaction.atomic():
            attachment.save(update_fields=["claimed_by", "error", "size", "mime", "state", "file", "due_at"])
            _notice(attachment)


def _stored(result: Fetched) -> bool:
    """A disk that is full is tried again later like a messenger that is away."""
    try:
        result.attachment.file.save("file", ContentFile(result.data), save=False)
    except OSError as error:
        logger.warning("a file cannot be stored", attachment=result.attachment.pk, error=type(error).__name__)
        result.attachment.error, result.again = "The file could not be stored; is the disk full?", result.attachment.attempts < MAX_ATTEMPTS
        return False
    return True


def _notice(attachment: Attachment) -> None:
    message = Message.objects.select_related("conversation").filter(attachments=attachment).first()
    if message:
        conversation = message.conversation
        FeedItem.objects.create(
            bot_id=conversation.bot_id,
            conversation_id=conversation.pk,
            lead_id=conversation.lead_id,
            kind="message.file",
            version=conversation.version,
            data={"message": message.pk, "state": attachment.state},
        )
