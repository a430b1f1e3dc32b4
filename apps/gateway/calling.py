"""A call of an integration point, from the request to the answer (product rows IN-1, IN-2). Start reading here.

    who → which endpoint → may they → is the body good → whom → put into the inbox, once → wait for the scenario's first stop → answer

Nothing is changed before the one transaction of `_post`; whatever is refused earlier leaves only its line in the log.
"""

import math
import uuid
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from apps.conversations import awaiting, inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.core import ratelimit
from apps.core.trace import current_trace_id
from apps.gateway import (
    addressing,
    bodies,
    computing,
    endpoints,
    fitting,
    outcomes,
    provided,
    reaching,
    rehearsing,
    repeating,
    signing,
    tokens,
)
from apps.gateway.addressing import Wanted
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.models import Endpoint, KeptAnswer
from apps.gateway.noting import Attempt
from apps.gateway.reaching import Reached
from apps.gateway.repeating import Claim
from apps.gateway.tokens import Caller
from apps.identity.models import Lead

WRAPPER = "script_request_params"
SOURCE = "call"


def answer(request: HttpRequest, attempt: Attempt, *, bot_id: str, alias: str) -> Answer:
    """The answer of one call; raises `RefusedError`. What becomes known on the way is put into `attempt`."""
    caller = attempt.caller = admitted(request, attempt)
    endpoint = attempt.endpoint = endpoints.find(bot_id, alias, caller)
    attempt.dry_run = rehearsing.asked(request)
    endpoints.check_scope(endpoint, caller, dry_run=attempt.dry_run)
    if request.method != "POST":
        raise RefusedError("method_not_allowed", headers={"Allow": "POST"})
    raw = bodies.read(request)
    signed_id = signing.verify(endpoint.signing_secret, request.headers, raw, at=attempt.began_at) if endpoint.signing_secret else ""
    bodies.check_is_json(request)
    body = bodies.parse_object(raw)
    params = _unwrapped(body, attempt)
    claim = None if attempt.dry_run or provided.has(endpoint) else repeating.claim_of(request, caller, body)
    kept = repeating.find(claim) if claim else None
    if claim and kept:
        return _again(attempt, claim, kept)
    fitting.check(params, endpoint.request_schema)
    if provided.has(endpoint):
        return provided.answer(attempt, endpoint, params)
    return _start(attempt, params, claim=claim, signed_id=signed_id, wait=not _is_async(request))


def admitted(request: HttpRequest, attempt: Attempt) -> Caller:
    """The caller behind the request's token, within its rate; raises `RefusedError`."""
    caller = tokens.authenticate(request.headers.get("Authorization", ""), at=attempt.began_at)
    attempt.caller = caller
    limit = caller.calls_per_minute or int(settings.TOKEN_CALLS_PER_MINUTE)
    decision = ratelimit.blocks.allow(f"token:{caller.token_id}", limit=limit, per_seconds=60)
    if not decision.allowed:
        seconds = max(1, math.ceil(decision.retry_after))
        raise RefusedError("rate_limited", f"Too many calls. Try again in {seconds} s.", headers={"Retry-After": str(seconds)})
    return caller


def _start(attempt: Attempt, params: Json, *, claim: Claim | None, signed_id: str, wait: bool) -> Answer:
    endpoint = cast("Endpoint", attempt.endpoint)
    endpoints.check_published(endpoint)
    wanted = addressing.wanted(params)
    if wanted is None and not endpoint.needs_recipient:
        return computing.answer(endpoint, params, dry_run=attempt.dry_run)
    if wanted is None:
        raise RefusedError("recipient_required")
    if wait and wanted.way == "user" and len(wanted.values) == 1 and not (claim or signed_id or attempt.dry_run):
        return _for_user(attempt, params, wanted)
    reached = reaching.reach(attempt, endpoint.bot, wanted)
    if attempt.dry_run:
        return rehearsing.answer(endpoint, params, reached, several=wanted.several)
    order = Order(params, reached, several=wanted.several, claim=claim, signed_id=signed_id)
    updates = _post(attempt, order, wait=wait)
    if claim and updates is None:  # another call with this key was faster by a moment
        return _again(attempt, claim, repeating.find(claim))
    codes = order.lead_codes
    results = outcomes.wait(updates or [], codes) if wait else outcomes.accepted(codes)
    given = outcomes.answer(results, several=wanted.several, unreached=reached.unreached)
    if claim:
        repeating.keep(claim, given)
    return given


