"""Puts people, bots and scenarios into the product's database, through its own functions. Run as `python -m bench.seeding <people>`.

Prints what a caller needs to know, as one JSON object. Nobody is sent anything: the first questions count as sent.
"""

import itertools
import json
import sys
from collections.abc import Iterator
from typing import Any

import django

django.setup()

from apps.bots.models import Bot, Channel  # noqa: E402  models can be imported only now
from apps.conversations import advancing, inbox, waking  # noqa: E402
from apps.conversations.inbox import Posting  # noqa: E402
from apps.conversations.models import Message, Outbox, Update  # noqa: E402
from apps.gateway import tokens  # noqa: E402
from apps.gateway.models import Endpoint  # noqa: E402
from apps.identity import resolving  # noqa: E402
from apps.identity.models import ExternalId, Lead  # noqa: E402
from apps.scenarios import publishing  # noqa: E402
from apps.scenarios.models import Scenario  # noqa: E402
from bench import scenarios  # noqa: E402
from bench.requests import BOT_TOKENS, FIRST_CHAT  # noqa: E402

AT_ONCE = 1000


def seed(people: int) -> dict[str, Any]:
    """People known by their user ids (B1), and as many who have been asked a question (B2)."""
    bot = Bot.objects.create(name="Bench")
    ordering = Channel.objects.create(bot=bot, kind="unlimited", name="Orders", secrets={"token": BOT_TOKENS["orders"]})
    asking = Channel.objects.create(bot=bot, kind="unlimited", name="Survey", secrets={"token": BOT_TOKENS["survey"]})
    order, survey = _scenario(bot, "order", scenarios.order()), _scenario(bot, "survey", scenarios.survey())
    Endpoint.objects.create(bot=bot, alias="order", scenario=order)
    _row, token = tokens.issue(name="Bench", bots=[bot], calls_per_minute=10_000_000)
    numbers = range(people)
    for some in _batches(numbers):
        leads = _leads(ordering, some)
        ExternalId.objects.bulk_create(ExternalId(bot=bot, person_id=lead.person_id, value=str(number)) for number, lead in leads.items())
        _leads(asking, some)
        inbox.post([_start(asking, survey, number) for number in some], hint=False)
    advancing.drain()
    Outbox.objects.all().delete()
    Message.objects.filter(state=Message.State.QUEUED).update(state=Message.State.SENT)
    return {"bot": bot.pk, "token": token, "webhook": str(asking.public_id), "secret": asking.webhook_secret}


def _scenario(bot: Bot, key: str, definition: dict[str, Any]) -> Scenario:
    scenario = Scenario.objects.create(bot=bot, key=key, name=definition["name"], draft=definition)
    publishing.publish(scenario)
    return scenario


def _leads(channel: Channel, numbers: tuple[int, ...]) -> dict[int, Lead]:
    return resolving.leads_of({number: (channel, str(FIRST_CHAT + number)) for number in numbers})


def _start(channel: Channel, scenario: Scenario, number: int) -> Posting:
    return Posting(
        channel_id=channel.pk, bot_id=channel.bot_id, chat_id=str(FIRST_CHAT + number), kind=Update.Kind.START, source="bench",
        event_key=str(number), payload={"scenario_id": scenario.pk}, trace_id=f"bench{number:08d}",
    )  # fmt: skip


def _batches(numbers: range) -> Iterator[tuple[int, ...]]:
    iterator = iter(numbers)
    while some := tuple(itertools.islice(iterator, AT_ONCE)):
        yield some


if __name__ == "__main__":
    waking.workers = lambda: None  # none runs yet
    print(json.dumps(seed(int(sys.argv[1]))))
