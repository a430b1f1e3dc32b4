"""For callers that wait for a scenario's answer while it waits for another system."""

import time
from typing import Any

from apps.conversations.models import Call, Update
from apps.scenarios.models import Session

PAUSE_SECONDS = 0.03


def wait_for(update: Update, *, deadline: float) -> dict[str, Any]:
    """The outcome of the run that `update` started, once no outside call of it is out any more; as it stands at `deadline`
    (`time.monotonic()`) it may still be "calling". Shape: {"status", "session", "data"?, "failure"?}.
    """
    outcome = dict(update.outcome)
    while outcome.get("status") == "calling" and time.monotonic() < deadline and not _waits_for_callback(outcome):
        time.sleep(PAUSE_SECONDS)
        outcome = _latest(update)
    return outcome


def _waits_for_callback(outcome: dict[str, Any]) -> bool:
    """A callback may take days: whoever called us is told at once that it goes on without them."""
    return Call.objects.filter(session_id=outcome.get("session") or 0, state=Call.State.WAITING).exists()


def _latest(update: Update) -> dict[str, Any]:
    """The first item's outcome with what the results of its calls added since."""
    session_id = update.outcome.get("session")
    merged = dict(update.outcome)
    results = Update.objects.filter(lane_id=update.lane_id, id__gt=update.pk, kind=Update.Kind.RESULT, state=Update.State.DONE)
    for outcome in results.order_by("id").values_list("outcome", flat=True):
        if outcome.get("session") == session_id:
            merged = {**outcome, **({"data": merged["data"]} if "data" in merged else {})}
    if merged.get("status") == "calling" and not Session.objects.filter(pk=session_id, status=Session.Status.ACTIVE).exists():
        merged["status"] = "ended"
    return merged
