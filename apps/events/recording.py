"""Record once, derive the rest: the row is the log, the trace, the metric and the trigger."""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from django.dispatch import Signal
from django.utils import timezone

from apps.core import hot
from apps.core.bulk import add_in_bulk, insert_in_bulk
from apps.core.masking import mask
from apps.core.trace import current_trace_id
from apps.events.models import Event

# The product's one signal: receivers get `events`, the list of rows just written, inside the writer's transaction.
recorded = Signal()


class About(TypedDict, total=False):
    """Who and what an event is about; all optional."""

    status: str
    source_system: str
    endpoint: str
    bot_id: int | None
    channel_id: int | None
    person_id: int | None
    lead_id: int | None
    conversation_id: int | None
    session_id: int | None
    user_id: int | None
    latency_ms: int | None
    trace_id: str


def event(kind: str, *, details: dict[str, Any] | None = None, **about: Unpack[About]) -> Event:
    """A masked, unsaved row; the trace is the current one unless given."""
    about.setdefault("trace_id", current_trace_id())
    return hot.make(Event, kind=kind, timestamp=timezone.now(), details=mask(details or {}), **about)


def write(events: list[Event]) -> None:
    """Store rows in order, in the caller's transaction, and tell whoever listens."""
    if events and heard():
        insert_in_bulk(events)
        recorded.send(sender=Event, events=events)
    elif events:
        add_in_bulk(events)


def heard() -> bool:
    """Whether anybody listens to what is recorded."""
    return recorded.has_listeners(Event)


def tell(event_ids: Sequence[int]) -> None:
    """Tell whoever listens of rows that a statement of the caller's has just stored, in the caller's transaction."""
    if event_ids and heard():
        recorded.send(sender=Event, events=list(Event.objects.filter(pk__in=event_ids).order_by("pk")))


def record(kind: str, *, details: dict[str, Any] | None = None, **about: Unpack[About]) -> Event:
    """One row, written now."""
    row = event(kind, details=details, **about)
    write([row])
    return row
