"""The outbox in SQL: claim what may leave now, and write in bulk how it went. Only the head of a lane is ever claimed: order per chat."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from apps.bots.models import Channel
from apps.bots.registry import adapters
from apps.conversations import lanes, waking
from apps.conversations.models import Message, Outbox
from apps.core import dbclock, hot, rowjson
from apps.core.bulk import update_in_bulk
from apps.core.masking import mask
from apps.events import recording
from apps.identity.models import Lead

MAX_ATTEMPTS = 6
MAX_DEATHS = 2
CLAIMED_COLUMNS = (
    "o.id, o.lane_id, o.channel_id, o.message_id, o.chat_id, o.is_group, o.at_most_once, o.attempts, o.deaths, o.held, o.parts"
)


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
    held: bool  # it waits for a slot; `begin` comes before its first byte
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
    """Heads of lanes that are due, dialogue before broadcast, oldest first. The attempt is counted before anything is sent. Through a channel
    without limits a claimed message leaves at once; any other is only held, until `begin`.
    """
    rows = hot.run(
        f"""
            WITH heads AS (
                SELECT o.id, c.kind = ANY (%(paced)s::text[]) AS held FROM conversations_outbox o JOIN bots_channel c ON c.id = o.channel_id
                WHERE o.claimed_by IS NULL AND o.due_at <= clock_timestamp() AND c.is_active AND o.channel_id <> ALL (%(without)s::bigint[])
                    AND (c.paused_until IS NULL OR c.paused_until <= clock_timestamp())
                    AND NOT EXISTS (SELECT 1 FROM conversations_outbox before WHERE before.lane_id = o.lane_id AND before.id < o.id)
                ORDER BY o.urgency, o.due_at, o.id LIMIT %(limit)s::bigint FOR UPDATE OF o SKIP LOCKED
            ), claimed AS (
                UPDATE conversations_outbox AS o SET claimed_by = %(identity)s::bigint, claimed_at = clock_timestamp(), attempts = o.attempts + 1,
                    held = heads.held
                FROM heads WHERE o.id = heads.id RETURNING {CLAIMED_COLUMNS}
            )
            SELECT o.*, m.content FROM claimed o JOIN conversations_message m ON m.id = o.message_id ORDER BY o.id
            """,  # noqa: S608  names are ours
        {"limit": limit, "identity": identity, "without": hot.numbers(without_channels), "paced": hot.texts(_paced_kinds())},
    )
    return list(map(_outgoing, rows))


def _paced_kinds() -> list[str]:
    return [kind for kind, adapter in adapters.items() if adapter.rate.limited]


def begin(rows: Sequence[Outgoing], *, identity: int) -> set[int]:
    """From now on these may have left, and the death of their sender is one of theirs; the ids of those that are still ours."""
    ids = hot.numbers(row.id for row in rows)
    begun = hot.run(
        "UPDATE conversations_outbox SET held = false WHERE id = ANY (%s::bigint[]) AND claimed_by = %s::bigint RETURNING id",
        [ids, identity],
    )
    return {row[0] for row in begun}


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


def settle(outcomes: Sequence[Outcome], *, identity: int) -> bool:
    """Write how a batch of sends went: outbox, message states, leads, log and feed. Whether more waits behind what has left.

    When our session was lost meanwhile, another sender may have taken a message over: then only that it was sent is news from us.
    """
    again = [outcome for outcome in outcomes if outcome.again_at is not None]
    over = [outcome for outcome in outcomes if outcome.again_at is None]
    if again:
        _keep(again, identity)
    return bool(over) and _conclude(over, identity)


def _keep(outcomes: Sequence[Outcome], identity: int) -> None:
    with transaction.atomic():
        ours = _still_ours(outcomes, identity)
        outcomes = [outcome for outcome in outcomes if outcome.outgoing.id in ours]
        _postpone(outcomes)
        _move([outcome for outcome in outcomes if outcome.moved_to])
        for outcome in {outcome.outgoing.channel_id: outcome for outcome in outcomes if outcome.pause}.values():
            _pause_channel(outcome)


def _still_ours(outcomes: Sequence[Outcome], identity: int) -> set[int]:
    rows = hot.run(
        "SELECT id FROM conversations_outbox WHERE id = ANY (%s::bigint[]) AND claimed_by = %s::bigint ORDER BY id FOR UPDATE",
        [hot.numbers(outcome.outgoing.id for outcome in outcomes), identity],
    )
    return {row[0] for row in rows}


# A state never falls: a receipt may have come before our note of the sending, and a message that was taken over may be noted already.
_OVER = """
WITH told AS (
    SELECT * FROM json_to_recordset(%(rows)s) AS t(outbox bigint, message bigint, sent boolean, state text, external_id text, external_ids jsonb,
        error text, kind text, status text, latency_ms int, details jsonb)
), gone AS (
    DELETE FROM conversations_outbox AS o USING told
    WHERE o.id = told.outbox AND (told.sent OR o.claimed_by = %(identity)s::bigint) RETURNING o.id, o.lane_id
), changed AS (
    UPDATE conversations_message AS m
    SET state = CASE WHEN told.sent AND m.state NOT IN ('queued', 'unknown') THEN m.state ELSE told.state END,
        external_id = CASE WHEN told.sent THEN told.external_id ELSE m.external_id END,
        external_ids = CASE WHEN told.sent THEN told.external_ids ELSE m.external_ids END,
        sent_at = CASE WHEN told.sent THEN clock_timestamp() ELSE m.sent_at END,
        error = CASE WHEN told.sent THEN m.error ELSE told.error END
    FROM told
    WHERE m.id = told.message AND (told.sent OR told.outbox IN (SELECT id FROM gone))
        AND NOT (m.sent_at IS NOT NULL AND m.state IN ('sent', 'delivered', 'read'))
    RETURNING m.id, m.conversation_id, m.channel_id, m.trace_id, m.state, told.kind, told.status, told.latency_ms, told.details
), known AS (
    SELECT changed.*, c.bot_id, c.lead_id, c.person_id, c.version
    FROM changed JOIN conversations_conversation AS c ON c.id = changed.conversation_id
), fed AS (
    INSERT INTO conversations_feeditem (bot_id, conversation_id, lead_id, kind, version, data)
    SELECT bot_id, conversation_id, lead_id, 'message.state', version, jsonb_build_object('message', id, 'state', state) FROM known
), noted AS (
    INSERT INTO events_event (trace_id, timestamp, kind, status, source_system, endpoint, bot_id, channel_id, person_id, lead_id,
        conversation_id, latency_ms, details)
    SELECT trace_id, clock_timestamp(), kind, status, '', '', bot_id, channel_id, person_id, lead_id, conversation_id, latency_ms, details
    FROM known ORDER BY id RETURNING id
)
SELECT EXISTS (SELECT 1 FROM conversations_outbox AS behind JOIN gone ON gone.lane_id = behind.lane_id AND gone.id < behind.id),
    (SELECT array_agg(id) FROM noted), pg_notify('feed', '')
