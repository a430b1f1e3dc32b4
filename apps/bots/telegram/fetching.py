"""Files by address that Telegram could not read itself (too big for it, too slow, not public): we read them and send the bytes."""

from django.utils.translation import gettext as _

from apps.bots.adapter import BadContentError, RetryError
from apps.bots.content import Content, Media
from apps.core.http import fetch
from apps.core.outgoing import OutgoingError, OutgoingRequest, RefusedError

SECONDS = 60.0
LARGEST_BYTES = 50 * 1024 * 1024


async def with_bytes(content: Content) -> Content:
    """The same content with the bytes of its files instead of their addresses. Raises `SendError`."""
    return content.model_copy(update={"media": [await _read(item) if item.url and not item.external else item for item in content.media]})


async def _read(item: Media) -> Media:
    try:
        reply = await fetch(OutgoingRequest("GET", item.url, timeout=SECONDS, max_bytes=LARGEST_BYTES))
    except RefusedError as error:
        raise BadContentError(_("The file cannot be read: %(reason)s") % {"reason": error}) from None
    except OutgoingError as error:
        raise RetryError(_("The file cannot be read: %(reason)s") % {"reason": error}) from None
    if not reply.ok or not reply.body:
        raise BadContentError(_("The file cannot be read: its address answered %(status)s.") % {"status": reply.status})
    name = item.name or item.url.partition("?")[0].rpartition("/")[2]
    return item.model_copy(update={"data": reply.body, "url": "", "name": name})
