"""Everything but the doing: run a scenario up to its first wait over the pure core and tell what it would have said and called.

Nothing is written and nothing is called: the core has no hands, and actions are asked only for what they would do.
"""

import random
from typing import Any

from django.utils import timezone

from apps.identity.models import Lead
from apps.scenarios.action import ActionContext
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.contract import Act, Emit, Facts, Respond, Returned, Say, Start, Step, WaitUntil
from apps.scenarios.engine.stepping import step
from apps.scenarios.facts import facts_for_lead
from apps.scenarios.models import ScenarioVersion
from apps.scenarios.registry import actions_for

MAX_ACTIONS = 50


def dry_run(*, version: ScenarioVersion, entry: str | None, params: dict[str, Any], lead: Lead, trace_id: str = "") -> dict[str, Any]:
    """{"say": [content…], "call": [{action, method, url, body}…], "set": [{action, params}…], "emit", "data", "path", "waits_for", "failure"}.

    Outside calls are assumed to take their first good exit with an empty answer; inside actions run with `dry_run` and change nothing.
    """
    facts = facts_for_lead(lead)
    would: dict[str, Any] = {"say": [], "call": [], "set": [], "emit": [], "path": [], "waits_for": None}
    entered: Any = Start(entry=entry, params=params)
    state: dict[str, Any] | None = None
    flow = flow_of(version.pk)
    for _round in range(MAX_ACTIONS):
        outcome = step(flow, state, entered, facts=facts, clock=timezone.now, rng=random.Random(0))  # noqa: S311
        state = outcome.state
        act = _note(outcome, would)
        if act is None:
            return _finish(outcome, would)
        entered = _pretend(act, lead, facts, would, trace_id)
    return would


def _note(outcome: Step, would: dict[str, Any]) -> Act | None:
    would["path"] += [happened.node for happened in outcome.events if happened.kind == "entered"]
    asked = None
    for effect in outcome.effects:
        match effect:
            case Say():
                would["say"].append(effect.content)
            case Emit():
                would["emit"].append({"name": effect.name, "data": effect.data})
            case Respond():
                would.setdefault("data", effect.data)
            case WaitUntil():
                would["waits_until"] = effect.due_at.isoformat()
            case Act():
                asked = effect
    return asked


def _pretend(act: Act, lead: Lead, facts: Facts, would: dict[str, Any], trace_id: str) -> Returned:
    action = actions_for(lead.channel.bot_id).get(act.action)
    if action is None:
        return Returned(visit=act.visit, exit="error", error=f"The action “{act.action}” is not installed.")
    context = ActionContext(
        bot_id=lead.channel.bot_id,
        person_id=lead.person_id,
        lead_id=lead.pk,
        conversation_id=0,
        session_id=0,
        trace_id=trace_id,
        idempotency_key="dry-run",
        dry_run=True,
        facts=facts,
    )
    if action.outside:
        shown = action.request(context, action.Params.model_validate(act.shown)).dump()
        would["call"].append(
            {"action": act.action, "method": shown.get("method"), "url": shown.get("url"), "body": shown.get("json", shown.get("body"))}
        )
        good = next((exit_.name for exit_ in action.exits if not exit_.failure), "ok")
        return Returned(visit=act.visit, exit=good)
    result = action.run(context, action.Params.model_validate(act.params))
    would["set"].append({"action": act.action, "params": act.shown, "exit": result.exit})
    return Returned(visit=act.visit, exit=result.exit, values=result.values, error=result.error)


def _finish(outcome: Step, would: dict[str, Any]) -> dict[str, Any]:
    would["status"] = outcome.status
    would["waits_for"] = ((outcome.state or {}).get("wait") or {}).get("kind")
    if outcome.failure:
        would["failure"] = {"message": outcome.failure.message, "node": outcome.failure.node, "section": outcome.failure.section}
    return would
