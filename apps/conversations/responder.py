"""Who answers: the contract between advancing a chat and whatever takes its items (scenarios now, the operator desk beside them).

`conversations` lies below both, so it knows them by this contract and the setting `RESPONDERS` alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from apps.bots.adapter import Inbound
from apps.bots.content import Content, Media
from apps.bots.models import Bot, Channel
from apps.conversations.models import Call, Conversation, Message, Timer, Update
from apps.core import hot
from apps.core.masking import mask
from apps.events.models import Event
from apps.events.recording import About, event
from apps.identity.attributes import private_keys
from apps.identity.models import Lead, Person


@dataclass
class Written:
    """Rows that a batch will write, in the order in which they came about."""

    messages: list[Message] = field(default_factory=list)
    outgoing: list[Message] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    acknowledge: list[tuple[int, str]] = field(default_factory=list)
    changed: dict[int, Conversation] = field(default_factory=dict)


@dataclass
class Chat:
    """Where one chat stands, read under its lane's lock."""

    lane_id: int
    bot: Bot
    channel: Channel
    lead: Lead
    person: Person
    conversation: Conversation
    written: Written


@dataclass
class Turn:
    """One inbox item being handled. Everything done through it commits together with the item, or not at all.

    `files`: those of an album as far as it is here, given to its first message, which answers for all; the others `follow`.
    `repeats`: a message that the conversation has already, under another event id (a vendor that re-sends after a webhook change).
    """

    chat: Chat
    update: Update
    inbound: Inbound | None
    now: datetime
    message: Message | None = None
    files: tuple[Media, ...] = ()
    follows: bool = False
    repeats: bool = False

    def say(
        self, content: Content, *, meta: dict[str, Any] | None = None, author: str = Message.Author.BOT, client_id: str | None = None
    ) -> Message:
        """Add a message to the conversation and to the outbox."""
        message = self._add(content, direction=Message.Direction.OUT, author=author, state=Message.State.QUEUED)
        message.meta, message.client_id = meta or {}, client_id
        self.chat.written.outgoing.append(message)
        return message

    def hear(self, content: Content, *, external_id: str = "", meta: dict[str, Any] | None = None) -> Message:
        """Add what the client said to the conversation."""
        message = self._add(content, direction=Message.Direction.IN, author=Message.Author.CLIENT, state=Message.State.RECEIVED)
        message.external_id, message.meta = external_id or None, meta or {}
        self.message = message
        return message

    def wait(self, *, due_at: datetime, reason: str, session_id: int, visit: int) -> None:
        chat = self.chat
        chat.written.timers.append(
            Timer(
                lane_id=chat.lane_id,
                bot=chat.bot,
                channel=chat.channel,
                due_at=due_at,
                reason=reason,
                session_id=session_id,
                visit=visit,
                trace_id=self.update.trace_id,
            ),
        )

    def call(self, *, action: str, request: dict[str, Any], shown: dict[str, Any], session_id: int, visit: int, key: str) -> None:
        """Ask the sender to make an outside call; its result comes back as an inbox item of kind `result`."""
        chat = self.chat
        chat.written.calls.append(
            Call(
                lane_id=chat.lane_id,
                bot=chat.bot,
                channel=chat.channel,
                action=action,
                request=request,
                shown=mask(shown, private=private_keys()),
                session_id=session_id,
                visit=visit,
                idempotency_key=key,
                trace_id=self.update.trace_id,
            ),
        )

    def record(self, kind: str, *, details: dict[str, Any] | None = None, **about: Any) -> None:
        """An event row about this chat."""
        chat = self.chat
        known: About = {
            "trace_id": self.update.trace_id,
            "source_system": chat.channel.kind,
            "bot_id": chat.bot.pk,
            "channel_id": chat.channel.pk,
            "person_id": chat.person.pk,
            "lead_id": chat.lead.pk,
            "conversation_id": chat.conversation.pk,
        }
        chat.written.events.append(event(kind, details=details, **{**known, **about}))

    def _add(self, content: Content, *, direction: str, author: str, state: str) -> Message:
        conversation = self.chat.conversation
        conversation.last_seq += 1
        conversation.version += 1
        conversation.last_public_seq = conversation.last_seq
        conversation.last_text, conversation.last_author, conversation.last_at = preview(content), author, self.now
        if direction == Message.Direction.IN:
            conversation.waiting_since = conversation.waiting_since or self.now
        else:
            conversation.waiting_since = None
        message = hot.make(
            Message,
            conversation=conversation,
            channel=self.chat.channel,
            seq=conversation.last_seq,
            direction=direction,
            author=author,
            state=state,
            content=content.dump(),
            text=content.text,
            trace_id=self.update.trace_id,
            created_at=self.now,
        )
        self.chat.written.messages.append(message)
        self.chat.written.changed[conversation.pk] = conversation
        return message


class Responder(ABC):
    """One instance per batch. `respond` must not talk to the outside: it says, waits and calls through the turn."""

    def open(self, turns: Sequence[Turn]) -> None:
        """Read in bulk what `respond` will need for these turns."""

    @abstractmethod
    def respond(self, turn: Turn) -> bool:
        """Handle one item; False passes it to the next responder. An exception makes the item be tried again, then parked."""

    def close(self) -> None:
        """Write in bulk what the turns changed; called once, before the batch's own rows are written."""

    def written(self) -> None:
        """Called after the batch's own rows have their ids, in the same transaction."""


def preview(content: Content) -> str:
    """What a list shows of a message: its text, or what kind of thing it is."""
    if content.text:
        return content.text[:200]
    if content.media:
        return f"[{content.media[0].kind}] {content.media[0].caption or content.media[0].name}".strip()[:200]
    return "[location]" if content.location else "[contact]" if content.contact else ""


@cache
def _responder_classes(paths: tuple[str, ...]) -> tuple[type[Responder], ...]:
    return tuple(import_string(path) for path in paths)


def responders() -> list[Responder]:
    return [cls() for cls in _responder_classes(tuple(settings.RESPONDERS))]
