"""The inbox: accept once, answer at once, work later. A 2xx to whoever posted means that these functions have committed."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.bots.adapter import Inbound
from apps.bots.content import Media
from apps.bots.models import Channel
from apps.conversations import lanes, waking
from apps.conversations.lanes import Claim
from apps.conversations.models import Update
from apps.core import hot
from apps.core.fields import EncryptedJSONField
from apps.core.together import Together
from apps.core.trace import known_trace_id, new_trace_id
from apps.events import recording

ALBUM_SECONDS = 1.0


@dataclass(frozen=True)
class Posting:
    """One thing to put into the queue of a chat. `event_key` is unique within `source`; posting it again is harmless."""

    channel_id: int
    bot_id: int
    chat_id: str
    kind: str
    source: str
    event_key: str
    payload: dict[str, Any]
    trace_id: str

    @property
    def lane(self) -> str:
        """The key of its chat's lane."""
        return lanes.key_of(channel_id=self.channel_id, chat_id=self.chat_id)


@dataclass(frozen=True)
class Posted:
    """`update_id` of the inbox row with this key; `created` is False when it was there before. `free`: its lane, locked, when that was wanted and
    nobody holds it; `first`: nothing else waits in that lane.
    """

    update_id: int
    lane_id: int
    created: bool
    free: Claim | None = None
    first: bool = False

    @property
    def item(self) -> Update:
        """The inbox row, of which no more than this is known here."""
        return Update(id=self.update_id, lane_id=self.lane_id)


def accept(channel: Channel, inbounds: Sequence[Inbound]) -> list[Posted]:
    """Store what a messenger told us, in order; repeats are recognised by the vendor's event id. Each message begins a trace of its own
    unless it came with one. What was sent together as an album waits a moment for the rest of it.
    """
    first = known_trace_id()
    postings = [
        Posting(
            channel_id=channel.pk,
            bot_id=channel.bot_id,
            chat_id=inbound.chat_id,
            kind=Update.Kind.MESSENGER,
            source=f"c{channel.pk}",
            event_key=inbound.event_key[:200],
            payload=dump(inbound),
            trace_id=first if first and len(inbounds) == 1 else new_trace_id(),
        )
        for inbound in inbounds
    ]
    if not any(inbound.album for inbound in inbounds):
        return post(postings)
    with transaction.atomic():
        posted = post(postings)
        lanes.put_off((row.lane_id for row, inbound in zip(posted, inbounds, strict=True) if inbound.album), seconds=ALBUM_SECONDS)
    return posted


def of_chats(channel: Channel, inbounds: Sequence[Inbound]) -> list[Inbound]:
    """Those that belong to a chat. Whatever else a messenger tells is kept in the log: nothing is lost, and nobody waits for it."""
    known = [inbound for inbound in inbounds if inbound.chat_id and inbound.kind != "unknown"]
    recording.write(
        [
            recording.event(
                "webhook.unknown",
                bot_id=channel.bot_id,
                channel_id=channel.pk,
                details={"event_key": inbound.event_key, "update": dump(inbound)},
            )
            for inbound in inbounds
            if inbound not in known
        ]
    )
    return known


def post(postings: Iterable[Posting], *, hint: bool = True) -> list[Posted]:
    """Insert in order, wake the lanes, commit, hint; together with what other threads post at this moment. Inside an outer transaction
    everything happens when that one commits. `hint` False: the caller goes on with `awaiting.outcome_of`, which sees to it.
    """
    rows = list(postings)
    if not rows:
        return []
    return _post_together((rows, hint))


def _post_all(several: Sequence[tuple[list[Posting], bool]]) -> list[list[Posted]]:
    rows = [row for some, _hint in several for row in some]
    posted = iter(insert(rows))
    if any(hint for _some, hint in several):
        transaction.on_commit(waking.workers)
    return [list(itertools.islice(posted, len(some))) for some, _hint in several]


_post_together = Together(_post_all)


def dump(inbound: Inbound) -> dict[str, Any]:
    """An `Inbound` as JSON; `load` is its inverse."""
    plain = {key: value for key, value in vars(inbound).items() if value not in ("", None, (), {}, False)}
    if inbound.media:
        plain["media"] = [item.model_dump(exclude_defaults=True) for item in inbound.media]
    if inbound.occurred_at:
        plain["occurred_at"] = inbound.occurred_at.isoformat()
    return plain


