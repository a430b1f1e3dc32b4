"""Tables that every message writes: each index is paid for with every row."""

import pytest
from django.db import connection

WRITTEN_BY_EVERY_MESSAGE = (
    "conversations_conversation",
    "conversations_feeditem",
    "conversations_lane",
    "conversations_message",
    "conversations_outbox",
    "conversations_update",
    "events_event",
    "identity_lead",
    "identity_person",
    "scenarios_sessionstep",
)
# conversations_update(lane_id): results of calls are found among the items of a lane that are done.
# scenarios_session and conversation_live: a partial index finds the few that are open among all.
_PLAIN = """
SELECT table_index.indexrelid::regclass::text, table_index.indrelid::regclass::text,
    array_agg(pg_get_indexdef(table_index.indexrelid, place, true) ORDER BY place), bool_or(opclass.opcname LIKE '%%pattern_ops')
FROM pg_index AS table_index, generate_series(1, table_index.indnkeyatts) AS place
    JOIN pg_opclass AS opclass ON true
WHERE table_index.indrelid = ANY (%s::regclass[]) AND table_index.indpred IS NULL AND opclass.oid = table_index.indclass[place - 1]
GROUP BY table_index.indexrelid, table_index.indrelid
"""


@pytest.mark.django_db
def test_no_index_is_the_beginning_of_another_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN, [list(WRITTEN_BY_EVERY_MESSAGE)])
        found = cursor.fetchall()
    doubled = {
        name
        for name, table, columns, _pattern in found
        for other, other_table, others, _other_pattern in found
        if table == other_table and name != other and others[: len(columns)] == columns
    }
    assert doubled == set()
    assert {name for name, _table, _columns, pattern in found if pattern} == set()
