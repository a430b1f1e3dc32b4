"""What is known of the people in an event: ids in other systems and the code of the lead. For webhooks (`EVENT_FACTS`)."""

from collections.abc import Sequence
from typing import Any

from apps.events.models import Event
from apps.identity.models import ExternalId, Lead

Json = dict[str, Any]


def facts(events: Sequence[Event]) -> dict[int, Json]:
    """Two queries. `person`: {id, user_ids: {system: id}}, `lead`: {id: code, chat_id, username, connected}; `userId`, `leadId` as in the log."""
    ids: dict[int, Json] = {}
    rows = ExternalId.objects.filter(person_id__in={event.person_id for event in events if event.person_id})
    for person_id, system, value in rows.order_by("pk").values_list("person_id", "system", "value"):
        ids.setdefault(person_id, {})[system] = value
    leads = Lead.objects.in_bulk({event.lead_id for event in events if event.lead_id})
    return {event.pk: _about(event, ids.get(event.person_id or 0, {}), leads.get(event.lead_id or 0)) for event in events}


def _about(event: Event, user_ids: Json, lead: Lead | None) -> Json:
    about: Json = {"userId": next(iter(user_ids.values()), None), "leadId": lead.code if lead else None}
    if event.person_id:
        about["person"] = {"id": event.person_id, "user_ids": user_ids}
    if lead is not None:
        about["lead"] = {
            "id": lead.code, "chat_id": lead.chat_id, "username": lead.username or None, "connected": lead.connected_at is not None,
        }  # fmt: skip
    return about
