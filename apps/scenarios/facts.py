"""The read-only world that a scenario sees of this chat."""

from dataclasses import asdict
from functools import cache
from typing import Any

from django.conf import settings as django_settings

from apps.bots.adapter import Adapter
from apps.conversations.responder import Chat
from apps.core.settings_store import constants, instance_settings
from apps.identity import attributes
from apps.identity.models import Lead
from apps.scenarios.engine.contract import Facts


def facts_of(chat: Chat, people: dict[int, attributes.UserIds]) -> Facts:
    """Person, lead, bot and channel of the chat with the installation's constants and settings, as plain data. `people`: their ids in
    other systems, as far as read already; filled when missing. The person's own values are taken as they stand now.
    """
    person = chat.person
    if person.pk not in people:
        people |= attributes.user_ids_of([person.pk])
    return facts_for_lead(chat.lead, known=attributes.facts(person, ids=people[person.pk]))


def facts_for_lead(lead: Lead, *, known: dict[str, Any] | None = None) -> Facts:
    """The same where no chat is being advanced (dry run, preview). `lead` with person, channel and bot at hand."""
    settings, secret = instance_settings()
    person, channel, bot = lead.person, lead.channel, lead.channel.bot
    return Facts(
        person=attributes.facts(person) if known is None else known,
        constants=constants(),
        settings=settings,
        secret_settings=secret,
        bot={"id": bot.pk, "name": bot.name, "language": bot.default_language},
        lead={
            "id": lead.code,
            "chat_id": lead.chat_id,
            "channel": channel.kind,
            "username": lead.username,
            "name": lead.display_name,
            "connected": lead.connected_at is not None,
        },
        channel={"kind": channel.kind, "name": channel.name, "capabilities": _capabilities(type(channel.adapter))},
        language=person.language or str(lead.profile.get("language", "")) or bot.default_language,
        timezone=person.timezone or bot.timezone,
        region=django_settings.PHONE_REGION,
    )


@cache
def _capabilities(kind: type[Adapter]) -> dict[str, Any]:
    return asdict(kind.capabilities)
