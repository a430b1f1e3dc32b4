"""The world that a simulated chat sees: facts without a secret, of a copy of a person or of somebody invented."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings as django_settings

from apps.bots.adapter import Capabilities
from apps.bots.models import Bot
from apps.bots.registry import adapters
from apps.core.settings_store import constants, instance_settings
from apps.identity import attributes
from apps.identity.models import Lead, Person
from apps.scenarios.engine.contract import Facts, Json
from apps.scenarios.engine.names import MASK
from apps.scenarios.simulation.asking import Someone

INVENTED = "SIM-1"


def facts_of(bot: Bot, someone: Someone, *, channel: str = "", person: Person | None = None, lead: Lead | None = None) -> Facts:
    """What placeholders see. `person` and `lead` are the rows that `someone` copies; what `someone` gives besides goes before theirs.

    Secret settings are masked here already: whatever a simulation does with them, there is nothing to leak.
    """
    known = {**(attributes.facts(person) if person else {}), **_given(someone)}
    settings, secret = instance_settings()
    kind = channel or (lead.channel.kind if lead else "") or _usual_channel(bot)
    return Facts(
        person=known,
        constants=constants(),
        settings={key: MASK if key in secret else value for key, value in settings.items()},
        secret_settings=secret,
        bot={"id": bot.pk, "name": bot.name, "language": bot.default_language},
        lead=_lead(kind, known, lead),
        channel={"kind": kind, "name": str(adapters[kind].label) if kind in adapters else kind, "capabilities": _capabilities(kind)},
        language=str(known.get("user_language") or "") or bot.default_language,
        timezone=str(known.get("user_timezone") or "") or bot.timezone,
        region=django_settings.PHONE_REGION,
    )


def with_secrets(facts: Facts) -> Facts:
    """The same with secret settings in clear, for a call that somebody has ticked to go out."""
    return replace(facts, settings=instance_settings()[0])


def channel_kinds(bot: Bot) -> list[str]:
    """The kinds of the bot's active channels, each once."""
    kinds = bot.channels.filter(is_active=True).order_by("pk").values_list("kind", flat=True)
    return [kind for kind in dict.fromkeys(kinds) if kind in adapters]


def capabilities_of(kinds: list[str]) -> dict[str, Capabilities]:
    return {kind: adapters[kind].capabilities for kind in kinds if kind in adapters}


def _usual_channel(bot: Bot) -> str:
    return next(iter(channel_kinds(bot)), "widget")


def _given(someone: Someone) -> Json:
    """What was given for this chat, under the names that scenarios use."""
    columns = {name: getattr(someone, name) for name in attributes.COLUMNS}
    given: Json = {f"user_{name}": value for name, value in columns.items() if value is not None}
    if someone.user_id is not None:
        given["user_id"] = someone.user_id
    return {**someone.attributes, **given}


def _lead(kind: str, known: Mapping[str, Any], lead: Lead | None) -> Json:
    """A chat of its own, never the real one: only names are taken over."""
    name = lead.display_name if lead else str(known.get("user_name") or "")
    username = lead.username if lead else ""
    return {
        "id": INVENTED,
        "chat_id": INVENTED,
        "channel": kind,
        "username": username,
        "name": name,
        "connected": bool(known.get("user_id")),
    }


def _capabilities(kind: str) -> Json:
    return asdict(adapters[kind].capabilities) if kind in adapters else {}
