"""Who holds a claimed row, and whether that process still lives.

A sender takes a session-scoped advisory lock of its identity and writes the identity on what it claims. PostgreSQL frees the lock the
moment the process dies, so the others can tell a dead claimant from a slow one at once, on any machine and without heartbeats.
"""

import secrets

from django.db import connection

LOCK_CLASS = 0x1A50


def enter() -> int:
    """A new identity, locked for as long as this database session lives."""
    identity = secrets.randbelow(2**31 - 1) + 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, identity])
    return identity


# The identities of the living, as a subquery.
LIVING = f"""(SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK_CLASS} AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""  # noqa: S608  names are ours


def inherit(table: str, *, former: int, identity: int) -> None:
    """The same process under a new identity keeps what it has in hand, unless somebody was faster."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET claimed_by = %s WHERE claimed_by = %s", [identity, former])  # noqa: S608  names are ours


def free_dead(table: str) -> int:
    """Give the claims of dead processes back, each counted as a death; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET claimed_by = NULL, deaths = deaths + 1 WHERE claimed_by IS NOT NULL AND claimed_by NOT IN {LIVING}",  # noqa: S608  names are ours
        )
        return int(cursor.rowcount)


def count() -> int:
    """How many living claimants there are; for health."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {LIVING} AS living")  # noqa: S608  names are ours
        return int(cursor.fetchone()[0])
