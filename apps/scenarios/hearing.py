"""Internal events of the product start the scenarios that listen to them: a lead was connected, a record changed, a session ended.

What a scenario tells itself (`emit_event`) starts others in the same chat at once (`emitting.py`); everything else of the log comes from the
bus. The scenario starts in the chat of the event's lead, else in the newest active chat of its person; the event's data are its variables.
"""

from collections.abc import Sequence
from typing import Any

from apps.bots.models import Channel
from apps.conversations import inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.events.bus import Listener
from apps.events.models import Event
from apps.events.webhooks.envelopes import envelopes
from apps.identity.models import Lead
from apps.scenarios import triggers
from apps.scenarios.models import Session

SOURCE = "bus"


class Starts(Listener):
    def wants(self) -> bool:
        return bool(triggers.event_names())

    def is_meant(self, kind: str, bot_id: int | None) -> bool:
        return kind != "scenario.event" and kind in triggers.event_names().get(bot_id or 0, ())

    def take(self, events: Sequence[Event]) -> None:
        leads = _leads(events)
        told = [event for event in events if event.pk in leads]
        found = envelopes(told)
        generations = _generations(told)
        inbox.post(
            Posting(
                channel_id=leads[event.pk].channel_id,
                bot_id=event.bot_id or 0,
                chat_id=leads[event.pk].chat_id,
                kind=Update.Kind.START,
                source=SOURCE,
                event_key=f"{event.pk}:{start.scenario_id}",
                trace_id=event.trace_id,
                payload={
                    "scenario_id": start.scenario_id,
                    "entry": start.entry,
                    "params": _params(event, found[event.pk]),
                    "why": start.reason,
                    "generation": generations.get(event.trace_id, -1) + 1,
                },
            )
            for event in told
            for start in triggers.by_event(event.bot_id or 0, event.kind)
        )


def _params(event: Event, envelope: dict[str, Any]) -> dict[str, Any]:
    """Variables of the started scenario: `event` is the kind, the event's data by their own names, `event_data` all that is told of it."""
    data = {str(name): value for name, value in envelope["data"].items() if str(name).isidentifier()}
    return {**data, "event": event.kind, "event_data": envelope}


def _leads(events: Sequence[Event]) -> dict[int, Lead]:
    """The chat of each event, by the event's id; an event without a chat starts nothing."""
    rows = Lead.objects.filter(is_active=True, channel__is_active=True)
    by_id = rows.in_bulk({event.lead_id for event in events if event.lead_id})
    people = {event.person_id for event in events if event.person_id and event.lead_id not in by_id}
    by_person = {lead.person_id: lead for lead in rows.filter(person_id__in=people).order_by("pk")} if people else {}
    channels = dict(
        Channel.objects.filter(pk__in={lead.channel_id for lead in [*by_id.values(), *by_person.values()]}).values_list("pk", "bot_id")
    )
    chosen = {event.pk: by_id.get(event.lead_id or 0) or by_person.get(event.person_id or 0) for event in events}
    bots = {event.pk: event.bot_id for event in events}
    return {pk: lead for pk, lead in chosen.items() if lead is not None and channels.get(lead.channel_id) == bots[pk]}


def _generations(events: Sequence[Event]) -> dict[str, int]:
    """The deepest generation of the sessions that moved in these traces: what a scenario caused counts as its child, so that scenarios which
    set each other off end after a few rounds (`arriving.MAX_GENERATIONS`).
    """
    found: dict[str, int] = {}
    traces = {event.trace_id for event in events}
    for trace_id, generation in Session.objects.filter(trace_id__in=traces).values_list("trace_id", "generation"):
        found[trace_id] = max(found.get(trace_id, -1), generation)
    sessions = dict(
        Session.objects.filter(pk__in={event.session_id for event in events if event.session_id}).values_list("pk", "generation")
    )
    for event in events:
        if event.session_id in sessions:
            found[event.trace_id] = max(found.get(event.trace_id, -1), sessions[event.session_id])
    return found
