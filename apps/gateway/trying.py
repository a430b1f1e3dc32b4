"""Try an endpoint out from the admin: the dry run of a call, without a token, for a colleague who may edit the endpoint."""

from apps.gateway import addressing, fitting, reaching, rehearsing
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.models import Endpoint
from apps.gateway.noting import Attempt
from apps.gateway.reaching import Reached
from apps.gateway.tokens import Caller


def try_out(endpoint: Endpoint, params: Json) -> Answer:
    """What a dry run with these parameters would answer to the bot's main system; nothing is changed, sent or logged."""
    caller = Caller(
        token_id=0, family=0, name="admin", source_system=endpoint.bot.source_system, bots=frozenset({endpoint.bot_id}), all_aliases=True,
        aliases=frozenset({endpoint.alias}), dry_run_only=True, calls_per_minute=None, expires_at=None,
    )  # fmt: skip
    attempt = Attempt(alias=endpoint.alias, address="", caller=caller, endpoint=endpoint, dry_run=True)
    try:
        fitting.check(params, endpoint.request_schema)
        wanted = addressing.wanted(params)
        reached = reaching.reach(attempt, endpoint.bot, wanted) if wanted else None
    except RefusedError as refused:
        return refused.answer()
    if wanted is None or reached is None:
        return RefusedError("recipient_required").answer()
    return _rehearsed(endpoint, params, reached, several=wanted.several)


def _rehearsed(endpoint: Endpoint, params: Json, reached: Reached, *, several: bool) -> Answer:
    try:
        return rehearsing.answer(endpoint, params, reached, several=several)
    except RefusedError as refused:
        return refused.answer()