def _for_user(attempt: Attempt, params: Json, wanted: Wanted) -> Answer:
    """The common call, for one user, with nothing else to store: who that is is looked up on the way to the inbox, together with other calls."""
    bot, trace_id = cast("Endpoint", attempt.endpoint).bot, current_trace_id()
    [value] = wanted.values
    orders: list[Order] = []

    def postings(leads: list[Lead]) -> list[Posting]:
        orders[:] = [Order(params, reaching.reach_user(attempt, bot, value, leads), several=wanted.several, claim=None, signed_id="")]
        return _postings(attempt, orders[0], trace_id)

    updates = awaiting.post(awaiting.ForUser((bot.pk, reaching.system_of(attempt), value), postings))
    [order] = orders
    return outcomes.answer(outcomes.wait(updates, order.lead_codes), several=order.several, unreached=order.reached.unreached)


@dataclass(frozen=True)
class Order:
    """A call that passed every check: what will be put into the inbox, and what makes it unique."""

    params: Json
    reached: Reached
    several: bool
    claim: Claim | None
    signed_id: str

    @property
    def lead_codes(self) -> list[str]:
        return [lead.code for lead in self.reached.leads]


def _post(attempt: Attempt, order: Order, *, wait: bool) -> list[Update] | None:
    """The one commit of a call: key, signature and inbox items together, and where the caller waits what comes of them, as far as the chats are
    free. None when the key belongs to an earlier call.
    """
    caller, endpoint, trace_id = cast("Caller", attempt.caller), cast("Endpoint", attempt.endpoint), current_trace_id()
    postings = _postings(attempt, order, trace_id)
    if not order.claim and not order.signed_id:
        return awaiting.post(postings) if wait else [posted.item for posted in inbox.post(postings)]
    with transaction.atomic():
        if order.claim and not repeating.take(order.claim, trace_id=trace_id):
            return None
        if order.signed_id:
            repeating.use_up(token_id=caller.family, endpoint_id=endpoint.pk, message_id=order.signed_id, trace_id=trace_id)
        updates = [posted.item for posted in inbox.post(postings, hint=not wait)]
        if order.claim:
            ids = [update.pk for update in updates]
            left = {"updates": ids, "leads": order.lead_codes, "unreached": order.reached.unreached, "several": order.several}
            repeating.remember(order.claim, left)
    return updates


def _postings(attempt: Attempt, order: Order, trace_id: str) -> list[Posting]:
    caller, endpoint = cast("Caller", attempt.caller), cast("Endpoint", attempt.endpoint)
    payload = {
        "scenario_id": endpoint.scenario_id,
        "entry": endpoint.entry,
        "params": order.params,
        "endpoint": endpoint.alias,
        "endpoint_id": endpoint.pk,
        "token": caller.name,
        "source_system": caller.source_system,
    }
    call_id = uuid.uuid4().hex
    return [
        Posting(
            channel_id=lead.channel_id,
            bot_id=endpoint.bot_id,
            chat_id=lead.chat_id,
            kind=Update.Kind.START,
            source=SOURCE,
            event_key=f"{call_id}:{lead.pk}",
            payload=payload,
            trace_id=trace_id,
        )
        for lead in order.reached.leads
    ]


def _again(attempt: Attempt, claim: Claim, kept: KeptAnswer | None) -> Answer:
    """The answer that the first call with this key got, or will get."""
    if kept is None:  # its 24 hours ended between two statements
        raise RefusedError("unavailable", headers={"Retry-After": "1"})
    attempt.trace_id, attempt.facts["repeated"] = kept.trace_id, True
    headers = {repeating.REPLAYED_HEADER: "true"}
    if kept.status is not None:
        return Answer(kept.status, cast("Json", kept.answer), headers)
    left: Json = kept.answer or {}
    results = outcomes.wait([Update(id=update_id) for update_id in left["updates"]], left["leads"])
    given = outcomes.answer(results, several=left["several"], unreached=left["unreached"], trace_id=kept.trace_id)
    repeating.keep(claim, given)
    return Answer(given.status, given.body, headers)


def _unwrapped(body: Json, attempt: Attempt) -> Json:
    """The parameters, whether they came bare or inside `script_request_params`; a recipient may also stand beside the wrapper."""
    inner = body.get(WRAPPER)
    attempt.form = "bare" if WRAPPER not in body else WRAPPER
    if WRAPPER in body and not isinstance(inner, dict):
        attempt.params = {}
        raise RefusedError("bad_request", errors=[{"field": WRAPPER, "message": "must be a JSON object"}])
    beside = {key: value for key, value in body.items() if key != WRAPPER}
    attempt.params = {**beside, **(inner or {})}
    return attempt.params


def _is_async(request: HttpRequest) -> bool:
    """`Prefer: respond-async` (RFC 7240) or `?async=true`."""
    preferred = {part.strip().lower() for part in request.headers.get("Prefer", "").replace(";", ",").split(",")}
    return "respond-async" in preferred or rehearsing.flag(request.GET.get("async", ""), "async")