def load(payload: dict[str, Any]) -> Inbound:
    plain = dict(payload)
    plain["media"] = tuple(Media.model_validate(item) for item in plain.get("media", ()))
    if "occurred_at" in plain:
        plain["occurred_at"] = datetime.fromisoformat(plain["occurred_at"])
    return Inbound(**plain)


_payload = EncryptedJSONField()


_POST = f"""
WITH posted AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        WITH ORDINALITY AS p(key, bot_id, channel_id, source, event_key, kind, payload, trace_id, place)
), lane AS (
    INSERT INTO conversations_lane AS conversations_lane (key, posted, wake_at, attempts)
    SELECT key, 1, clock_timestamp(), 0 FROM unnest(%s::text[]) AS key
    ON CONFLICT (key) DO UPDATE SET {lanes.POSTED}
    RETURNING key, id, posted, attempts = 0 AND (held_until IS NULL OR held_until <= clock_timestamp()) AS free
), taken AS (
    SELECT lane.*, NOT EXISTS (SELECT 1 FROM conversations_update WHERE lane_id = lane.id AND state = 'pending') AS first
    FROM lane WHERE CASE WHEN key = ANY (%s::text[]) AND free THEN pg_try_advisory_xact_lock({lanes.LOCK_SPACE}::bigint << 48 | id) ELSE false END
), inserted AS (
    INSERT INTO conversations_update
        (lane_id, bot_id, channel_id, source, event_key, kind, payload, trace_id, state, attempts, error, outcome, received_at)
    SELECT lane.id, bot_id, channel_id, source, event_key, kind, payload, trace_id, 'pending', 0, '', '{{}}'::jsonb, clock_timestamp()
    FROM posted JOIN lane USING (key) ORDER BY place
    ON CONFLICT (source, event_key) DO NOTHING
    RETURNING id, lane_id, source, event_key
)
SELECT source, event_key, inserted.id, lane_id, taken.posted, key, first FROM inserted LEFT JOIN taken ON taken.id = lane_id
"""  # noqa: S608  names are ours
_KNOWN = """
SELECT old.source, old.event_key, old.id, old.lane_id FROM unnest(%s::text[], %s::text[]) AS posted(source, event_key), LATERAL (
    SELECT * FROM conversations_update AS known WHERE known.source = posted.source AND known.event_key = posted.event_key LIMIT 1
) AS old
"""


def insert(rows: Sequence[Posting], *, lock: Collection[str] = ()) -> list[Posted]:
    """`post` without a hint, in the caller's transaction; those of the lanes `lock` (keys) that are free are locked until it ends. One
    statement, and one more when something was there before. All its lanes' rows are locked before the first item is inserted (the sort takes them
    all in), so that ids are given in the order in which the items become visible in each chat.
    """
    keys = [row.lane for row in rows]
    stored = hot.run(
        _POST,
        [
            hot.texts(keys),
            hot.numbers(row.bot_id for row in rows),
            hot.numbers(row.channel_id for row in rows),
            hot.texts(row.source for row in rows),
            hot.texts(row.event_key for row in rows),
            hot.texts(row.kind for row in rows),
            hot.texts(str(_payload.get_prep_value(row.payload)) for row in rows),
            hot.texts(row.trace_id for row in rows),
            hot.texts(sorted(set(keys))),
            hot.texts(lock),
        ],
    )
    found = {
        (source, key): Posted(update_id, lane_id, created=True, free=Claim(lane_id, number, 1, lane) if number else None, first=bool(first))
        for source, key, update_id, lane_id, number, lane, first in stored
    }
    repeated = [row for row in rows if (row.source, row.event_key) not in found]
    if repeated:
        known = hot.run(_KNOWN, [hot.texts(row.source for row in repeated), hot.texts(row.event_key for row in repeated)])
        found |= {(source, key): Posted(update_id, lane_id, created=False) for source, key, update_id, lane_id in known}
    return [_posted(found, (row.source, row.event_key)) for row in rows]


def _posted(found: dict[tuple[str, str], Posted], key: tuple[str, str]) -> Posted:
    """The row of that key; of several postings with one key the first has created it."""
    posted = found[key]
    found[key] = Posted(posted.update_id, posted.lane_id, created=False)
    return posted
