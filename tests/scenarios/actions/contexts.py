"""The context of an action in tests."""

from typing import Any

from apps.identity.models import Lead
from apps.scenarios.action import ActionContext


def context_of(lead: Lead | None, **fields: Any) -> ActionContext:
    known: dict[str, Any] = {
        "bot_id": lead.channel.bot_id if lead else 0,
        "person_id": lead.person_id if lead else None,
        "lead_id": lead.pk if lead else None,
        "conversation_id": None,
        "session_id": None,
        "trace_id": "t" * 32,
        "idempotency_key": "s1-v1",
    }
    return ActionContext(**{**known, **fields})
