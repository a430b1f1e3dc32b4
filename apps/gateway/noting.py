"""One row of the event log for each call, refused ones included (product row IN-13), without letting a flood of refusals fill the log."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from apps.core import ratelimit
from apps.core.masking import mask
from apps.core.together import Together
from apps.events import recording
from apps.events.models import Event
from apps.gateway.answers import Answer, Json
from apps.gateway.models import Endpoint
from apps.gateway.tokens import Caller
from apps.identity import attributes
from apps.identity.models import Lead

logger = structlog.get_logger(__name__)

MAX_PARAMS = 8_000
SMALL = 100
PATIENCE_SECONDS = 0.05  # a process that is killed loses as much of the log of calls; their effects have lines of their own
# Refusals that anybody can cause at will: so many are noted for each address or token in a minute, the rest only counted in the server's log.
NOTED_PER_MINUTE = 10
NOTED_PER_MINUTE_IN_ALL = 120
_FLOODING = frozenset({401, 429})


@dataclass
class Attempt:
    """What is known so far of one call; filled on its way, so that a refusal is noted with all that was known by then."""

    alias: str
    address: str
    began: float = field(default_factory=time.monotonic)
    began_at: datetime = field(default_factory=timezone.now)
    caller: Caller | None = None
    endpoint: Endpoint | None = None
    dry_run: bool = False
    form: str = ""
    params: Json | None = None
    leads: list[Lead] = field(default_factory=list)
    trace_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def begin(request: HttpRequest, alias: str) -> Attempt:
    return Attempt(alias=alias.strip("/")[:200].replace("\x00", ""), address=ratelimit.client_ip(request))


def note(attempt: Attempt, answer: Answer) -> None:
    """Have the row written, together with others and without waiting for it; a log that cannot be written does not change the answer that stands for what was committed."""
    if answer.status in _FLOODING and not _may_note(attempt):
        logger.warning("a call was refused", status=answer.status, alias=attempt.alias)
        return

    def failed(error: BaseException) -> None:
        logger.warning("a call was not noted", error=type(error).__name__, status=answer.status, alias=attempt.alias)

    try:
        _write_together.without_waiting(_event(attempt, answer), failed=failed)
    except DatabaseError as error:
        failed(error)


def _write(rows: Sequence[Event]) -> Sequence[Event]:
    recording.write(list(rows))
    return rows


_write_together = Together(_write, patience=PATIENCE_SECONDS)


def _event(attempt: Attempt, answer: Answer) -> Event:
    about: recording.About = {
        "status": "fail" if answer.status >= HTTPStatus.BAD_REQUEST else "success",
        "endpoint": attempt.alias,
        "latency_ms": _latency(attempt),
    }
    if attempt.trace_id:
        about["trace_id"] = attempt.trace_id
    if attempt.caller:
        about["source_system"] = attempt.caller.source_system
    if attempt.endpoint:
        about["bot_id"] = attempt.endpoint.bot_id
    if len(attempt.leads) == 1:
        lead = attempt.leads[0]
        about |= {"lead_id": lead.pk, "person_id": lead.person_id, "channel_id": lead.channel_id}
    row = recording.event("endpoint.dry_run" if attempt.dry_run else "endpoint.called", **about)
    row.timestamp = attempt.began_at
    row.details = mask(_details(attempt, answer), private=attributes.private_keys())
    return row


def _details(attempt: Attempt, answer: Answer) -> Json:
    details: Json = {"http_status": answer.status, **attempt.facts}
    if attempt.caller:
        details["token_name"] = attempt.caller.name
    if not answer.body.get("success"):
        # The messages beside the fields may quote what the caller sent; the names are enough here.
        fields = [error.get("field") or error.get("node", "") for error in answer.body.get("errors", ())]
        details |= {
            "code": answer.body.get("code", ""),
            "message": answer.body.get("message", ""),
            **({"fields": fields} if fields else {}),
        }
    if attempt.params is not None:
        details |= {"form": attempt.form, "params": shortened(attempt.params)}
    if len(attempt.leads) > 1:
        details |= {"recipients": len(attempt.leads), "leads": [lead.code for lead in attempt.leads[:50]]}
    return details


def shortened(params: Mapping[str, Any]) -> Json:
    """The parameters as far as they fit into a line of the log: small values as they are, big ones while there is room, else their size."""
    left = MAX_PARAMS
    result: Json = {}
    for key, value in params.items():
        size = len(str(value))
        shown = value if size <= max(SMALL, left // 2) else f"<{size} characters>"
        left -= min(len(key), SMALL) + (size if shown is value else SMALL)
        if left < 0:
            result["…"] = f"{len(params) - len(result)} more"
            break
        result[key[:SMALL]] = shown
    return result


def _latency(attempt: Attempt) -> int:
    return round((time.monotonic() - attempt.began) * 1000)


def _may_note(attempt: Attempt) -> bool:
    who = f"token:{attempt.caller.token_id}" if attempt.caller else f"ip:{attempt.address}"
    mine = ratelimit.allow(f"note:{who}", limit=NOTED_PER_MINUTE, per_seconds=60)
    return mine.allowed and ratelimit.allow("note:all", limit=NOTED_PER_MINUTE_IN_ALL, per_seconds=60).allowed
