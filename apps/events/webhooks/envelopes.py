"""What a receiver is told of an event: the row of the log with what its ids point at.

The log holds no texts of clients. Apps above add what they know of events: a function named in `EVENT_FACTS` gets events and gives, by the
event's id, names of the envelope with their values; `data` is merged, other names are replaced.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from apps.events.models import Event

Json = dict[str, Any]
Facts = Callable[[Sequence[Event]], dict[int, Json]]


def envelopes(events: Sequence[Event]) -> dict[int, Json]:
    """By the event's id: {id, type, timestamp, status, trace_id, source_system, endpoint, latency_ms, bot, channel, person, lead,
    conversation, session (each {"id": …} or null), data}. A fixed number of queries for any number of events.
    """
    found = {event.pk: _bare(event) for event in events}
    for facts in _sources(tuple(settings.EVENT_FACTS)):
        for pk, known in facts(events).items():
            envelope = found[pk]
            data = {**envelope["data"], **known.get("data", {})}
            envelope.update({**known, "data": data})
    return found


@cache
def _sources(paths: tuple[str, ...]) -> tuple[Facts, ...]:
    return tuple(import_string(path) for path in paths)


def _bare(event: Event) -> Json:
    return {
        "id": f"evt_{event.pk}",
        "type": event.kind,
        "timestamp": event.timestamp.isoformat(),
        "status": event.status,
        "trace_id": event.trace_id,
        "source_system": event.source_system or None,
        "endpoint": event.endpoint or None,
        "latency_ms": event.latency_ms,
        "bot": _ref(event.bot_id),
        "channel": _ref(event.channel_id),
        "person": _ref(event.person_id),
        "lead": _ref(event.lead_id),
        "conversation": _ref(event.conversation_id),
        "session": _ref(event.session_id),
        "data": dict(event.details) if isinstance(event.details, dict) else {"value": event.details},
    }


def _ref(pk: int | None) -> Json | None:
    return {"id": pk} if pk else None
