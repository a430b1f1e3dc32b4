"""A scenario wants to start while another may be waiting: the arriving scenario's policy decides (engine.md, "Sessions")."""

from collections.abc import Sequence
from typing import Any, Required, TypedDict, Unpack

from apps.conversations.responder import Turn
from apps.core import hot
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.contract import Resumed, Returned, Start
from apps.scenarios.ledger import Ledger
from apps.scenarios.models import Scenario, Session
from apps.scenarios.running import move
from apps.scenarios.versions import moving

MAX_GENERATIONS = 5


class Why(TypedDict, total=False):
    """For the trace. `reason`: what started it; `others`: why other triggers did not; `generation`: how many scenarios started each other so far."""

    reason: Required[str]
    others: Sequence[str]
    generation: int


def start(turn: Turn, ledger: Ledger, *, scenario: Scenario, entered: dict[str, Any], **why: Unpack[Why]) -> Session | None:
    """Start `scenario` in this chat by its arrival policy; None when the policy (or a guard) lets it pass. `entered`: `Start`'s fields."""
    generation = why.get("generation", 0)
    version_id = scenario.published_id
    if version_id is None or not scenario.is_active or generation > MAX_GENERATIONS:
        _skip(
            turn,
            scenario,
            reason="not published" if version_id is None else "inactive" if not scenario.is_active else "too many generations",
            why=why["reason"],
        )
        return None
    active = ledger.active(turn.chat.conversation.pk)
    policy = flow_of(version_id).policies.arrival if active else "interrupt"
    if policy == "skip":
        _skip(turn, scenario, reason="another dialogue is open", why=why["reason"])
        return None
    if policy in {"interrupt", "interrupt_return"} and entered.get("user_input"):
        _end_earlier(turn, ledger, scenario)
        active = ledger.active(turn.chat.conversation.pk)
    session = _new(turn, ledger, scenario, entered, generation=generation)
    others = {"others": list(why["others"])} if why.get("others") else {}
    told = {"scenario": scenario.key, "version": version_id, "why": why["reason"], "policy": policy, **others}
    turn.record("session.started", session_id=session.pk, details=told)
    if policy == "after_current":
        session.status = Session.Status.QUEUED
        turn.update.outcome.update(status="queued", session=session.pk)
        return session
    if active:
        _give_way(turn, ledger, active, policy=policy)
    _run(turn, ledger, session, policy=policy)
    return session


def _run(turn: Turn, ledger: Ledger, session: Session, *, policy: str) -> None:
    session.start = {**session.start, "policy": policy}
    begin = {key: value for key, value in session.start.items() if key in {"entry", "section", "params", "user_input"}}
    move(turn, session, Start(**begin), ledger)
    moved(turn, ledger, session)


def moved(turn: Turn, ledger: Ledger, session: Session) -> None:
    """After each move: a scenario that only notifies ends where it would wait for an answer, and what was interrupted comes back."""
    waits = ((session.state or {}).get("wait") or {}).get("kind")
    if session.status == Session.Status.ACTIVE and session.start.get("policy") == "notify" and waits == "answer":
        _end(turn, ledger, session, status=Session.Status.ENDED, reason="notified")
    moving.at_wait(turn, ledger, session)
    after_end(turn, ledger, session)


def after_end(turn: Turn, ledger: Ledger, session: Session) -> None:
    """When a session is over: the interrupted one comes back and asks again, else the next queued one starts."""
    if session.status in {Session.Status.ACTIVE, Session.Status.QUEUED, Session.Status.SUSPENDED}:
        return
    others = ledger.open.get(turn.chat.conversation.pk, [])
    suspended = [other for other in others if other.status == Session.Status.SUSPENDED]
    if suspended:
        back = suspended[-1]
        back.status = Session.Status.ACTIVE
        ledger.changed(back)
        turn.record("session.resumed", session_id=back.pk)
        result = back.start.pop("returned", None)
        move(turn, back, Returned(**result) if result else Resumed(), ledger)
        moved(turn, ledger, back)
        return
    queued = [other for other in others if other.status == Session.Status.QUEUED]
    if queued:
        following = queued[0]
        following.status = Session.Status.ACTIVE
        ledger.changed(following)
        _run(turn, ledger, following, policy="interrupt")


def bring_to_front(turn: Turn, ledger: Ledger, session: Session) -> None:
    """An interrupted session goes on; the one that was active is interrupted in its turn and comes back after it."""
    active = ledger.active(turn.chat.conversation.pk)
    if active:
        active.status = Session.Status.SUSPENDED
        ledger.changed(active)
    session.status = Session.Status.ACTIVE
    ledger.changed(session)
    turn.record("session.resumed", session_id=session.pk)


def cancel(turn: Turn, ledger: Ledger, session: Session, *, reason: str) -> None:
    """End a session for good, by a person's act or because another took its place."""
    _end(turn, ledger, session, status=Session.Status.CANCELLED, reason=reason)


def _end_earlier(turn: Turn, ledger: Ledger, scenario: Scenario) -> None:
    """Whoever asks for the menu again wants the menu, not to come back to the menu asked for before."""
    for other in list(ledger.open.get(turn.chat.conversation.pk, [])):
        if other.scenario_id == scenario.pk and other.status != Session.Status.QUEUED and other.start.get("user_input"):
            _end(turn, ledger, other, status=Session.Status.CANCELLED, reason="started anew by the person")


def _give_way(turn: Turn, ledger: Ledger, active: Session, *, policy: str) -> None:
    if policy in {"interrupt_return", "notify"}:
        active.status = Session.Status.SUSPENDED
        ledger.changed(active)
        turn.record("session.suspended", session_id=active.pk)
    else:
        cancel(turn, ledger, active, reason="interrupted by another scenario")


def _end(turn: Turn, ledger: Ledger, session: Session, *, status: str, reason: str) -> None:
    session.status, session.ended_at, session.changed_at = status, turn.now, turn.now
    ledger.changed(session)
    turn.record(f"session.{status}", session_id=session.pk, details={"reason": reason})


def _new(turn: Turn, ledger: Ledger, scenario: Scenario, entered: dict[str, Any], *, generation: int) -> Session:
    chat = turn.chat
    return ledger.add(
        hot.make(
            Session,
            conversation=chat.conversation,
            lead=chat.lead,
            person=chat.person,
            scenario=scenario,
            version_id=scenario.published_id or 0,
            start=entered,
            generation=generation,
            trace_id=turn.update.trace_id,
            owner_token=chat.conversation.owner_token,
            started_at=turn.now,
            changed_at=turn.now,
        ),
    )


def _skip(turn: Turn, scenario: Scenario, *, reason: str, why: str) -> None:
    turn.update.outcome.update(status="skipped", reason=reason)
    turn.record("session.skipped", status="fail", details={"scenario": scenario.key, "reason": reason, "why": why})
