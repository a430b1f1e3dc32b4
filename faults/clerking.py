"""What the clerk can do; runs inside Django, through the product's own functions."""

import itertools
import secrets
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from apps.bots import connecting
from apps.bots.models import Bot, Channel
from apps.conversations import inbox, parking
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.core.models import AllowedAddress, InstanceSetting
from apps.events.models import Subscription
from apps.events.webhooks import confirming
from apps.gateway import tokens
from apps.gateway.models import Endpoint
from apps.identity import resolving
from apps.scenarios import publishing
from apps.scenarios.models import Scenario

Json = dict[str, Any]
_numbers = itertools.count(int(time.time()) % 1_000_000 * 1000)


def setting(key: str, value: str) -> None:
    InstanceSetting.objects.update_or_create(key=key, defaults={"value": value, "is_secret": True})


def bot(definition: Json, chats: list[int] | None = None, endpoint: str = "") -> Json:
    """A bot with one Telegram channel that runs the scenario. With `endpoint` (an alias) its `chats` are known people and a token may call it."""
    number = next(_numbers)
    token = f"{number}:{secrets.token_urlsafe(26)}"
    made = Bot.objects.create(name=f"Bot {number}")
    channel = Channel.objects.create(bot=made, kind="telegram", name=f"Telegram {number}", secrets={"token": token})
    scenario = Scenario.objects.create(bot=made, key="faults", name="Faults", draft=definition)
    connecting.connect(channel)
    publishing.publish(scenario)
    told: Json = {
        "bot_id": made.pk, "channel_id": channel.pk, "scenario_id": scenario.pk, "telegram_id": number, "bot_token": token,
        "public_id": str(channel.public_id), "secret": channel.webhook_secret,
    }  # fmt: skip
    if chats:
        resolving.leads_of({chat: (channel, str(chat)) for chat in chats})
    if endpoint:
        Endpoint.objects.create(bot=made, alias=endpoint, scenario=scenario)
        told["api_token"] = tokens.issue(name=f"Faults {number}", bots=[made], calls_per_minute=100_000)[1]
    return told


def subscribe(bot_id: int, url: str) -> int:
    """Tell that address of the bot's messages; it answers the challenge."""
    place = urlsplit(url)
    AllowedAddress.objects.get_or_create(target=str(place.hostname), port=place.port, defaults={"note": "the receiver of the fault run"})
    row = Subscription.objects.create(name=f"Faults {bot_id}", bot_id=bot_id, url=url, kinds=["message.received", "message.sent"])
    why = confirming.confirm(row)
    if why:
        raise RuntimeError(why)
    return row.pk


def publish(scenario_id: int, definition: Json) -> int:
    """A further version; people inside stay on theirs."""
    scenario = Scenario.objects.get(pk=scenario_id)
    Scenario.objects.filter(pk=scenario_id).update(draft=definition)
    scenario.refresh_from_db()
    return publishing.publish(scenario).pk


def act(channel_id: int, chat: int, payload: Json, key: str = "", kind: str = "operator") -> int:
    """An act of a colleague on a chat, such as {"act": "say", "content": {"text": "…"}}."""
    channel = Channel.objects.get(pk=channel_id)
    posted = inbox.post([
        Posting(
            channel_id=channel.pk, bot_id=channel.bot_id, chat_id=str(chat), kind=kind, source="panel",
            event_key=key or uuid.uuid4().hex, payload=payload, trace_id=uuid.uuid4().hex,
        ),
    ])  # fmt: skip
    return posted[0].update_id


def replay(update_ids: list[int]) -> int:
    """Replay parked items; how many were."""
    return sum(parking.replay(update) for update in Update.objects.filter(pk__in=update_ids))
