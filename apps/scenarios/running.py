"""Move one session: ask the pure engine, do what it asks for within the turn, go on until it waits for the world."""

import random
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from pydantic import ValidationError

from apps.bots.content import Content
from apps.conversations import callbacks
from apps.conversations.models import Call, Message
from apps.conversations.responder import Turn
from apps.core.masking import mask
from apps.identity.attributes import private_keys
from apps.identity.models import Lead
from apps.scenarios.action import Action, ActionContext, ActionResult
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.contract import Act, Effect, Emit, Entered, Facts, Happened, Problem, Respond, Returned, Say, Step, WaitUntil
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.flow import DefinitionError
from apps.scenarios.engine.names import CALLBACK_URL
from apps.scenarios.engine.stepping import step
from apps.scenarios.facts import facts_of
from apps.scenarios.ledger import Ledger
from apps.scenarios.models import Session
from apps.scenarios.registry import actions_for

MAX_INSIDE_ACTIONS = 50


def move(turn: Turn, session: Session, entered: Entered, ledger: Ledger) -> Step:
    """Advance `session` by `entered` and by the results of actions that run inside the transaction."""
    outcome = _step(turn, session, entered, ledger)
    if not outcome.handled:
        return outcome
    _apply(turn, session, outcome, ledger)
    for _round in range(MAX_INSIDE_ACTIONS):
        result = _act(turn, session, outcome, ledger)
        if result is None:
            break
        outcome = _step(turn, session, result, ledger)
        _apply(turn, session, outcome, ledger)
    else:
        outcome = _failed(
            session, f"More than {MAX_INSIDE_ACTIONS} actions ran without waiting; let the scenario wait for the person in between."
        )
        _apply(turn, session, outcome, ledger)
    _conclude(turn, session, outcome, ledger)
    return outcome


def _step(turn: Turn, session: Session, entered: Entered, ledger: Ledger) -> Step:
    try:
        flow = flow_of(session.version_id)
    except DefinitionError as error:  # a kind that this version needs is no longer installed
        return _failed(session, str(error))
    if _talks_too_much(turn):
        return _failed(
            session,
            f"More than {settings.MESSAGES_PER_HOUR} messages went to and fro within an hour: two bots may be talking to each other.",
            code="too_many_messages",
        )
    return step(
        flow,
        session.state,
        entered,
        facts=facts_of(turn.chat, ledger.people),
        clock=lambda: turn.now,
        rng=random.Random(f"{session.pk}:{turn.update.pk}"),  # noqa: S311  a seed that a replay of the trace can use
    )


def _apply(turn: Turn, session: Session, outcome: Step, ledger: Ledger) -> None:
    session.state = outcome.state
    ledger.note(session, outcome.events, trace_id=turn.update.trace_id)
    for effect in outcome.effects:
        _do(turn, session, effect, ledger)


def _do(turn: Turn, session: Session, effect: Effect, ledger: Ledger) -> None:
    match effect:
        case Say():
            meta = {"session": session.pk, "version": session.version_id, "node": effect.node, "visit": effect.visit}
            turn.say(Content.model_validate(effect.content), meta=meta)
        case WaitUntil():
            turn.wait(due_at=effect.due_at, reason=effect.reason, session_id=session.pk, visit=effect.visit)
        case Emit():
            told = mask(effect.data, private=private_keys())
            turn.record("scenario.event", session_id=session.pk, details={"name": effect.name, "data": told})
            ledger.emitted.append((turn, session, effect))
        case Respond():
            turn.update.outcome.setdefault("data", effect.data)


def _act(turn: Turn, session: Session, outcome: Step, ledger: Ledger) -> Returned | None:
    """Do what the step asks for: the result of an inside action, or None when nothing was asked or an outside call is on its way."""
    act = next((effect for effect in outcome.effects if isinstance(effect, Act)), None) if outcome.status == "calling" else None
    if act is None:
        return None
    action = actions_for(turn.chat.bot.pk).get(act.action)
    if action is None:
        return Returned(visit=act.visit, exit="error", error=f"The action “{act.action}” is not installed.")
    context = action_context(turn, session, act.visit, facts_of(turn.chat, ledger.people))
    try:
        params = action.Params.model_validate(act.params)
        if action.outside:
            return _call(turn, session, act, action=action, context=context, params=params)
    except ValidationError as error:
        reason = "; ".join(f"{path or act.action}: {why}" for path, why in explain(error))
        return Returned(visit=act.visit, exit="error", error=reason)
    result = action.run(context, params)
    read_again(turn, ledger)
    return _returned(act.visit, result)


def _call(turn: Turn, session: Session, act: Act, *, action: Action[Any], context: ActionContext, params: Any) -> Returned | None:
    """The outside call is committed with everything said before it, and made by the sender without a lock."""
    request = action.request(context, params).dump()
    if request.get("callback_seconds") and not settings.PUBLIC_URL:
        return Returned(visit=act.visit, exit="refused", error="The installation has no public address (PUBLIC_URL) for callbacks.")
    request = callbacks.filled(request, marker=CALLBACK_URL, session_id=session.pk, visit=act.visit)
    shown = action.request(context, action.Params.model_validate(act.shown)).dump()
    turn.call(
        action=act.action,
        request={**request, "params": act.params},
        session_id=session.pk,
        visit=act.visit,
        shown={"method": shown["method"], "url": shown["url"], "body": shown.get("json", shown.get("body"))},
        key=context.idempotency_key,
    )
    return None


