"""The outbox in SQL: claim what may leave now, and write in bulk how it went. Only the head of a lane is ever claimed: order per chat."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from apps.bots.models import Channel
from apps.conversations import lanes, waking
from apps.conversations.models import Conversation, FeedItem, Message, Outbox
from apps.core import dbclock, hot
from apps.core.bulk import add_in_bulk, update_in_bulk
from apps.events import recording
from apps.events.models import Event
from apps.identity.models import Lead

MAX_ATTEMPTS = 6
MAX_DEATHS = 2
ARRIVED = (Message.State.SENT, Message.State.DELIVERED, Message.State.READ)
CLAIMED_COLUMNS = "o.id, o.lane_id, o.channel_id, o.message_id, o.chat_id, o.is_group, o.at_most_once, o.attempts, o.deaths, o.parts"


@dataclass
class Outgoing:
    """A claimed message on its way."""

    id: int
    lane_id: int
    channel_id: int
    message_id: int
    chat_id: str
    is_group: bool
    at_most_once: bool
    attempts: int
    deaths: int
    parts: list[str]
    content: dict[str, Any]
    files: dict[int | str, bytes] = field(default_factory=dict, repr=False)
    context: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass
class Outcome:
    """How one claimed message ended. Exactly one of: `sent`, `failed`, `unknown`, or `again_at` (then `counted` says if it was an attempt, and
    `doubtful` if it may have arrived, which counts as a death).
    """

    outgoing: Outgoing
    sent: bool = False
    failed: str = ""
    unknown: str = ""
    again_at: datetime | None = None
    counted: bool = True
    doubtful: bool = False
    error: str = ""
    gone: bool = False
    moved_to: str = ""
    pause: float = 0
    failing: bool = False
    latency_ms: int = 0
    external_ids: list[str] = field(default_factory=list)


def claim(identity: int, *, limit: int, without_channels: Sequence[int] = ()) -> list[Outgoing]:
    """Heads of lanes that are due, dialogue before broadcast, oldest first. The attempt is counted before anything is sent."""
    rows = hot.run(
        f"""
            WITH heads AS (
                SELECT o.id FROM conversations_outbox o JOIN bots_channel c ON c.id = o.channel_id
                WHERE o.claimed_by IS NULL AND o.due_at <= clock_timestamp() AND c.is_active AND o.channel_id <> ALL (%(without)s::bigint[])
                    AND (c.paused_until IS NULL OR c.paused_until <= clock_timestamp())
                    AND NOT EXISTS (SELECT 1 FROM conversations_outbox before WHERE before.lane_id = o.lane_id AND before.id < o.id)
                ORDER BY o.urgency, o.due_at, o.id LIMIT %(limit)s::bigint FOR UPDATE OF o SKIP LOCKED
            ), claimed AS (
                UPDATE conversations_outbox AS o SET claimed_by = %(identity)s::bigint, claimed_at = clock_timestamp(), attempts = o.attempts + 1
                FROM heads WHERE o.id = heads.id RETURNING {CLAIMED_COLUMNS}
            )
            SELECT o.*, m.content FROM claimed o JOIN conversations_message m ON m.id = o.message_id ORDER BY o.id
            """,  # noqa: S608  names are ours
        {"limit": limit, "identity": identity, "without": hot.numbers(without_channels)},
    )
    return list(map(_outgoing, rows))


def unclaim(rows: Sequence[tuple[Outgoing, float]], *, identity: int) -> None:
    """Give claimed messages back unsent because it is not their turn yet: (message, seconds until it is)."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE conversations_outbox AS o
                SET claimed_by = NULL, attempts = o.attempts - 1, due_at = clock_timestamp() + make_interval(secs => n.delay)
                FROM unnest(%s::bigint[], %s::float8[]) AS n(id, delay) WHERE o.id = n.id AND o.claimed_by = %s
                """,
                [[row.id for row, _delay in rows], [delay for _row, delay in rows], identity],
            )


def settle(outcomes: Sequence[Outcome], *, identity: int) -> None:
    """Write how a batch of sends went, in one transaction: outbox, message states, leads, log and feed.

    When our session was lost meanwhile, another sender may have taken a message over: then only that it was sent is news from us.
    """
    with transaction.atomic():
        ours = _still_ours(outcomes, identity)
        outcomes = [outcome for outcome in outcomes if outcome.sent or outcome.outgoing.id in ours]
        over = [outcome for outcome in outcomes if outcome.again_at is None]
        _postpone([outcome for outcome in outcomes if outcome.again_at is not None])
        _move([outcome for outcome in outcomes if outcome.moved_to])
        for outcome in {outcome.outgoing.channel_id: outcome for outcome in outcomes if outcome.pause}.values():
            _pause_channel(outcome)
        with hot.together():
            hot.later(
                "DELETE FROM conversations_outbox WHERE id = ANY (%s::bigint[])", [hot.numbers(outcome.outgoing.id for outcome in over)]
            )
            _conclude(over)
            waking.feed()


def _still_ours(outcomes: Sequence[Outcome], identity: int) -> set[int]:
    rows = hot.run(
        "SELECT id FROM conversations_outbox WHERE id = ANY (%s::bigint[]) AND claimed_by = %s::bigint ORDER BY id FOR UPDATE",
        [hot.numbers(outcome.outgoing.id for outcome in outcomes), identity],
    )
    return {row[0] for row in rows}


def _conclude(outcomes: Sequence[Outcome]) -> None:
    messages = _messages([outcome.outgoing.message_id for outcome in outcomes])
    changed, events, feed = [], [], []
    for outcome in outcomes:
        message = messages.get(outcome.outgoing.message_id)
        if message is None or (message.sent_at and message.state in ARRIVED):  # noted by whoever had taken it over
            continue
        _raise(message, outcome)
        changed.append(message)
        events.append(_event(message, outcome))
        feed.append(
            FeedItem(
                bot_id=message.conversation.bot_id,
                conversation_id=message.conversation_id,
                lead_id=message.conversation.lead_id,
                kind="message.state",
                version=message.conversation.version,
                data={"message": message.pk, "state": message.state},
            )
        )
    update_in_bulk(changed, ["state", "external_id", "external_ids", "sent_at", "error"])
    gone = {
        message.conversation.lead_id: outcome for outcome in outcomes if outcome.gone for message in [messages[outcome.outgoing.message_id]]
    }
    for lead_id, outcome in gone.items():
        Lead.objects.filter(pk=lead_id, is_active=True).update(is_active=False, inactive_reason=outcome.failed[:300])
    add_in_bulk(feed)
    recording.write(events)


def _messages(ids: Sequence[int]) -> dict[int, Message]:
    """With their conversations."""
    own = hot.width(Message)
    rows = hot.run(
        f"""
        SELECT {hot.columns(Message, "message")}, {hot.columns(Conversation, "conversation")} FROM unnest(%s::bigint[]) AS asked(id),
            LATERAL (SELECT * FROM conversations_message WHERE id = asked.id LIMIT 1) AS message,
            LATERAL (SELECT * FROM conversations_conversation WHERE id = message.conversation_id LIMIT 1) AS conversation
        """,  # noqa: S608  names are ours
        [hot.numbers(ids)],
    )
    found = {}
    for row in rows:
        message = hot.reader(Message)(row[:own])
        message.conversation = hot.reader(Conversation)(row[own:])
        found[message.pk] = message
    return found


def _raise(message: Message, outcome: Outcome) -> None:
    """A receipt may have come before our note of the sending: a state never falls."""
    if outcome.sent:
        message.external_ids = outcome.external_ids
        message.external_id = outcome.external_ids[-1] if outcome.external_ids else None
        message.sent_at = timezone.now()
        if message.state in {Message.State.QUEUED, Message.State.UNKNOWN}:
            message.state = Message.State.SENT
    else:
        message.state = Message.State.FAILED if outcome.failed else Message.State.UNKNOWN
        message.error = (outcome.failed or outcome.unknown)[:500]


def _event(message: Message, outcome: Outcome) -> Event:
    kind = "message.sent" if outcome.sent else "message.failed" if outcome.failed else "message.unknown"
    details = {"message": message.pk, "attempts": outcome.outgoing.attempts}
    return recording.event(
        kind,
        status="success" if outcome.sent else "fail",
        trace_id=message.trace_id,
        bot_id=message.conversation.bot_id,
        channel_id=message.channel_id,
        person_id=message.conversation.person_id,
        lead_id=message.conversation.lead_id,
        conversation_id=message.conversation_id,
        latency_ms=outcome.latency_ms,
        details={**details, **({"reason": message.error} if message.error else {})},
    )


def _postpone(outcomes: Sequence[Outcome]) -> None:
    rows = [
        Outbox(
            pk=outcome.outgoing.id,
            due_at=outcome.again_at or dbclock.now(),
            attempts=outcome.outgoing.attempts - (0 if outcome.counted else 1),
            deaths=outcome.outgoing.deaths + (1 if outcome.doubtful else 0),
            parts=outcome.outgoing.parts,
            error=outcome.error[:500],
            claimed_by=None,
        )
        for outcome in outcomes
    ]
    update_in_bulk(rows, ["due_at", "attempts", "deaths", "parts", "error", "claimed_by"])


def _move(outcomes: Sequence[Outcome]) -> None:
    """The messenger gave the chat a new id (Telegram: a group became a supergroup): lead, lane and what waits follow."""
    for outcome in outcomes:
        outgoing = outcome.outgoing
        Lead.objects.filter(channel_id=outgoing.channel_id, chat_id=outgoing.chat_id).update(chat_id=outcome.moved_to)
        Outbox.objects.filter(lane_id=outgoing.lane_id).update(chat_id=outcome.moved_to)
        lanes.rekey(outgoing.lane_id, key=lanes.key_of(channel_id=outgoing.channel_id, chat_id=outcome.moved_to))


def _pause_channel(outcome: Outcome) -> None:
    """Nothing leaves through this channel for a while: the messenger said so, or its credentials are wrong (then it turns red)."""
    channel_id = outcome.outgoing.channel_id
    until = dbclock.now() + timedelta(seconds=outcome.pause)
    Channel.objects.filter(pk=channel_id).update(paused_until=Greatest(Coalesce("paused_until", until), until))
    waking.pause(channel_id, seconds=outcome.pause)
    if outcome.failing:
        Channel.objects.filter(pk=channel_id).update(
            health=Channel.Health.FAILING, health_text=outcome.error[:500], health_at=timezone.now()
        )
        recording.record("channel.failing", status="fail", channel_id=channel_id, details={"reason": outcome.error})


def _outgoing(row: tuple[Any, ...]) -> Outgoing:
    return Outgoing(*(*row[:-2], json.loads(row[-2]), json.loads(row[-1])))  # raw cursors give jsonb as text
