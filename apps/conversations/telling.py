"""What conversations know of an event beyond its row: the message that it is about, and the channel. For webhooks (`EVENT_FACTS`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from apps.bots.models import Channel
from apps.conversations import filelinks
from apps.conversations.models import Attachment, Message
from apps.events.models import Event

HEARD = frozenset({"message.received", "button.pressed", "chat.started"})
Json = dict[str, Any]


def facts(events: Sequence[Event]) -> dict[int, Json]:
    """Three queries at most. `data.message`: {id, seq, direction, author, state, text, type, attachments, created_at}."""
    channels = {
        row.pk: {"id": row.pk, "kind": row.kind, "name": row.name}
        for row in Channel.objects.filter(pk__in={event.channel_id for event in events if event.channel_id}).only("id", "kind", "name")
    }
    messages = _messages(events)
    files = _files(messages.values())
    found: dict[int, Json] = {}
    for event in events:
        about: Json = {"channel": channels[event.channel_id]} if event.channel_id in channels else {}
        if event.pk in messages:
            message = messages[event.pk]
            about["data"] = {"message": _shown(message, files.get(message.pk, []))}
        if about:
            found[event.pk] = about
    return found


def _messages(events: Sequence[Event]) -> dict[int, Message]:
    """By the event's id. What was said to clients is named in the event; what was heard is the inbound message of its trace."""
    named = {
        event.pk: event.details.get("message") for event in events if event.kind.startswith("message.") and isinstance(event.details, dict)
    }
    by_id = Message.objects.in_bulk({pk for pk in named.values() if isinstance(pk, int)})
    found = {event_id: by_id[pk] for event_id, pk in named.items() if pk in by_id}
    heard = [event for event in events if event.kind in HEARD and event.pk not in found and event.conversation_id]
    if heard:
        rows = Message.objects.filter(
            conversation_id__in={event.conversation_id for event in heard}, trace_id__in={event.trace_id for event in heard},
            direction=Message.Direction.IN,
        )  # fmt: skip
        by_trace = {(row.conversation_id, row.trace_id): row for row in rows.order_by("-seq")}
        keys = {event.pk: (event.conversation_id or 0, event.trace_id) for event in heard}
        found |= {pk: by_trace[key] for pk, key in keys.items() if key in by_trace}
    return found


def _files(messages: Iterable[Message]) -> dict[int, list[Attachment]]:
    ids = {message.pk for message in messages if message.content.get("media")}
    found: dict[int, list[Attachment]] = {}
    for row in Attachment.objects.filter(message_id__in=ids) if ids else ():
        found.setdefault(row.message_id or 0, []).append(row)
    return found


def _shown(message: Message, files: Sequence[Attachment]) -> Json:
    media = message.content.get("media") or []
    return {
        "id": message.pk,
        "seq": message.seq,
        "direction": message.direction,
        "author": message.author,
        "state": message.state,
        "type": str(media[0].get("kind", "text")) if media else "location" if message.content.get("location") else "text",
        "text": message.text,
        "attachments": [
            {"kind": row.kind, "name": row.name, "mime": row.mime, "size": row.size, "url": filelinks.absolute(filelinks.of(row)) or None}
            for row in files
        ],
        "created_at": message.created_at.isoformat(),
    }
