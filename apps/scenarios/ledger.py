"""What a batch of turns changed in sessions, kept in memory and written at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from apps.conversations import outcalls
from apps.conversations.models import Conversation
from apps.core import hot, rowjson
from apps.core.bulk import add_in_bulk, update_in_bulk
from apps.core.masking import mask
from apps.identity import attributes
from apps.identity.attributes import private_keys
from apps.scenarios import definitions
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.contract import Emit, Happened
from apps.scenarios.models import Session

if TYPE_CHECKING:
    from apps.conversations.responder import Turn

OPEN = (Session.Status.ACTIVE, Session.Status.SUSPENDED, Session.Status.QUEUED)
CHANGING = ["status", "state", "start", "node", "waits_for", "error", "changed_at", "ended_at", "version"]
ID_BLOCK = 500


class Ledger:
    """Open sessions by conversation, and what is to be written."""

    def __init__(self) -> None:
        self.open: dict[int, list[Session]] = {}
        self.people: dict[int, attributes.UserIds] = {}
        self.emitted: list[tuple[Turn, Session, Emit]] = []
        self._new: dict[int, Session] = {}
        self._changed: dict[int, Session] = {}
        self._visits: dict[tuple[int, int], dict[str, Any]] = {}

    def read(self, conversations: Sequence[Conversation]) -> None:
        conversation_ids = [conversation.pk for conversation in conversations]
        self.people = attributes.user_ids_of(conversation.person_id for conversation in conversations)
        rows = hot.run(
            f"""
            SELECT {hot.columns(Session, "open")} FROM unnest(%s::bigint[]) AS conversation(id), LATERAL (
                SELECT * FROM scenarios_session
                WHERE conversation_id = conversation.id AND status IN ('active', 'suspended', 'queued') OFFSET 0
            ) AS open ORDER BY open.id
            """,  # noqa: S608  names are ours
            [hot.numbers(conversation_ids)],
        )
        for session in map(hot.reader(Session), rows):
            session.scenario = definitions.scenario(session.scenario_id)
            self.open.setdefault(session.conversation_id, []).append(session)

    def add(self, session: Session) -> Session:
        """Take a new session in; it gets its id now, so that messages and timers can name it."""
        session.pk = _next_id()
        self._new[session.pk] = session
        self.open.setdefault(session.conversation_id, []).append(session)
        return session

    def changed(self, session: Session) -> None:
        if session.pk not in self._new:
            self._changed[session.pk] = session
        if session.status not in OPEN:
            self.open[session.conversation_id] = [known for known in self.open.get(session.conversation_id, []) if known.pk != session.pk]

    def active(self, conversation_id: int) -> Session | None:
        return next((session for session in self.open.get(conversation_id, []) if session.status == Session.Status.ACTIVE), None)

    def find(self, conversation_id: int, session_id: int) -> Session | None:
        return next((session for session in self.open.get(conversation_id, []) if session.pk == session_id), None)

    def note(self, session: Session, events: Sequence[Happened], *, trace_id: str) -> None:
        """Collect the trace: one row a node visit, its events in order; what belongs to no visit stands with the one before it."""
        visit, private, at = 0, private_keys(), timezone.now().isoformat(timespec="milliseconds")
        for happened in events:
            visit = happened.visit or visit
            if not visit:
                continue
            row = self._visits.setdefault(
                (session.pk, visit),
                {"section": "", "node": "", "kind": "", "exit": "", "events": [], "trace_id": trace_id},
            )
            row["section"], row["node"] = happened.section or row["section"], happened.node or row["node"]
            row["kind"] = happened.details.get("kind", "") or row["kind"] if happened.kind == "entered" else row["kind"]
            row["kind"] = row["kind"] or _kind_of(session, row["node"])
            row["exit"] = happened.exit or row["exit"]
            row["events"].append(_event(happened, private, at=at, trace_id=trace_id))

    def write(self) -> None:
        """Ended sessions first, so that the one active session of a conversation is never two."""
        changed = self._changed.values()
        update_in_bulk([session for session in changed if session.status != Session.Status.ACTIVE], CHANGING, now=True)
        update_in_bulk([session for session in changed if session.status == Session.Status.ACTIVE], CHANGING)
        add_in_bulk(list(self._new.values()))
        self._write_steps()
        _forget_stale_timers(list(self._changed.values()))
        broken_off = [
            session.pk for session in self._changed.values() if session.status in {Session.Status.CANCELLED, Session.Status.FAILED}
        ]
        if broken_off:
            outcalls.cancel(session_ids=broken_off)

    def _write_steps(self) -> None:
        """A visit may go on over several turns (asked now, answered later): its events are appended to its one row."""
        if not self._visits:
            return
        rows = list(self._visits.items())
        hot.later(
            """
            INSERT INTO scenarios_sessionstep AS old (session_id, visit, section, node, kind, exit, events, trace_id)
            SELECT session_id, visit, section, node, kind, exit, events, trace_id FROM json_to_recordset(%s)
                AS n(session_id bigint, visit int, section text, node text, kind text, exit text, events jsonb, trace_id text)
            ON CONFLICT (session_id, visit) DO UPDATE SET events = old.events || excluded.events,
                exit = CASE WHEN excluded.exit <> '' THEN excluded.exit ELSE old.exit END
            """,
            [rowjson.dumps([_step_row(session_id, visit, row) for (session_id, visit), row in rows])],
        )


def _step_row(session_id: int, visit: int, row: dict[str, Any]) -> dict[str, Any]:
    short = {name: row[name][:100] for name in ("section", "node", "kind", "exit")}
    return {"session_id": session_id, "visit": visit, **short, "events": row["events"], "trace_id": row["trace_id"]}


def _kind_of(session: Session, node: str) -> str:
    """The block's kind where a visit begins without being entered: a question that is asked again when its scenario comes back."""
    found = flow_of(session.version_id).nodes.get(node)
    return found.kind if found else ""


def _event(happened: Happened, private: frozenset[str], *, at: str, trace_id: str) -> dict[str, Any]:
    """One line of a visit. A variable's value is masked by the variable's name: `phone` is one, whatever holds it."""
    details = mask(happened.details, private=private)
    if {"name", "value"} <= details.keys():
        details["value"] = mask({str(details["name"]): details["value"]}, private=private)[str(details["name"])]
    shown = {"kind": happened.kind, "at": at, "trace": trace_id}
    return {**shown, **({"exit": happened.exit} if happened.exit else {}), **({"details": details} if details else {})}


def _forget_stale_timers(sessions: Sequence[Session]) -> None:
    """Timers of visits that are over. (A stale one would be harmless: the engine knows the visit that it waits in.)"""
    if sessions:
        hot.later(
            "DELETE FROM conversations_timer AS t USING unnest(%s::bigint[], %s::int[]) AS s(id, visit) "
            "WHERE t.session_id = s.id AND t.visit <> s.visit",
            [hot.numbers(session.pk for session in sessions), hot.numbers(map(_waiting_visit, sessions))],
        )


def _waiting_visit(session: Session) -> int:
    if session.status not in OPEN:
        return -1
    return int(((session.state or {}).get("wait") or {}).get("visit", -1))


_ids: list[int] = []


def _next_id() -> int:
    """Ids are taken from the sequence in blocks; gaps are harmless."""
    if not _ids:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('scenarios_session', 'id')) FROM generate_series(1, %s)", [ID_BLOCK])
            _ids.extend(sorted((row[0] for row in cursor.fetchall()), reverse=True))
    return _ids.pop()
