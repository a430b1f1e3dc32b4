"""The people behind a number of the figures: the visits that were counted, page by page, each with the way to its transcript."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from apps.accounts.access import AnyUser, can, scoped
from apps.events.showing import page_of, trace_page, with_query
from apps.identity.models import Person
from apps.scenarios.analytics import VISITS, WAYS, Window, parameters
from apps.scenarios.models import Scenario

PAGE = 25
MOST_PAGES = 4000
# The conversation's page ends so many messages after the one that is looked for.
AFTER = 30
# Name → which visits of a block it counts; "people" shows each person once.
COUNTED = {
    "visits": "", "people": "", "left": "fate = 'left'", "ended": "fate = 'ended'", "waiting": "fate = 'waiting'", "dropped": "fate = 'dropped'",
    "errors": "failed", "slowest": "seconds IS NOT NULL",
}  # fmt: skip


@dataclass(frozen=True)
class Number:
    """Which number: of a block, or of one of its exits, or of an exit as far as it led to a block; `counted` is a key of `COUNTED`."""

    node: str
    exit: str = ""
    to: str = ""
    counted: str = "visits"


@dataclass(frozen=True)
class Visit:
    """One row. `name` is None when the reader may not see people. Addresses, "" when the reader may not open them: `transcript` is the conversation
    at that moment, `session_page` the way of the dialogue, `way` this visit in the trace.
    """

    session: int
    visit: int
    trace_id: str
    at: datetime
    person: int
    version: int
    fate: str
    seconds: float | None
    failed: bool
    exit: str
    visits: int
    name: str | None = None
    transcript: str = ""
    session_page: str = ""
    way: str = ""


def behind(scenario: Scenario, window: Window, number: Number, *, reader: AnyUser, page: int = 1) -> tuple[list[Visit], bool]:
    """One page of them, the newest (or slowest) first, and whether more follow. `page` counts from 1."""
    rows = _rows(scenario, window, number, offset=(max(1, min(page, MOST_PAGES)) - 1) * PAGE)
    return _shown(scenario, [Visit(*row) for row in rows[:PAGE]], reader), len(rows) > PAGE


def _rows(scenario: Scenario, window: Window, number: Number, *, offset: int) -> list[tuple[Any, ...]]:
    asked = " AND ".join(["node = %(node)s", *_conditions(number)])
    once = "WHERE newest = 1" if number.counted == "people" else ""
    order = "seconds DESC, step DESC" if number.counted == "slowest" else "step DESC"
    query = f"""
        WITH visit AS ({VISITS}), way AS ({WAYS}), counted AS (
            SELECT visit.*, count(*) OVER of_person AS visits, row_number() OVER (of_person ORDER BY step DESC) AS newest
              FROM visit WHERE {asked} WINDOW of_person AS (PARTITION BY person_id)
        )
        SELECT session_id, visit, trace_id, at, person_id, version, fate, seconds, failed, exit, visits
          FROM counted {once} ORDER BY {order} LIMIT {PAGE + 1} OFFSET {offset}
    """  # noqa: S608  put together from our own texts and numbers; every value is a parameter
    values = {**parameters(scenario, window), "node": number.node, "exit": number.exit, "to": number.to}
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _conditions(number: Number) -> Iterable[str]:
    if number.exit:
        yield "exit = %(exit)s"
    if number.to:
        yield "version_id IN (SELECT version_id FROM way WHERE way.node = %(node)s AND way.exit = %(exit)s AND way.target = %(to)s)"
    if COUNTED[number.counted]:
        yield COUNTED[number.counted]


def _shown(scenario: Scenario, visits: list[Visit], reader: AnyUser) -> list[Visit]:
    """With names, transcripts and ways, as far as the reader may see each."""
    people = scoped(Person.objects.filter(pk__in={visit.person for visit in visits}), reader, "view")
    names = {person.pk: str(person) for person in people}
    read = can(reader, "view", "operations", scenario.bot_id)
    transcripts = _transcripts(visits) if read else {}
    trace = can(reader, "view", "events", scenario.bot_id)
    return [
        replace(
            visit, name=names.get(visit.person), transcript=transcripts.get((visit.session, visit.visit), ""),
            session_page=page_of("scenarios.Session", visit.session) if read else "",
            way=f"{trace_page(visit.trace_id)}#s{visit.session}v{visit.visit}" if trace and visit.trace_id else "",
        )
        for visit in visits
    ]  # fmt: skip


# What the visit said itself, else what was said or heard in its chain, else what stands nearest to it in time.
_MESSAGES = """
    SELECT asked.session, asked.visit, session.conversation_id, message.seq
      FROM unnest(%(sessions)s::bigint[], %(visits)s::int[], %(traces)s::text[], %(moments)s::timestamptz[]) AS asked (session, visit, trace, at)
      JOIN scenarios_session AS session ON session.id = asked.session
      LEFT JOIN LATERAL (
        SELECT seq FROM conversations_message WHERE conversation_id = session.conversation_id
         ORDER BY meta @> jsonb_build_object('session', asked.session, 'visit', asked.visit) DESC, trace_id = asked.trace DESC,
                  abs(extract(epoch FROM created_at - asked.at)), seq
         LIMIT 1
      ) AS message ON true
"""


def _transcripts(visits: list[Visit]) -> dict[tuple[int, int], str]:
    """Of each visit the address of its conversation at that moment."""
    values: dict[str, Any] = {
        "sessions": [visit.session for visit in visits], "visits": [visit.visit for visit in visits],
        "traces": [visit.trace_id for visit in visits], "moments": [visit.at for visit in visits],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_MESSAGES, values)
        return {(session, visit): _transcript(conversation, seq) for session, visit, conversation, seq in cursor.fetchall()}


def _transcript(conversation: int, seq: int | None) -> str:
    page = page_of("conversations.Conversation", conversation)
    return page if seq is None else f"{with_query(page, before=seq + AFTER + 1)}#m{seq}"
