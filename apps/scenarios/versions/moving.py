"""People inside a scenario when another version is published: they stay, move at their next wait, or move now.

Moving now is an inbox item of each chat, so that it happens in order with everything else there and under the chat's own lock. Moving at the next
wait is asked after each move of a session: `superseding` is remembered per process, because versions never change.
"""

from functools import lru_cache
from itertools import islice

from apps.conversations import inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.conversations.responder import Turn
from apps.core.trace import current_trace_id
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.flow import DefinitionError
from apps.scenarios.ledger import OPEN, Ledger
from apps.scenarios.models import ScenarioVersion, Session
from apps.scenarios.running import move
from apps.scenarios.versions.carrying import carry

ACT = "move_session"
AT_ONCE = 500


def post_moves(version: ScenarioVersion) -> int:
    """One item for every open session of an older version; how many."""
    rows = Session.objects.filter(scenario_id=version.scenario_id, status__in=OPEN, version__number__lt=version.number)
    items = (_posting(session, version) for session in rows.select_related("lead__channel").order_by("pk").iterator(chunk_size=AT_ONCE))
    count = 0
    while batch := list(islice(items, AT_ONCE)):
        inbox.post(batch)
        count += len(batch)
    return count


def _posting(session: Session, version: ScenarioVersion) -> Posting:
    lead = session.lead
    return Posting(
        channel_id=lead.channel_id,
        bot_id=lead.channel.bot_id,
        chat_id=lead.chat_id,
        kind=Update.Kind.OPERATOR,
        source="publication",
        event_key=f"{version.pk}:{session.pk}",
        payload={"act": ACT, "session": session.pk, "version": version.pk},
        trace_id=current_trace_id(),
    )


def move_now(turn: Turn, ledger: Ledger) -> Session | None:
    """The inbox item's work; None when the session is over, is on that version already, or cannot be carried."""
    payload = turn.update.payload
    session = ledger.find(turn.chat.conversation.pk, int(payload["session"]))
    version = ScenarioVersion.objects.filter(pk=payload["version"]).first()
    if session is None or version is None or session.version_id == version.pk or session.scenario_id != version.scenario_id:
        return None
    return session if _carry(turn, ledger, session, version) else None


def at_wait(turn: Turn, ledger: Ledger, session: Session) -> None:
    """After a move: a session that now waits goes over to the version that asked for it."""
    if session.status != Session.Status.ACTIVE or not session.state:
        return
    version = next(iter(superseding(session.version_id, session.scenario.published_id or 0)), None)
    if version is not None:
        _carry(turn, ledger, session, version)


@lru_cache(maxsize=2000)
def superseding(version_id: int, published_id: int) -> tuple[ScenarioVersion, ...]:
    """The newest version after this one whose publication takes people along at their next wait; none for the published one itself."""
    if version_id == published_id:
        return ()
    own = ScenarioVersion.objects.only("scenario_id", "number").get(pk=version_id)
    later = ScenarioVersion.objects.filter(scenario_id=own.scenario_id, number__gt=own.number, people=ScenarioVersion.People.AT_WAIT)
    return tuple(later.defer("definition", "layout").order_by("-number")[:1])


def _carry(turn: Turn, ledger: Ledger, session: Session, version: ScenarioVersion) -> bool:
    old_number = session.version_id
    if session.status == Session.Status.QUEUED:
        session.version_id = version.pk
        ledger.changed(session)
        return True
    try:
        carried = carry(session.state, flow_of(session.version_id), flow_of(version.pk), version.mapping)
    except DefinitionError:  # a kind that one of the versions needs is no longer installed
        carried = None
    if carried is None:
        turn.record("session.not_moved", session_id=session.pk, details={"version": version.number, "node": session.node})
        return False
    session.state, session.version_id = carried.state, version.pk
    ledger.changed(session)
    turn.record("session.moved", session_id=session.pk, details={"from": old_number, "version": version.number, "node": session.node})
    if carried.placed is not None and session.status == Session.Status.ACTIVE:
        move(turn, session, carried.placed, ledger)
    return True
