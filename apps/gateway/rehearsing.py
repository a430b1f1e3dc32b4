"""Dry run: every check, and what would be said and called, without doing it (product row IN-7)."""

from typing import cast

from django.db import transaction
from django.http import HttpRequest

from apps.core.trace import current_trace_id
from apps.gateway import endpoints, outcomes
from apps.gateway.answers import Answer, Json, RefusedError, success
from apps.gateway.models import Endpoint
from apps.gateway.reaching import Reached
from apps.identity.models import Lead
from apps.scenarios.dryrun import dry_run
from apps.scenarios.models import ScenarioVersion

HEADER = "X-Dry-Run"
PARAMETER = "dry_run"
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no", ""})


def asked(request: HttpRequest) -> bool:
    """Whether the caller wants a dry run; a value that is neither yes nor no is refused, because the wrong guess would write to people."""
    return any([flag(request.headers.get(HEADER, ""), HEADER), flag(request.GET.get(PARAMETER, ""), PARAMETER)])


def flag(text: str, name: str) -> bool:
    value = text.strip().lower()
    if value not in _YES | _NO:
        raise RefusedError("bad_request", f"{name} must be true or false.")
    return value in _YES


def answer(endpoint: Endpoint, params: Json, reached: Reached, *, several: bool) -> Answer:
    """What would happen to each recipient."""
    endpoints.check_published(endpoint)
    version = ScenarioVersion.objects.get(pk=cast("int", endpoint.scenario.published_id if endpoint.scenario else 0))
    each = [(lead, rehearse(version, endpoint, params, lead)) for lead in reached.leads]
    if several:
        rows = [{"leadId": lead.code, **_told(would)} for lead, would in each]
        return success("Dry run", dry_run=True, results=[*rows, *reached.unreached])
    told = _told(each[0][1])
    if told.pop("success"):
        return success("Dry run", dry_run=True, **told)
    refusal = RefusedError(told.pop("code"), told.pop("message"), errors=told.pop("errors")).answer()
    return Answer(refusal.status, {**refusal.body, "dry_run": True, **told})


def rehearse(version: ScenarioVersion, endpoint: Endpoint, params: Json, lead: Lead) -> Json:
    """In a transaction that is always taken back: even an action that forgets that this is a rehearsal changes nothing."""
    with transaction.atomic():
        try:
            return dry_run(version=version, entry=endpoint.entry or None, params=params, lead=lead, trace_id=current_trace_id())
        finally:
            transaction.set_rollback(True)


def _told(would: Json) -> Json:
    failure = would.pop("failure", None)
    data = {"data": would.pop("data")} if "data" in would else {}
    return {"success": failure is None, **data, "would": would, **(outcomes.script_error(failure) if failure else {})}
