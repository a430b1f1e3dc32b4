"""The hands of the chat preview, and only of it: a call that somebody has ticked goes out once, through the guarded client.

An action on stored data tells what it would give in a transaction that is always taken back.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import transaction
from pydantic import ValidationError

from apps.core import http
from apps.core.outgoing import AddressRefusedError, DeadlineError, OutgoingError, OutgoingRequest, RefusedError
from apps.identity.models import Lead, Person
from apps.scenarios.action import Action, ActionContext, OutgoingCall
from apps.scenarios.engine.contract import Act, Facts, Json, Returned
from apps.scenarios.engine.explaining import explain
from apps.scenarios.registry import actions_for
from apps.scenarios.simulation.turning import Perform, context_of, good_exit

KINDS = {RefusedError: "refused", AddressRefusedError: "refused", DeadlineError: "timeout"}
MAX_SECONDS = 10.0


def performer(facts: Facts, *, person: Person | None = None, lead: Lead | None = None, told: Callable[[str, str], None]) -> Perform:
    """Performs the actions of one turn for the copied person. `facts` with secrets in clear. `told(action, url)` notes each call that goes out.

    None for what only the product itself can do: a custom action's JavaScript, a call whose answer comes by callback.
    """
    actions = actions_for(facts.bot.get("id"))

    def perform(act: Act) -> Returned | None:
        action = actions.get(act.action)
        if action is None:
            return Returned(visit=act.visit, exit="error", error=f"The action “{act.action}” is not installed.")
        context = replace(context_of(act, facts), person_id=person.pk if person else None, lead_id=lead.pk if lead else None)
        try:
            params = action.Params.model_validate(act.params)
        except ValidationError as error:
            reason = "; ".join(f"{path or act.action}: {why}" for path, why in explain(error))
            return Returned(visit=act.visit, exit="error", error=reason)
        if action.outside:
            request: Any = action.request(context, params)
            if not isinstance(request, OutgoingCall) or request.callback_seconds:
                return None
            told(act.action, request.url)
            result = action.result(context, params, action.reply(_sent(request)))
            return Returned(visit=act.visit, exit=result.exit, values=result.values, error=result.error)
        return _rehearsed(action, context, params, act, known=person is not None)

    return perform


def _sent(call: OutgoingCall) -> Json:
    """The answer as the sender of the product records it; one attempt, no retries."""
    stored = call.dump()
    body = stored.get("body")
    request = OutgoingRequest(
        method=call.method,
        url=call.url,
        headers=call.headers,
        body=body.encode() if body else None,
        json=stored.get("json"),
        timeout=min(call.timeout, MAX_SECONDS),
    )
    try:
        reply = http.fetch_sync(request)
    except OutgoingError as error:
        return {"error": KINDS.get(type(error), "failed"), "reason": str(error)}
    headers = {name.lower(): value[:500] for name, value in reply.headers.items()}
    return {"status": reply.status, "headers": headers, "body": reply.text()}


def _rehearsed(action: Action[Any], context: ActionContext, params: Any, act: Act, *, known: bool) -> Returned:
    """An action that works with a person's rows has nobody to work with when the person is invented."""
    if not known:
        return Returned(visit=act.visit, exit=good_exit(action))
    with transaction.atomic():
        try:
            result = action.run(context, params)
        finally:
            transaction.set_rollback(True)
    return Returned(visit=act.visit, exit=result.exit, values=result.values, error=result.error)
