"""Rows that tests stand on, made as the product makes them."""

import itertools
from typing import Any

from apps.bots.adapter import Inbound
from apps.bots.models import Bot, Channel
from apps.identity import resolving
from apps.identity.models import Lead

_numbers = itertools.count(1)

TELEGRAM_TOKEN = "123456:AAE-a_made_up_token_for_tests_only_x"


def make_bot(**fields: Any) -> Bot:
    return Bot.objects.create(**{"name": f"Shop {next(_numbers)}", **fields})


def make_channel(bot: Bot | None = None, *, kind: str = "telegram", **fields: Any) -> Channel:
    secrets = {"token": TELEGRAM_TOKEN} if kind == "telegram" else {}
    return Channel.objects.create(
        **{"bot": bot or make_bot(), "kind": kind, "name": f"{kind} {next(_numbers)}", "secrets": secrets, **fields}
    )


def make_lead(channel: Channel | None = None, chat_id: str = "", **person: Any) -> Lead:
    channel = channel or make_channel()
    lead = resolving.leads_of({1: (channel, chat_id or f"{next(_numbers) + 500_000_000}")})[1]
    for name, value in person.items():
        setattr(lead.person, name, value)
    lead.person.save()
    return lead


def text(words: str, *, chat_id: str = "540278913", key: str = "", **fields: Any) -> Inbound:
    return Inbound(**{"event_key": key or f"u:{next(_numbers)}", "chat_id": chat_id, "kind": "message", "text": words, **fields})
