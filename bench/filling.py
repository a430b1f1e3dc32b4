"""Stored conversations by the million: copies of rows that the product has written itself, each with ids of its own."""

import psycopg

FIRST = 10_000_000
ID = f"{FIRST} + n.i"

# By table, parents first: what differs in the copies of one row. `n.i` counts them; references go to the copies' own parents.
COPIES: dict[str, dict[str, str]] = {
    "identity_person": {"id": ID, "uid": "gen_random_uuid()", "name": "'Person ' || n.i"},
    "identity_externalid": {"id": ID, "person_id": ID, "value": "'old-' || n.i"},
    "identity_lead": {"id": ID, "person_id": ID, "code": "'OLD-' || n.i", "chat_id": "'old' || n.i"},
    "conversations_lane": {"id": ID, "key": "'1:old' || n.i", "wake_at": "NULL", "held_until": "NULL"},
    "conversations_conversation": {"id": ID, "lead_id": ID, "person_id": ID, "lane_id": ID, "owner_token": "gen_random_uuid()"},
    "conversations_update": {"id": ID, "lane_id": ID, "event_key": "'old' || n.i", "trace_id": "'old' || n.i"},
    "conversations_message": {"id": ID, "conversation_id": ID, "external_id": "NULL", "trace_id": "'old' || n.i"},
    "scenarios_session": {
        "id": ID,
        "conversation_id": ID,
        "lead_id": ID,
        "person_id": ID,
        "status": "'ended'",
        "trace_id": "'old' || n.i",
        "owner_token": "NULL",
    },
    "scenarios_sessionstep": {"id": ID, "session_id": ID, "trace_id": "'old' || n.i"},
    "events_event": {"id": ID, "person_id": ID, "lead_id": ID, "conversation_id": ID, "session_id": ID, "trace_id": "'old' || n.i"},
}


def fill(conninfo: str, count: int) -> None:
    """Add `count` conversations with all that belongs to them, and let the planner know."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # copies of good rows need no check of their references
        for table, own in COPIES.items():
            connection.execute(statement(table, _columns(connection, table), own), [count])
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {FIRST} + %s + 1)", [count])
        connection.execute("VACUUM ANALYZE")


def statement(table: str, columns: list[str], own: dict[str, str]) -> str:
    """One copy of the table's last row for each number of a series."""
    values = ", ".join(own.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    return (
        f"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, %s) AS n(i), "
        f"(SELECT * FROM {table} ORDER BY id DESC LIMIT 1) AS t"
    )


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    return [row[0] for row in rows]