def read_again(turn: Turn, ledger: Ledger) -> None:
    """An action may have changed the person or linked the chat to another one."""
    chat = turn.chat
    chat.lead.refresh_from_db(from_queryset=Lead.objects.select_related("person", "channel__bot"))
    if chat.person.pk != chat.lead.person.pk:
        chat.conversation.person = chat.lead.person
        chat.written.changed[chat.conversation.pk] = chat.conversation
    chat.person = chat.lead.person
    for session in ledger.open.get(chat.conversation.pk, []):
        session.person = chat.person
    ledger.people.pop(chat.person.pk, None)


def reply_to(turn: Turn, session: Session, call: Call, reply: dict[str, Any], ledger: Ledger) -> Returned:
    """What an outside call's reply means for the session: the action maps it to an exit and values."""
    action = actions_for(turn.chat.bot.pk).get(call.action)
    if action is None:
        return Returned(visit=call.visit, exit="error", error=f"The action “{call.action}” is not installed.")
    action = action.as_asked(call.request)
    context = action_context(turn, session, call.visit, facts_of(turn.chat, ledger.people))
    result = action.finish(context, action.Params.model_validate(call.request.get("params", {})), action.reply(reply))
    _finished(turn, session, result, ledger)
    return _returned(call.visit, result)


def _finished(turn: Turn, session: Session, result: ActionResult, ledger: Ledger) -> None:
    """What an outside action did besides giving values."""
    if result.changed:
        read_again(turn, ledger)
    if result.told:
        turn.record("script.ran", session_id=session.pk, status="fail" if result.error else "success", details=result.told)
    for emit in result.emits:
        _do(turn, session, emit, ledger)


def action_context(turn: Turn, session: Session, visit: int, facts: Facts) -> ActionContext:
    chat = turn.chat
    return ActionContext(
        bot_id=chat.bot.pk,
        person_id=chat.person.pk,
        lead_id=chat.lead.pk,
        conversation_id=chat.conversation.pk,
        session_id=session.pk,
        trace_id=turn.update.trace_id,
        idempotency_key=f"s{session.pk}-v{visit}",
        facts=facts,
        variables=(session.state or {}).get("vars", {}),
    )


def _returned(visit: int, result: ActionResult) -> Returned:
    return Returned(visit=visit, exit=result.exit, values=result.values, error=result.error)


def _talks_too_much(turn: Turn) -> bool:
    """The limit per person and hour (engine.md, "Loops"), asked of the message that stands that many places back: free for most chats."""
    conversation = turn.chat.conversation
    back = conversation.last_seq - settings.MESSAGES_PER_HOUR
    if back <= 0:
        return False
    return Message.objects.filter(conversation=conversation, seq=back, created_at__gt=turn.now - timedelta(hours=1)).exists()


def _failed(session: Session, message: str, *, code: str = "limit") -> Step:
    problem = Problem(level="error", code=code, message=message, node=session.node)
    return Step(
        state=None,
        events=(Happened(kind="error", node=session.node, details={"message": message}),),
        effects=(),
        status="failed",
        failure=problem,
    )


def _conclude(turn: Turn, session: Session, outcome: Step, ledger: Ledger) -> None:
    """What the session's row, the item's outcome and the log say after the move."""
    wait = (outcome.state or {}).get("wait") or {}
    session.node, session.waits_for = str(wait.get("node", "")), str(wait.get("kind", ""))[:20]
    session.changed_at = timezone.now()
    asked = turn.update.outcome.setdefault("session", session.pk) == session.pk  # not the interrupted one that comes back in the same turn
    if asked:
        turn.update.outcome["status"] = outcome.status
    if outcome.status in {"ended", "failed"}:
        session.status = Session.Status.ENDED if outcome.status == "ended" else Session.Status.FAILED
        session.ended_at = session.changed_at
        turn.record(
            f"session.{session.status}",
            session_id=session.pk,
            status="fail" if outcome.status == "failed" else "success",
            details=_failure(session, outcome),
        )
    if outcome.failure:
        session.error = outcome.failure.message[:500]
        if asked:
            place = {"node": outcome.failure.node, "section": outcome.failure.section}
            turn.update.outcome["failure"] = {"message": outcome.failure.message, **place}
        text = _apology(turn, session) if outcome.failure.code != "too_many_messages" else ""
        if text:
            visit = max((happened.visit for happened in outcome.events), default=0)
            turn.say(Content(text=text), meta={"session": session.pk, "node": outcome.failure.node, "visit": visit})
    ledger.changed(session)


def _apology(turn: Turn, session: Session) -> str:
    """What the person hears when nothing in the scenario handled its failure: the scenario's own text, else the bot's; "" says nothing."""
    try:
        flow = flow_of(session.version_id)
    except DefinitionError:
        return turn.chat.bot.error_text
    has_own = "error_text" in flow.source.get("policies", {})
    return flow.error_text(turn.chat.person.language) if has_own else turn.chat.bot.error_text


def _failure(session: Session, outcome: Step) -> dict[str, Any]:
    details: dict[str, Any] = {"scenario": session.scenario.key, "version": session.version_id}
    return {**details, "node": outcome.failure.node, "reason": outcome.failure.message} if outcome.failure else details
