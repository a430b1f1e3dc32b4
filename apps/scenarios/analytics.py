"""What happens at each block and exit of a scenario: counted from the visits themselves, in one pass of the database.

A visit was *left* by an exit, or the scenario *ended* there, or the person still *waits*, or it was *dropped*: the session is over without either.
Times are from the first to the leaving event of a visit, in seconds, and known only of visits that were left.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from apps.scenarios import loose
from apps.scenarios.engine.contract import Json
from apps.scenarios.models import Scenario, ScenarioVersion, Session

OPEN = [Session.Status.ACTIVE, Session.Status.SUSPENDED, Session.Status.QUEUED]
# Of days that may be asked for: whatever is added or moved to another zone, they stay days.
FIRST_YEAR, LAST_YEAR = 1970, 9000


@dataclass(frozen=True)
class Window:
    """Which visits count: those that began in [since, until), of a version (its number), of people of a language; None is all."""

    since: datetime | None = None
    until: datetime | None = None
    version: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Figures:
    visits: int
    people: int
    left: int
    ended: int
    waiting: int
    dropped: int
    errors: int
    median_seconds: float | None
    p95_seconds: float | None

    @property
    def drop_off(self) -> float:
        """Share of visits that were dropped, 0 to 1."""
        return self.dropped / self.visits if self.visits else 0.0

    @property
    def error_rate(self) -> float:
        return self.errors / self.visits if self.visits else 0.0

    def as_json(self) -> Json:
        return {**asdict(self), "drop_off": round(self.drop_off, 4), "error_rate": round(self.error_rate, 4)}


@dataclass(frozen=True)
class Row:
    """A block (`exit` is None) or one of its exits. `title` as the draft or, when it is gone there, the newest version calls it.

    `to` is of exits: pairs of the block to which the exit led in the version on which the dialogue ran ("": to none that is drawn, such as another
    section or the failure section) and how many visits went that way. More than one pair: versions have connected it differently.
    """

    node: str
    exit: str | None
    title: str
    kind: str
    figures: Figures
    to: tuple[tuple[str, int], ...] = ()


VISITS = """
    SELECT step.id AS step, step.session_id, step.visit, step.trace_id, step.at, session.version_id, version.number AS version,
           step.node, step.kind, step.exit, session.person_id, told.seconds, told.failed,
           CASE WHEN told.ended THEN 'ended' WHEN told.was_left THEN 'left' WHEN session.status = ANY(%(open)s) THEN 'waiting' ELSE 'dropped' END AS fate
      FROM scenarios_sessionstep AS step
      JOIN scenarios_session AS session ON session.id = step.session_id
      JOIN scenarios_scenarioversion AS version ON version.id = session.version_id
      JOIN identity_person AS person ON person.id = session.person_id
     CROSS JOIN LATERAL (
        SELECT extract(epoch FROM max((event->>'at')::timestamptz) FILTER (WHERE event->>'kind' = 'left') - min((event->>'at')::timestamptz))::float8
                   AS seconds,
               coalesce(bool_or(event->>'kind' = 'error'), false) AS failed,
               coalesce(bool_or(event->>'kind' = 'left'), false) AS was_left,
               coalesce(bool_or(event->>'kind' = 'ended' AND coalesce(event->'details'->>'outcome', '') <> 'cancelled'), false) AS ended
          FROM jsonb_array_elements(CASE WHEN jsonb_typeof(step.events) = 'array' THEN step.events ELSE '[]'::jsonb END) AS event
     ) AS told
     WHERE session.scenario_id = %(scenario)s AND step.node <> ''
       AND (%(since)s::timestamptz IS NULL OR step.at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR step.at < %(until)s)
       AND (%(version)s::int IS NULL OR version.number = %(version)s) AND (%(language)s::text IS NULL OR person.language = %(language)s)
