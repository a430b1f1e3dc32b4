"""A bot with a person who has ordered something, an endpoint that thanks, and a token that may call it."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.test import Client

from apps.bots.models import Bot, Channel
from apps.events.models import Event
from apps.gateway import tokens
from apps.gateway.models import Endpoint
from apps.identity.models import ExternalId, Lead
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.making import make_scenario

THANKS = "Thank you for your order, {{ user_name }}! Amount {{ amount }}"


def definition(*nodes: dict[str, Any], **policies: Any) -> dict[str, Any]:
    """Blocks one after the other, each led to by the exit `next` of the one before."""
    listed: list[dict[str, Any]] = [{"id": "start", "kind": "start"}, *nodes]
    for node, following in pairwise(listed):
        node.setdefault("exits", {"next": following["id"]})
    params = [{"name": name} for name in ("user_id", "amount", "order_id")]
    return {"schema_version": 1, "policies": policies, "sections": [{"id": "main", "params": params, "nodes": listed}]}


def message(text: str, node: str = "say") -> dict[str, Any]:
    return {"id": node, "kind": "message", "params": {"text": text}}


def question(text: str = "Confirm?") -> dict[str, Any]:
    return {"id": "ask", "kind": "input", "params": {"text": text, "kind": "text", "save_as": "answer"}, "exits": {"ok": "end"}}


def end() -> dict[str, Any]:
    return {"id": "end", "kind": "end"}


def respond(data: Any) -> dict[str, Any]:
    return {"id": "answer", "kind": "respond", "params": {"data": data}}


@dataclass
class Shop:
    """What the tests call."""

    bot: Bot
    channel: Channel
    lead: Lead
    endpoint: Endpoint
    token: str
    client: Client = field(default_factory=Client)

    def call(self, body: Any = None, *, alias: str = "order/thank-you", bot: Any = None, token: str | None = None, **options: Any) -> Any:
        """POST the body to the endpoint with the token; `headers` and `query` as options."""
        asked = {"user_id": "125", "amount": 3500} if body is None else body
        given = self.token if token is None else token
        headers = {**({"Authorization": f"Bearer {given}"} if given else {}), **options.pop("headers", {})}
        address = f"/bots/{self.bot.pk if bot is None else bot}/call/{alias}" + options.pop("query", "")
        return self.client.post(address, asked, content_type="application/json", headers=headers, **options)


def make_shop(**endpoint: Any) -> Shop:
    bot = make_bot()
    channel = make_channel(bot)
    lead = make_lead(channel, name="Anna")
    ExternalId.objects.create(bot=bot, person=lead.person, system="crm", value="125")
    scenario = endpoint.pop("scenario", None) or make_scenario(bot, definition(message(THANKS), end()))
    made = Endpoint.objects.create(**{"bot": bot, "alias": "order/thank-you", "scenario": scenario, **endpoint})
    _row, token = tokens.issue(name="CRM", bots=[bot])
    Event.objects.all().delete()  # the log begins with the test
    return Shop(bot, channel, lead, made, token)


def endpoint_of(shop: Shop, *nodes: dict[str, Any], alias: str, policies: dict[str, Any] | None = None, **fields: Any) -> Endpoint:
    """Another endpoint of the shop's bot, with a scenario of these blocks."""
    scenario = make_scenario(shop.bot, definition(*nodes, **(policies or {})))
    return Endpoint.objects.create(bot=shop.bot, alias=alias, scenario=scenario, **fields)
