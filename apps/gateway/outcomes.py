"""What became of the inbox items of a call, and how that is told to the caller."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.utils import translation

from apps.conversations import awaiting
from apps.conversations.models import Update
from apps.gateway.answers import REASONS, Answer, Json, RefusedError, success
from apps.scenarios import calling

logger = structlog.get_logger(__name__)

ACCEPTED = "accepted"
MAX_MESSAGE = 500
_SUCCESS = {
    "waiting": "Communication sent",
    "ended": "Communication sent",
    "skipped": "Communication skipped",
    "queued": "Communication queued",
    ACCEPTED: "Communication accepted",
}
_SCRIPT_ERROR = "Script error"
_LATER = frozenset({"queued", ACCEPTED})


@dataclass(frozen=True)
class Result:
    """One recipient's outcome. `status`: waiting, ended, skipped, queued, accepted, failed (of the script) or broken (ours)."""

    lead_code: str
    status: str
    outcome: Json

    @property
    def ok(self) -> bool:
        return self.status in _SUCCESS

    def told(self) -> Json:
        """What the caller learns of it, without the envelope."""
        if self.ok:
            told: Json = {"message": _SUCCESS[self.status]}
            told |= {"data": self.outcome["data"]} if "data" in self.outcome else {}
            return told | ({"reason": self.outcome["reason"]} if self.outcome.get("reason") else {})
        return script_error(self.outcome["failure"]) if self.status == "failed" else _broken()


def script_error(failure: Json) -> Json:
    """`Script error at node "ask": …`, or at a line where the script is code (product row IN-2)."""
    line, node, reason = failure.get("line"), failure.get("node", ""), str(failure.get("message", ""))
    place = f"at line {line}" if line else f'at node "{node}"' if node else ""
    prefix = f"{_SCRIPT_ERROR} {place}".rstrip()
    message = reason if reason.startswith(_SCRIPT_ERROR) else f"{prefix}: {reason}" if reason else prefix
    return {"message": message[:MAX_MESSAGE], "code": "script_error", "errors": [{key: value for key, value in failure.items() if value}]}


def wait(updates: Sequence[Update], lead_codes: Sequence[str]) -> list[Result]:
    """The outcomes, once every scenario stands at its first wait for the person or is over, or `CALL_WAIT_SECONDS` are over: what goes on
    after that, or cannot be looked at because the database is away, is accepted and goes on without the caller. `updates`: as far as they are
    known, at least by their ids.
    """
    deadline = time.monotonic() + float(settings.CALL_WAIT_SECONDS)
    results: list[Result] = []
    try:
        # Most are over when they come here; who waits may handle the item himself, and a scenario's words are in the product's language.
        with nullcontext() if all(map(_is_over, updates)) else translation.override(settings.LANGUAGE_CODE):
            results.extend(_result(update, code, deadline) for update, code in zip(updates, lead_codes, strict=True))
    except DatabaseError as error:
        logger.warning("the outcome of an accepted call is not known", error=type(error).__name__)
    return results + [Result(code, ACCEPTED, {}) for code in lead_codes[len(results) :]]


def accepted(lead_codes: Sequence[str]) -> list[Result]:
    """The caller does not want to wait."""
    return [Result(code, ACCEPTED, {}) for code in lead_codes]


def answer(results: Sequence[Result], *, several: bool, unreached: Sequence[Json] = (), trace_id: str = "") -> Answer:
    """One answer for the whole call: 200 when something was sent, 202 when it goes on without the caller, 500 when every script failed."""
    if not several:
        return _single(results[0], trace_id)
    rows = [{"leadId": result.lead_code, "success": result.ok, **result.told()} for result in results] + list(unreached)
    good = [result for result in results if result.ok]
    if not good:
        first = results[0].told()
        refusal = RefusedError(first["code"], first["message"], results=rows).answer()
        return Answer(refusal.status, refusal.body | ({"trace_id": trace_id} if trace_id else {}))
    best = next((result for result in good if result.status not in _LATER), good[0])
    return success(_SUCCESS[best.status], status=202 if best.status in _LATER else 200, trace_id=trace_id, results=rows)


def _single(result: Result, trace_id: str) -> Answer:
    told = result.told()
    if result.ok:
        return success(told.pop("message"), status=202 if result.status in _LATER else 200, trace_id=trace_id, **told)
    refusal = RefusedError(told["code"], told["message"], errors=told.get("errors", ())).answer()
    return Answer(refusal.status, refusal.body | ({"trace_id": trace_id} if trace_id else {}))


def _is_over(update: Update) -> bool:
    return update.state != Update.State.PENDING and update.outcome.get("status") != "calling"


def _result(update: Update, lead_code: str, deadline: float) -> Result:
    update = awaiting.outcome_of(update, wait_seconds=max(0.0, deadline - time.monotonic()))
    if update.state == Update.State.PENDING:
        return Result(lead_code, ACCEPTED, {})
    outcome: dict[str, Any] = update.outcome
    if outcome.get("status") == "calling":
        outcome = calling.wait_for(update, deadline=deadline)
    status = str(outcome.get("status", ""))
    if update.state != Update.State.DONE or not status:
        return Result(lead_code, "broken", {})
    return Result(lead_code, ACCEPTED if status == "calling" else status, outcome)


def _broken() -> Json:
    return {"message": REASONS["internal_error"].message, "code": "internal_error"}
