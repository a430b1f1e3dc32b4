"""A colleague starts a scenario for people: the same inbox items that an endpoint's call makes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import User
from apps.conversations import inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.core.trace import new_trace_id
from apps.identity import recipients
from apps.identity.models import Lead
from apps.identity.recipients import Found
from apps.scenarios.models import Scenario

SOURCE = "hand"
MOST_PEOPLE = 100  # more is a broadcast


@dataclass
class Started:
    """`leads` were started; `missing` are not known, `inactive` cannot be written to."""

    leads: list[Lead] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    inactive: list[Lead] = field(default_factory=list)
    trace_id: str = ""


def start(scenario: Scenario, people: Sequence[str], *, user: User, entry: str = "", params: dict[str, Any] | None = None) -> Started:
    """Start the published version for each: lead ids (TG-9072612), e-mail addresses, phones with +, else ids in the bot's main system."""
    found = _found(scenario, people)
    trace_id = new_trace_id()
    inbox.post(
        Posting(
            channel_id=lead.channel_id,
            bot_id=scenario.bot_id,
            chat_id=lead.chat_id,
            kind=Update.Kind.START,
            source=SOURCE,
            event_key=uuid.uuid4().hex,
            trace_id=trace_id,
            payload={"scenario_id": scenario.pk, "entry": entry, "params": params or {}, "why": f"by hand: {user.get_username()}"},
        )
        for lead in found.leads
    )
    return Started(found.leads, [asked.value for asked in found.missing], found.inactive, trace_id)


def _found(scenario: Scenario, people: Sequence[str]) -> Found:
    leads = [one for one in people if _is_lead(one)]
    emails = [one for one in people if "@" in one]
    phones = [one for one in people if one.startswith("+")]
    rest = [one for one in people if one not in {*leads, *emails, *phones}]
    bot = scenario.bot
    return recipients.find(bot, system=bot.source_system, user_ids=rest, lead_ids=leads, phones=phones, emails=emails)


def _is_lead(text: str) -> bool:
    prefix, dash, number = text.partition("-")
    return bool(dash) and prefix.isascii() and prefix.isalpha() and len(prefix) <= 3 and number.isdecimal()  # noqa: PLR2004
