"""One bot with a row of everything that the admin shows, made as the product makes it."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone

from apps.accounts.models import Role, RoleAssignment, User
from apps.bots.adapter import Inbound
from apps.bots.models import Bot, Channel
from apps.conversations import advancing, inbox, parking
from apps.conversations.models import Call, Conversation, Message, Update
from apps.events.models import Delivery, Event, Subscription
from apps.gateway.models import Endpoint
from apps.identity import resolving
from apps.identity.models import ConnectLink, ExternalId, Lead, Person
from apps.scenarios.models import CustomAction, CustomActionVersion, SavedTest, Scenario, ScenarioVersion, Session
from tests.making import make_bot, make_channel
from tests.scenarios.definitions import thank_you
from tests.scenarios.making import make_scenario

_numbers = itertools.count(1)
GREETING = [{"kind": "any_message"}]


@dataclass
class World:
    """`person` has written to the bot through `channel` and was answered by `scenario`; a second item is parked."""

    bot: Bot
    channel: Channel
    scenario: Scenario
    lead: Lead
    rows: dict[str, Model] = field(default_factory=dict)

    @property
    def person(self) -> Person:
        return self.lead.person

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get(lead=self.lead)

    @property
    def session(self) -> Session:
        return Session.objects.get(lead=self.lead)

    @property
    def said(self) -> Message:
        """What the bot said."""
        return Message.objects.filter(conversation__lead=self.lead, direction="out").latest("seq")

    def hears(self, text: str, **more: Any) -> None:
        """The client writes and the bot answers."""
        self.posts(text, **more)
        advancing.drain()

    def posts(self, text: str, **more: Any) -> Update:
        key = f"k{next(_numbers)}"
        message = {"event_key": key, "chat_id": self.lead.chat_id, "kind": "message", "text": text}
        return Update.objects.get(pk=inbox.accept(self.channel, [Inbound(**{**message, **more})])[0].update_id)


def make_world(name: str = "Shop", *, user_id: str = "125") -> World:
    bot = make_bot(name=name)
    channel = make_channel(bot, kind="widget", name=f"{name} chat", health=Channel.Health.OK, account={"name": "Web chat"})
    scenario = make_scenario(bot, thank_you(triggers=GREETING), key="thank-you")
    chat_id = f"{name.lower()}-{next(_numbers)}"
    lead = resolving.leads_of({1: (channel, chat_id)}, profiles={1: {"name": f"Anna of {name}", "language": "en"}})[1]
    ExternalId.objects.create(bot=bot, person=lead.person, system="crm", value=user_id)
    Lead.objects.filter(pk=lead.pk).update(connected_at=timezone.now())
    world = World(bot, channel, scenario, lead)
    world.hears("Hello")
    _add_rows(world)
    return world


def _add_rows(world: World) -> None:
    session, bot = world.session, world.bot
    parked = world.posts("Poison")
    parking.park_head(parked.lane_id, reason="RuntimeError: it broke")
    call = Call.objects.create(
        lane_id=parked.lane_id, bot=bot, channel=world.channel, session_id=session.pk, visit=2, action="action_send_request",
        shown={"method": "POST", "url": "https://crm.example/orders", "body": {"phone": "+380501112233"}}, idempotency_key=f"k{next(_numbers)}",
        trace_id=session.trace_id, state="done", status_code=200, latency_ms=120, attempts=1, done_at=timezone.now(),
    )  # fmt: skip
    endpoint = Endpoint.objects.create(bot=bot, alias="order/thank-you", name="Order", scenario=world.scenario)
    link = ConnectLink.objects.create(
        digest=f"d{next(_numbers)}", bot=bot, channel=world.channel, external_id="125", expires_at=timezone.now() + timedelta(minutes=10)
    )
    subscription = Subscription.objects.create(name="Data store", bot_id=bot.pk, url="https://data.example/hook", kinds=["message.sent"])
    delivery = Delivery.objects.create(
        subscription=subscription, kind="message.sent", message_id="msg_1", body='{"id": "evt_1"}', state="done"
    )
    kept = SavedTest.objects.create(
        scenario=world.scenario, name="Kept", is_active=False, recording={"turns": [{"input": {"kind": "start"}}]}
    )
    custom = CustomAction.objects.create(bot=bot, key=f"check_{next(_numbers)}", name="Check", code="return 1")
    custom_version = CustomActionVersion.objects.create(action=custom, number=1, code="return 1")
    found: list[Model] = [
        custom, custom_version,
        subscription, delivery,
        bot, world.channel, world.scenario, ScenarioVersion.objects.get(scenario=world.scenario), session, world.person, world.lead, link, endpoint,
        world.conversation, world.said, parked, call, Event.objects.filter(bot_id=bot.pk).latest("pk"), kept,
    ]  # fmt: skip
    world.rows = {row._meta.label: row for row in found}


def make_staff(*roles: str, bots: list[Bot] | None = None, name: str = "") -> User:
    """Staff with these roles, for all bots or for the given ones."""
    user = User.objects.create_user(name or f"staff{next(_numbers)}", password="a long passphrase", is_staff=True)
    for key in roles:
        RoleAssignment.objects.create(
            user=user, role=Role.objects.get(key=key), all_bots=bots is None, bot_ids=[bot.pk for bot in bots or []]
        )
    return User.objects.get(pk=user.pk)