"""
_FIGURES = f"""
    WITH visit AS ({VISITS})
    SELECT node, CASE WHEN GROUPING(exit) = 1 THEN NULL ELSE exit END, max(kind), count(*), count(DISTINCT person_id),
           count(*) FILTER (WHERE fate = 'left'), count(*) FILTER (WHERE fate = 'ended'), count(*) FILTER (WHERE fate = 'waiting'),
           count(*) FILTER (WHERE fate = 'dropped'), count(*) FILTER (WHERE failed),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds)
      FROM visit GROUP BY GROUPING SETS ((node), (node, exit))
"""  # noqa: S608  put together from our own texts; every value is a parameter

# Where each exit leads in each version of the scenario, as far as it is connected to a block.
WAYS = """
    SELECT version.id AS version_id, node->>'id' AS node, led.key AS exit, led.value AS target
      FROM scenarios_scenarioversion AS version
     CROSS JOIN LATERAL jsonb_path_query(version.definition, '$.sections[*].nodes[*]') AS node
     CROSS JOIN LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(node->'exits') = 'object' THEN node->'exits' ELSE '{}'::jsonb END) AS led
     WHERE version.scenario_id = %(scenario)s
"""
_TAKEN = f"""
    WITH visit AS ({VISITS}), way AS ({WAYS}),
         taken AS (SELECT version_id, node, exit, count(*) AS visits FROM visit WHERE exit <> '' GROUP BY version_id, node, exit)
    SELECT taken.node, taken.exit, coalesce(way.target, '') AS led, sum(taken.visits)::int AS most
      FROM taken LEFT JOIN way USING (version_id, node, exit) GROUP BY taken.node, taken.exit, led ORDER BY most DESC, led
"""  # noqa: S608  put together from our own texts; every value is a parameter


def figures(scenario: Scenario, window: Window) -> list[Row]:
    """Blocks in the order of the draft, then those that it no longer has; each followed by its exits that were taken."""
    found, led = (_rows(query, scenario, window) for query in (_FIGURES, _TAKEN))
    ways = _by_exit(led)
    titles = dict(loose.names(scenario.draft))
    order = {node: place for place, node in enumerate(titles)}
    titles |= _former_titles(scenario, {row[0] for row in found} - titles.keys())
    rows = [
        Row(node, exit_, titles.get(node, node), kind, Figures(*measured), ways.get((node, exit_), ()))
        for node, exit_, kind, *measured in found
        if exit_ != ""
    ]
    return sorted(rows, key=lambda row: (order.get(row.node, len(order)), row.node, row.exit is not None, row.exit or ""))


def _former_titles(scenario: Scenario, gone: set[str]) -> dict[str, str]:
    """Of blocks that the draft no longer has: as the newest version called them."""
    if not gone:
        return {}
    query = """
        SELECT DISTINCT ON (node->>'id') node->>'id', node->>'title'
          FROM scenarios_scenarioversion AS version CROSS JOIN LATERAL jsonb_path_query(version.definition, '$.sections[*].nodes[*]') AS node
         WHERE version.scenario_id = %s AND node->>'id' = ANY(%s) AND coalesce(node->>'title', '') <> ''
         ORDER BY node->>'id', version.number DESC
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [scenario.pk, sorted(gone)])
        return dict(cursor.fetchall())


def _rows(query: str, scenario: Scenario, window: Window) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters(scenario, window))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _by_exit(led: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str | None], tuple[tuple[str, int], ...]]:
    found: dict[tuple[str, str | None], tuple[tuple[str, int], ...]] = {}
    for node, exit_, target, visits in led:
        found[node, exit_] = (*found.get((node, exit_), ()), (target, visits))
    return found


def languages(scenario: Scenario) -> list[str]:
    """Languages of people who were in the scenario."""
    found = Session.objects.filter(scenario=scenario).order_by().values_list("person__language", flat=True).distinct()[:50]
    return sorted(code for code in found if code)


def versions(scenario: Scenario) -> list[int]:
    return list(ScenarioVersion.objects.filter(scenario=scenario).order_by("-number").values_list("number", flat=True)[:100])


def parameters(scenario: Scenario, window: Window) -> dict[str, Any]:
    """Of `VISITS` and `WAYS`."""
    return {"scenario": scenario.pk, "open": [str(status) for status in OPEN], **asdict(window)}
