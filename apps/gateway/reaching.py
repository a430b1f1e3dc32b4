"""From the recipients that a call names to leads that a message can reach."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.bots.models import Bot
from apps.gateway.addressing import Wanted
from apps.gateway.answers import REASONS, Json, RefusedError
from apps.gateway.noting import Attempt
from apps.identity import recipients
from apps.identity.models import Lead
from apps.identity.recipients import Asked, Found

_PARAMETER = {"user": "user_ids", "lead": "lead_ids", "chat": "chat_ids", "phone": "phones", "email": "emails"}
_ADVICE = "no chat is connected to this user. Make a link with POST /bots/{bot}/call/users/connect-link and give it to the person."


@dataclass(frozen=True)
class Reached:
    """`leads` in the order asked; `unreached` says for each of the others why, in the form of a result."""

    leads: list[Lead]
    unreached: list[Json] = field(default_factory=list)


def reach(attempt: Attempt, bot: Bot, wanted: Wanted) -> Reached:
    """Raises `RefusedError` when nobody of those wanted can be reached; of a list, those who can be are enough."""
    asked: dict[str, Any] = {_PARAMETER[wanted.way]: wanted.values}
    return _reached(attempt, bot, recipients.find(bot, system=system_of(attempt), **asked))


def reach_user(attempt: Attempt, bot: Bot, value: str, leads: list[Lead]) -> Reached:
    """The same for one user whose chats are known (`recipients.leads_of_users`)."""
    return _reached(attempt, bot, recipients.of_user(value, leads))


def _reached(attempt: Attempt, bot: Bot, found: Found) -> Reached:
    attempt.leads = found.leads or found.inactive
    if found.leads:
        return Reached(found.leads, [*map(_missing, found.missing), *map(_unreachable, found.inactive)])
    if found.inactive:
        raise RefusedError("recipient_unreachable", errors=[_why(lead) for lead in found.inactive], **_named(found.missing))
    raise RefusedError("recipient_not_found", errors=[_advice(bot, asked) for asked in found.missing], **_named(found.missing))


def system_of(attempt: Attempt) -> str:
    """Whose user ids the caller sends: its token says it, else the bot."""
    named = attempt.caller.source_system if attempt.caller else ""
    return named or (attempt.endpoint.bot.source_system if attempt.endpoint else "")


def _named(missing: Sequence[Asked]) -> Json:
    return {"missing": [{asked.by: asked.value} for asked in missing]} if missing else {}


def _missing(asked: Asked) -> Json:
    return {asked.by: asked.value, "success": False, "code": "recipient_not_found", "message": REASONS["recipient_not_found"].message}


def _unreachable(lead: Lead) -> Json:
    return {"leadId": lead.code, "success": False, "code": "recipient_unreachable", "message": _why(lead)["message"]}


def _why(lead: Lead) -> Json:
    reason = lead.inactive_reason if not lead.is_active else "The channel is switched off."
    return {"field": "leadId", "value": lead.code, "message": reason or REASONS["recipient_unreachable"].message}


def _advice(bot: Bot, asked: Asked) -> Json:
    """What to do about somebody unknown."""
    by_contact = "no person of this bot has confirmed this number or address."
    message = (
        _ADVICE.format(bot=bot.pk)
        if asked.by == "userId"
        else by_contact
        if asked.by in {"phone", "email"}
        else "no chat of this bot has this id."
    )
    return {"field": asked.by, "value": asked.value, "message": message}
