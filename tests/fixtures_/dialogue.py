"""A person in a chat, a system that calls an endpoint, and the machinery between them run to its rest."""

import itertools
from typing import Any

from django.utils import timezone

from apps.bots import tokens
from apps.bots.adapter import Inbound
from apps.bots.content import Content
from apps.bots.models import Bot, Channel
from apps.conversations import advancing, calling, inbox, outcalls, sweeping
from apps.conversations.inbox import Posting
from apps.conversations.models import Call, Lane, Message, Outbox, Timer, Update
from apps.core import loop
from apps.identity.models import Lead
from apps.scenarios.models import Scenario
from tests.making import make_channel

_numbers = itertools.count(1)
SENDER = 1


class Dialogue:
    """One chat of `bot`. What was said since the last look is what `heard` gives."""

    def __init__(self, bot: Bot, *, channel: Channel | None = None, chat_id: str = "540278913") -> None:
        self.bot = bot
        self.channel = channel or make_channel(bot, account={"username": "shop_bot"})
        self.chat_id = chat_id
        self._seen = 0

    @property
    def lead(self) -> Lead:
        return Lead.objects.select_related("person", "channel__bot").get(channel=self.channel, chat_id=self.chat_id)

    def says(self, words: str) -> list[str]:
        return self._does(kind="message", text=words)

    def opens(self, payload: str = "") -> list[str]:
        return self._does(kind="start", text=f"/start {payload}".strip(), payload=payload)

    def shares(self, phone: str, *, own: bool = True) -> list[str]:
        return self._does(kind="message", contact={"phone": phone, "name": "Anna", "own": own})

    def presses(self, label: str) -> list[str]:
        """The newest button with this label."""
        for message in Message.objects.filter(conversation__lead=self.lead, direction="out").order_by("-seq"):
            labels = [button.label for button in Content.model_validate(message.content).flat_buttons()]
            if label in labels:
                return self._does(kind="button", button=tokens.encode(message.pk, labels.index(label)))
        raise AssertionError(f"There is no button {label!r}.")

    def passes(self, reason: str) -> list[str]:
        """The time of the timers of this reason has come."""
        Timer.objects.filter(reason=reason).update(due_at=timezone.now())
        sweeping.fire_timers(limit=10)
        return self.heard()

    def is_called(self, key: str, **params: Any) -> list[str]:
        """A system calls the endpoint of the scenario `key` for this chat."""
        scenario = Scenario.objects.get(bot=self.bot, key=key)
        posting = Posting(
            channel_id=self.channel.pk,
            bot_id=self.bot.pk,
            chat_id=self.chat_id,
            kind=Update.Kind.START,
            source="call",
            event_key=f"{next(_numbers)}",
            payload={"scenario_id": scenario.pk, "entry": "", "params": params, "endpoint": key},
            trace_id="t" * 32,
        )
        inbox.post([posting])
        return self.heard()

    def heard(self) -> list[str]:
        settle()
        said = Message.objects.filter(conversation__lead=self.lead, direction="out", pk__gt=self._seen).order_by("pk")
        texts = [message.text for message in said]
        self._seen = max([self._seen, *[message.pk for message in said]])
        return texts

    def _does(self, **fields: Any) -> list[str]:
        profile = {"name": "Anna", "language": "en"}
        inbox.accept(self.channel, [Inbound(event_key=f"u:{next(_numbers)}", chat_id=self.chat_id, profile=profile, **fields)])
        return self.heard()


def settle() -> None:
    """Drain chats, let what was said leave, make outside calls, retries at once, until nothing is left to do."""
    for _round in range(30):
        advancing.drain()
        Lane.objects.filter(wake_at__isnull=False).update(wake_at=timezone.now(), held_until=None)
        Call.objects.filter(state=Call.State.PENDING).update(due_at=timezone.now())
        Outbox.objects.all().delete()
        calls = outcalls.claim(SENDER, limit=10)
        if not calls and not advancing.drain():
            return
        outcalls.settle([loop.run(calling.make(call)) for call in calls])
    raise AssertionError("The dialogue does not come to rest.")
