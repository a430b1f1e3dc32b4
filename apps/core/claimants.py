"""Who holds a claimed row, and whether that process still lives.

A sender takes a session-scoped advisory lock of its identity and writes the identity on what it claims. PostgreSQL frees the lock the
moment the process dies, so the others can tell a dead claimant from a slow one at once, on any machine and without heartbeats.
"""

import secrets
from collections.abc import Iterable

from django.db import connection

LOCK_CLASS = 0x1A50  # of senders, among whom the messengers' rates are divided
PUSHERS = 0x1A51  # of those who send webhooks
NOBODY = 0  # never an identity
SILENT_SECONDS = 20


def enter(lock_class: int = LOCK_CLASS) -> int:
    """A new identity, locked for as long as this database session lives."""
    identity = secrets.randbelow(2**31 - 1) + 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [lock_class, identity])
    return identity


# The locks of the living, and their identities, as subqueries.
_HOLDERS = f"""pg_locks WHERE locktype = 'advisory' AND classid IN ({LOCK_CLASS}, {PUSHERS}) AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""  # noqa: S608  names are ours
LIVING = f"(SELECT objid::bigint FROM {_HOLDERS})"  # noqa: S608  names are ours


def keep(table: str, *, identity: int, hand: Iterable[int]) -> None:
    """The same process under a new identity keeps what it has in hand, unless somebody was faster."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET claimed_by = %s WHERE id = ANY(%s) AND (claimed_by IS NULL OR claimed_by NOT IN {LIVING})",  # noqa: S608  names are ours
            [identity, list(hand)],
        )


def free(table: str, *, identity: int, hand: Iterable[int] = (), waiting: str = "false") -> int:
    """Give back the claims of dead processes, each counted as a death, and those of our own that we do not have in hand (the session was
    lost between claiming and taking); how many there were. `waiting`: SQL for "its work has not begun": neither attempt nor death.
    """
    unbegun = f"(claimed_by = %(identity)s OR ({waiting}) AND claimed_by <> {NOBODY})::int"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} SET claimed_by = NULL, deaths = deaths + 1 - {unbegun}, attempts = attempts - {unbegun}
            WHERE claimed_by IS NOT NULL AND (claimed_by NOT IN {LIVING} OR (claimed_by = %(identity)s AND id <> ALL(%(hand)s)))
            """,  # noqa: S608  names are ours
            {"identity": identity, "hand": list(hand)},
        )
        return int(cursor.rowcount)


def end_silent() -> int:
    """End the sessions of claimants that have asked nothing for long: their process is stopped (a suspended machine, a debugger) and would
    keep its chats waiting until somebody continues it. A living one asks each second. How many there were.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM {_HOLDERS}) AND pid <> pg_backend_pid()
                AND usename = current_user AND state <> 'active' AND state_change < clock_timestamp() - make_interval(secs => %s)
            """,  # noqa: S608  names are ours
            [SILENT_SECONDS],
        )
        return int(cursor.fetchone()[0])


def abandon(table: str, ids: Iterable[int]) -> None:
    """What came of these cannot be noted: let them be found as the claims of a dead process."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET claimed_by = %s WHERE id = ANY(%s)", [NOBODY, list(ids)])  # noqa: S608  names are ours


def count() -> int:
    """How many living senders there are; for health and rates."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_HOLDERS} AND classid = {LOCK_CLASS}")  # noqa: S608  names are ours
        return int(cursor.fetchone()[0])