"""


def _conclude(outcomes: Sequence[Outcome], identity: int) -> bool:
    """One statement, and so one commit, unless somebody listens to the log or a chat turned out to be gone."""
    unreachable = [outcome for outcome in outcomes if outcome.gone]
    with transaction.atomic() if unreachable or recording.heard() else nullcontext():
        [(more, events, _feed)] = hot.run(_OVER, {"rows": rowjson.dumps(list(map(_told, outcomes))), "identity": identity})
        recording.tell(events or [])
        for outcome in unreachable:
            chat = Lead.objects.filter(conversations__messages=outcome.outgoing.message_id, is_active=True)
            chat.update(is_active=False, inactive_reason=outcome.failed[:300])
    return bool(more)


def _told(outcome: Outcome) -> dict[str, Any]:
    error = (outcome.failed or outcome.unknown)[:500]
    state = Message.State.SENT if outcome.sent else Message.State.FAILED if outcome.failed else Message.State.UNKNOWN
    about = {"message": outcome.outgoing.message_id, "attempts": outcome.outgoing.attempts, **({"reason": error} if error else {})}
    return {
        "outbox": outcome.outgoing.id,
        "message": outcome.outgoing.message_id,
        "sent": outcome.sent,
        "state": state,
        "external_id": outcome.external_ids[-1] if outcome.external_ids else None,
        "external_ids": outcome.external_ids,
        "error": error,
        "kind": f"message.{state}",
        "status": "success" if outcome.sent else "fail",
        "latency_ms": outcome.latency_ms,
        "details": mask(about),
    }


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
    return Outgoing(*(*row[:-2], rowjson.loads(row[-2]), rowjson.loads(row[-1])))  # raw cursors give jsonb as text
