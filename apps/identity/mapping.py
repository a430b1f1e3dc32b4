"""The mapping table userId ↔ leadId ↔ chatId, with exactly the sources' field names."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypedDict

from django.db.models import QuerySet

from apps.identity.models import Lead

MAX_SAFE_INTEGER = 2**53 - 1


class MappingRow(TypedDict):
    """`userId` is null until the chat is linked; `source` is the channel's type; `connected_at` is UTC in ISO form."""

    userId: int | str | None
    leadId: str
    chatId: int | str
    isActive: bool
    source: str
    connected_at: str | None


def mapping_row(lead: Lead, *, system: str | None = None) -> MappingRow:
    """The lead's row for the ids of `system` (the bot's main system when None)."""
    wanted = system or lead.channel.bot.source_system
    user_id = next((row.value for row in lead.person.external_ids.all() if row.system == wanted), None)
    return {
        "userId": None if user_id is None else plain_id(user_id),
        "leadId": lead.code,
        "chatId": plain_id(lead.chat_id),
        "isActive": lead.is_active,
        "source": lead.channel.kind,
        "connected_at": _utc(lead.connected_at),
    }


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def mapping(leads: QuerySet[Lead], *, system: str | None = None) -> Iterator[MappingRow]:
    """Rows of all these leads as a stream: constant memory, a few queries per 2,000 rows."""
    prepared = leads.select_related("person", "channel__bot").prefetch_related("person__external_ids")
    for lead in prepared.iterator(chunk_size=2000):
        yield mapping_row(lead, system=system)


def plain_id(text: str) -> int | str:
    """An id as other systems write it in JSON: a number when the text is exactly one that every reader can hold, else the text."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and (digits == "0" or not digits.startswith("0")) and int(digits) <= MAX_SAFE_INTEGER:
        return int(text)
    return text


def id_text(value: Any) -> str:
    """An id as we store it: `125`, `"125"` and `125.0` are the same one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
