"""Lanes: who may work on which chat, and when there is work. Set-based SQL, because every message passes here (performance.md, 6).

Two things together give "one at a time" and "recovered within seconds":
- `claim` marks due lanes as held for a moment, so that other workers look elsewhere, and counts the attempt before anything runs;
- `lock` takes the transaction-scoped advisory lock of each lane. A process that dies frees it at once; a stopped one is disconnected by
  `idle_in_transaction_session_timeout`. Only the lock gives exclusion; `held_until` is a hint.
Everything of the chat is read after the lock, so whoever holds it sees what the one before has committed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from apps.core import hot

HOLD_SECONDS = 3  # a dead worker's lanes are claimed again after this (delivery.md: recovery in 5 s)
LOCK_SPACE = 0x1A4E  # keeps lane locks apart from other advisory locks: high half of the 64-bit key


@dataclass(frozen=True)
class Claim:
    """A lane taken to be drained: `posted` as seen, `attempts` including this one (1 = the first)."""

    lane_id: int
    posted: int
    attempts: int
    key: str

    @property
    def chat_id(self) -> str:
        """Keys are made by `key_of`."""
        return self.key.partition(":")[2]


_CLAIM = """
WITH due AS (
    SELECT id FROM conversations_lane WHERE wake_at <= clock_timestamp() {only}
    ORDER BY wake_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE conversations_lane AS lane
SET held_until = clock_timestamp() + interval '{hold} seconds', wake_at = clock_timestamp() + interval '{hold} seconds',
    attempts = lane.attempts + 1
FROM due WHERE lane.id = due.id
RETURNING lane.id, lane.posted, lane.attempts, lane.key
"""
_ONLY = "AND attempts < 2 AND id IN (SELECT lane_id FROM conversations_update WHERE id = ANY(%(update_ids)s::bigint[]))"


def claim(*, limit: int) -> list[Claim]:
    """Take up to `limit` lanes that are due; commits at once when called outside a transaction."""
    return _claim(_CLAIM.format(only="", hold=HOLD_SECONDS), limit=limit)


def claim_of(update_ids: Sequence[int]) -> list[Claim]:
    """Take those lanes of these inbox items that are due, that nobody else holds, and with which not two have died: with those workers deal."""
    return _claim(_CLAIM.format(only=_ONLY, hold=HOLD_SECONDS), limit=len(update_ids), update_ids=hot.numbers(update_ids))


def lock(claims: Iterable[Claim]) -> list[Claim]:
    """Those of `claims` whose lock was free; it is held until the transaction ends."""
    by_id = {claim.lane_id: claim for claim in claims}
    free = hot.run(
        f"SELECT id FROM unnest(%s::bigint[]) AS id WHERE pg_try_advisory_xact_lock({LOCK_SPACE}::bigint << 48 | id)",  # noqa: S608  ours
        [hot.numbers(by_id)],
    )
    return [by_id[lane_id] for (lane_id,) in free]


def finish(claims: Iterable[Claim], *, unfinished: Iterable[int] = ()) -> None:
    """Give lanes back in the draining transaction: due again now when something was posted meanwhile or items are left, else idle. Their rows are
    locked in the order in which `inbox.insert` locks them, so that nobody waits in a circle.
    """
    rows = sorted(claims, key=lambda row: row.key)
    hot.later(
        """
        UPDATE conversations_lane AS lane
        SET held_until = NULL, attempts = 0, wake_at = CASE WHEN lane.posted <> done.posted OR lane.id = ANY (%s::bigint[]) THEN clock_timestamp() END
        FROM (
            SELECT done.* FROM unnest(%s::bigint[], %s::bigint[]) AS done(id, posted), LATERAL (
                SELECT 1 FROM conversations_lane WHERE id = done.id FOR UPDATE
            ) AS own
        ) AS done
        WHERE lane.id = done.id
        """,
        [hot.numbers(unfinished), hot.numbers(row.lane_id for row in rows), hot.numbers(row.posted for row in rows)],
    )


def give_back(claims: Iterable[Claim], *, after_seconds: float) -> None:
    """Free lanes that were not drained: someone else holds the lock, or the work failed and waits before the next try. The process lives, so
    the claim does not count as a death.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE conversations_lane SET held_until = NULL, wake_at = clock_timestamp() + make_interval(secs => %s),
                attempts = greatest(0, attempts - 1)
            WHERE id = ANY(%s)
            """,
            [after_seconds, [row.lane_id for row in claims]],
        )


def forgive(claims: Iterable[Claim]) -> None:
    """Free lanes whose troublesome item has been taken out of the way; they are due again and begin anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_lane SET held_until = NULL, wake_at = clock_timestamp(), attempts = 0 WHERE id = ANY(%s)",
            [[row.lane_id for row in claims]],
        )


def wake(lane_ids: Iterable[int]) -> None:
    """Say that these lanes have work; in the caller's transaction, before the work's row is inserted (so ids follow commit order)."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE conversations_lane SET {POSTED} WHERE id = ANY(%s)", [sorted(set(lane_ids))])  # noqa: S608  names are ours


def put_off(lane_ids: Iterable[int], *, seconds: float) -> None:
    """Let these lanes rest for a moment although they have work, because more of it is on its way; not those that somebody holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE conversations_lane SET wake_at = clock_timestamp() + make_interval(secs => %s)
            WHERE id = ANY(%s) AND (held_until IS NULL OR held_until <= clock_timestamp())
            """,
            [seconds, sorted(set(lane_ids))],
        )


def rekey(lane_id: int, *, key: str) -> None:
    """The chat has a new id; a lane that already has the new key stays, and this one runs dry."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_lane SET key = %s WHERE id = %s AND NOT EXISTS (SELECT 1 FROM conversations_lane WHERE key = %s)",
            [key, lane_id, key],
        )


def key_of(*, channel_id: int, chat_id: str) -> str:
    return f"{channel_id}:{chat_id}"


# While a lane is held its holder sees by `posted` that more has come; otherwise it is due now, or keeps its place in the queue if it was due before.
POSTED = """posted = conversations_lane.posted + 1,
    wake_at = CASE WHEN conversations_lane.held_until > clock_timestamp() THEN conversations_lane.wake_at
        ELSE least(conversations_lane.wake_at, clock_timestamp()) END"""


def _claim(sql: str, **params: int | str) -> list[Claim]:
    return [Claim(*row) for row in hot.run(sql, params)]
