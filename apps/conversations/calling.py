"""Make one outside call, HTTP ones through the guarded client, and decide whether to try again. No lock and no transaction is held
meanwhile.
"""

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.utils import timezone

from apps.conversations.models import Call
from apps.conversations.outcalls import MAX_DEATHS, CallOutcome
from apps.conversations.performer import performer_of
from apps.core import breaker, http
from apps.core.outgoing import AddressRefusedError, DeadlineError, OutgoingError, OutgoingRequest, RefusedError

logger = structlog.get_logger(__name__)

MAX_WAIT_SECONDS = 3600.0
SERVER_ERROR = 500
RETRY_ON = ("5xx", "429", "timeout", "reset")
_KINDS = {RefusedError: "refused", AddressRefusedError: "refused", DeadlineError: "timeout"}


async def make(call: Call) -> CallOutcome:
    """One attempt; never raises. `call.request`: {method, url, headers, body (text) or json, timeout, retries, backoff_seconds}."""
    if call.deaths >= MAX_DEATHS:
        return CallOutcome(call, reply={"error": "failed", "reason": "The process that made this call died again and again."})
    started = time.monotonic()
    reply = await _performed(call)
    return CallOutcome(call, reply=reply, again_in=_again_in(call, reply), latency_ms=round((time.monotonic() - started) * 1000))


async def _performed(call: Call) -> dict[str, Any]:
    try:
        return await performer_of(call).perform(call)
    except Exception as error:
        logger.exception("an outside call could not be performed", call=call.pk)
        return {"error": "failed", "reason": type(error).__name__}


async def guarded(call: Call) -> dict[str, Any]:
    """The HTTP call, unless its host has been failing and is left alone for a while."""
    host = urlsplit(str(call.request["url"])).netloc.rpartition("@")[2].lower()
    if await breaker.holds_back(host):
        return {"error": "failed", "reason": f"{host} has failed again and again; it is called again in {breaker.OPEN_SECONDS} s."}
    reply = await _reply(call)
    if reply.get("error") != "refused":  # we refused, the host was not asked
        await breaker.tell(host, good=0 < reply.get("status", 0) < SERVER_ERROR, reason=_why(reply))
    return reply


def _why(reply: dict[str, Any]) -> str:
    return str(reply.get("reason") or f"It answered {reply.get('status')}.")


async def _reply(call: Call) -> dict[str, Any]:
    asked = call.request
    try:
        request = OutgoingRequest(
            method=asked.get("method", "POST"),
            url=asked["url"],
            body=_body(asked),
            json=asked.get("json"),
            headers={**asked.get("headers", {}), "X-Trace-Id": call.trace_id, "Idempotency-Key": call.idempotency_key},
            timeout=min(float(asked.get("timeout") or 10), 10),
        )
        reply = await http.fetch(request)
    except OutgoingError as error:
        return {"error": _KINDS.get(type(error), "failed"), "reason": str(error)}
    except Exception as error:
        logger.exception("an outside call failed in an unexpected way", call=call.pk)
        return {"error": "failed", "reason": type(error).__name__}
    return {"status": reply.status, "headers": _useful(reply.headers), "body": reply.body.decode("utf-8", errors="replace")}


def _body(asked: dict[str, Any]) -> bytes | None:
    body: str | None = asked.get("body")
    return body.encode() if body else None


def _useful(headers: Mapping[str, str]) -> dict[str, str]:
    wanted = {"content-type", "retry-after", "location", "x-request-id", "x-trace-id"}
    return {name.lower(): value[:500] for name, value in headers.items() if name.lower() in wanted}


def _again_in(call: Call, reply: dict[str, Any]) -> float | None:
    """Seconds until the next try, for the failures in `retry_on` while retries are left. `Retry-After` goes before our own back-off."""
    wanted = set(call.request.get("retry_on") or RETRY_ON)
    if not wanted & _kinds_of(reply) or call.attempts > int(call.request.get("retries") or 0):
        return None
    asked_for = _seconds(reply.get("headers", {}).get("retry-after", ""))
    own: float = float(call.request.get("backoff_seconds") or 1) * 2 ** (call.attempts - 1) * random.uniform(0.75, 1.25)  # noqa: S311
    return min(max(asked_for, own), MAX_WAIT_SECONDS)


def _kinds_of(reply: dict[str, Any]) -> set[str]:
    """How a caller names this kind of failure in `retry_on`."""
    status = int(reply.get("status") or 0)
    names = {"failed": "reset", "timeout": "timeout", "refused": "refused"}
    kinds = {names[reply["error"]]} if reply.get("error") in names else set()
    return kinds | {"5xx" if status >= SERVER_ERROR else str(status)}


def _seconds(retry_after: str) -> float:
    """`Retry-After` as seconds: a number or an HTTP date (RFC 9110, 10.2.3); 0 when it is neither."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - timezone.now()).total_seconds())
    except (TypeError, ValueError):
        return 0.0
