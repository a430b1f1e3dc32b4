"""Calls without a recipient, for an endpoint that needs none: a scenario that only computes an answer.

The pure engine runs it to its end. Whatever wants a person or a chat on the way (say, ask, wait, call, act, emit) makes the call a mistake of the
caller or of the endpoint, and nothing of it is done.
"""

import random
from typing import cast

from django.utils import timezone

from apps.core.settings_store import constants, instance_settings
from apps.gateway import endpoints, outcomes
from apps.gateway.answers import Answer, Json, RefusedError, success
from apps.gateway.models import Endpoint
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.contract import Facts, Respond, Start, Step
from apps.scenarios.engine.stepping import step
from apps.scenarios.models import Scenario


def answer(endpoint: Endpoint, params: Json, *, dry_run: bool) -> Answer:
    """`data` of the scenario's respond block; raises `RefusedError` when the scenario wants more than to answer."""
    endpoints.check_published(endpoint)
    outcome = run(endpoint, params)
    if outcome.status == "failed" and outcome.failure:
        failure = {"message": outcome.failure.message, "node": outcome.failure.node, "section": outcome.failure.section}
        told = outcomes.script_error(failure)
        raise RefusedError(told["code"], told["message"], errors=told["errors"])
    said = [effect.data for effect in outcome.effects if isinstance(effect, Respond)]
    if outcome.status != "ended" or len(said) != len(outcome.effects):
        raise RefusedError(
            "recipient_required", "Recipient is required: the scenario does more than answer. Send userId, leadId, chatId, phone or email."
        )
    rehearsed: Json = (
        {"dry_run": True, "would": {"path": [event.node for event in outcome.events if event.kind == "entered"]}} if dry_run else {}
    )
    return success("Dry run" if dry_run else "Done", **({"data": said[0]} if said else {}), **rehearsed)


def run(endpoint: Endpoint, params: Json) -> Step:
    """One step from the endpoint's entry, in a world without a person."""
    bot, (settings, secret) = endpoint.bot, instance_settings()
    facts = Facts(
        constants=constants(), settings=settings, secret_settings=secret, bot={"id": bot.pk, "name": bot.name},
        language=bot.default_language, timezone=bot.timezone,
    )  # fmt: skip
    flow = flow_of(cast("int", cast("Scenario", endpoint.scenario).published_id))
    entered = Start(entry=endpoint.entry or None, params=params)
    return step(flow, None, entered, facts=facts, clock=timezone.now, rng=random.Random())  # noqa: S311  chance for people, not for secrets
