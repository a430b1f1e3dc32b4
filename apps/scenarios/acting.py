"""For whom an action runs, as rows."""

from apps.identity.models import Lead, Person
from apps.scenarios.action import ActionContext
from apps.scenarios.models import Session


def lead_of(context: ActionContext) -> Lead | None:
    """The lead with person, channel and bot; None in a run without a chat."""
    if context.lead_id is None:
        return None
    return Lead.objects.select_related("person", "channel__bot").filter(pk=context.lead_id, channel__bot_id=context.bot_id).first()


def person_of(context: ActionContext) -> Person | None:
    """The person; None in a run without one."""
    return None if context.person_id is None else Person.objects.filter(pk=context.person_id, bot_id=context.bot_id).first()


def session_of(context: ActionContext) -> Session | None:
    """The session as it was stored when it last waited; None before its first wait and in dry runs."""
    return None if not context.session_id else Session.objects.filter(pk=context.session_id, lead_id=context.lead_id or 0).first()
