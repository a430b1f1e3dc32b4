"""Calls whose answer comes later, by a request of the other system to a signed one-time address: minutes or days after the call.

    called ── 2xx ──▶ waiting ── callback ──▶ done, the dialogue goes on
                         └──── time is over ──▶ done, exit no_callback

Whatever comes twice, late or too early (before we have noted the answer to our own call) changes nothing twice and loses nothing.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote, quote_plus

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.conversations import inbox
from apps.conversations.calloutcome import CallOutcome
from apps.conversations.models import Call
from apps.events import recording

HEADER = "X-Callback-Url"
BATCH = 200
NO_CALLBACK = "no_callback"
Json = dict[str, Any]


class Taken(Enum):
    """What a callback meets. KNOWN: it was here before; LATE: nobody waits any more; UNKNOWN: no address of ours."""

    NEW = "new"
    KNOWN = "known"
    LATE = "late"
    UNKNOWN = "unknown"


def _signer() -> Signer:
    return Signer(salt="callback", sep=".")


def url_of(*, session_id: int, visit: int) -> str:
    """The address for one visit of one session; the signature makes it unguessable, the call's state makes it good for one use."""
    return f"{settings.PUBLIC_URL}/callbacks/{_signer().sign(f'{session_id}-{visit}')}"


def filled(request: Json, *, marker: str, session_id: int, visit: int) -> Json:
    """The request of a call that waits for a callback, with the real address wherever `marker` stands, also encoded within an address, and in a
    header of its own; any other request as it is.
    """
    if not request.get("callback_seconds"):
        return request
    url = url_of(session_id=session_id, visit=visit)
    text = json.dumps(request, ensure_ascii=False)
    for written in (str, lambda plain: quote(plain, safe=""), quote_plus, quote):
        text = text.replace(json.dumps(written(marker), ensure_ascii=False)[1:-1], json.dumps(written(url), ensure_ascii=False)[1:-1])
    found: Json = json.loads(text)
    found["headers"] = {HEADER: url, **found.get("headers", {})}
    return found


# --- the sender's side ------------------------------------------------------------------------------------------------


def take(ended: Sequence[CallOutcome]) -> None:
    """Callbacks that came while their calls were still out: they tell that the other system has understood, whatever became of its answer.
    The rows are locked by the caller.
    """
    ids = [outcome.call.pk for outcome in ended if outcome.call.request.get("callback_seconds")]
    rows = dict(Call.objects.filter(pk__in=ids, callback__isnull=False).values_list("pk", "callback")) if ids else {}
    for outcome in ended:
        if outcome.call.pk in rows:
            outcome.reply = _answered(outcome.reply, rows[outcome.call.pk] or {})
            outcome.again_in = None


def is_awaited(outcome: CallOutcome) -> bool:
    """Whether the other system has accepted the call and is still to answer by callback."""
    status = int(outcome.reply.get("status") or 0)
    return bool(outcome.call.request.get("callback_seconds")) and 200 <= status < 300 and "callback" not in outcome.reply  # noqa: PLR2004


def patience(call: Call) -> timedelta:
    return timedelta(seconds=float(call.request["callback_seconds"]))


def _answered(reply: Mapping[str, Any], callback: Json) -> Json:
    kept = {name: value for name, value in reply.items() if name not in ("error", "reason")}
    return {"status": 200, **kept, "callback": callback}


def expire(*, limit: int = BATCH) -> int:
    """Calls whose callback did not come in time take their exit; how many."""
    from apps.conversations import outcalls  # noqa: PLC0415  it imports this module

    with transaction.atomic():
        due = Call.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=Call.State.WAITING, due_at__lte=Now())
        calls = list(due.select_related("lane").order_by("due_at")[:limit])
        reply = {"error": NO_CALLBACK, "reason": "No callback came in time."}
        Call.objects.filter(pk__in=[call.pk for call in calls]).update(state=Call.State.DONE, done_at=timezone.now(), error=reply["reason"])
        recording.write([_event(call, status="fail", details={"reason": reply["reason"]}) for call in calls])
        inbox.post(outcalls.posting(call, reply) for call in calls)
    return len(calls)


# --- the other system's side ------------------------------------------------------------------------------------------


def receive(token: str, *, content_type: str, body: str) -> Taken:
    """A callback came; what it met. NEW: committed, and the dialogue goes on."""
    try:
        session_id, _dash, visit = _signer().unsign(token).partition("-")
    except BadSignature:
        return Taken.UNKNOWN
    with transaction.atomic():
        call = (
            Call.objects.select_for_update(of=("self",))
            .select_related("lane")
            .filter(session_id=session_id, visit=visit)
            .order_by("-id")
            .first()
        )
        if call is None or not call.request.get("callback_seconds"):
            return Taken.LATE
        if call.callback is not None:
            return Taken.KNOWN
        if call.state not in (Call.State.PENDING, Call.State.WAITING):
            return Taken.LATE
        _take(call, {"content_type": content_type[:100], "body": body})
    return Taken.NEW


def _take(call: Call, callback: Json) -> None:
    from apps.conversations import outcalls  # noqa: PLC0415  it imports this module

    call.callback = callback
    flying = call.state == Call.State.PENDING and call.claimed_by is not None  # its sender settles it
    if not flying:
        call.state, call.done_at = Call.State.DONE, timezone.now()
        inbox.post([outcalls.posting(call, _answered(call.answer or {}, callback))])
    call.save(update_fields=["callback", "state", "done_at"])
    recording.write([_event(call, status="success", details={"size": len(callback["body"])})])


def _event(call: Call, *, status: str, details: Json) -> Any:
    return recording.event(
        "call.answered", status=status, trace_id=call.trace_id, bot_id=call.bot_id, channel_id=call.channel_id, session_id=call.session_id,
        details={"action": call.action, "request": call.shown, **details},
    )  # fmt: skip
