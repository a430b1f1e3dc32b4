"""One attempt to deliver: signed, through the guarded client, judged. Also the challenge that an address answers before it is told anything."""

import json
import random
import secrets
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import breaker, http
from apps.core.masking import mask
from apps.core.outgoing import OutgoingError, OutgoingRequest, RefusedError, Reply
from apps.core.standard_webhooks import signed_headers
from apps.events.models import Delivery, DeliveryAttempt, Subscription
from apps.events.webhooks.deliveries import MAX_ATTEMPTS, MAX_DEATHS, Pushed, dump

SECONDS = 10.0
SHOWN_CHARS = 4000
MAX_RETRY_AFTER = 24 * 3600.0
GONE, SERVER_ERROR = 410, 500
# Seconds before each further attempt (Standard Webhooks): 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h; 75.6 h together.
PAUSES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)


async def push(delivery: Delivery, subscription: Subscription) -> Pushed:
    """One attempt; never raises."""
    if delivery.deaths >= MAX_DEATHS:
        return Pushed(delivery, error=_("The process that sent this died again and again."))
    host = urlsplit(subscription.url).netloc.rpartition("@")[2].lower()
    if await breaker.holds_back(host):
        return Pushed(delivery, error=_("%(host)s has failed again and again and is left alone for a while.") % {"host": host},
                      again_in=breaker.OPEN_SECONDS * random.uniform(1, 1.5), counted=False)  # noqa: S311  # fmt: skip
    pushed = await _attempt(delivery, subscription)
    if not isinstance(pushed[1], RefusedError):
        await breaker.tell(host, good=0 < (pushed[0].status or 0) < SERVER_ERROR, reason=pushed[0].error)
    return pushed[0]


async def _attempt(delivery: Delivery, subscription: Subscription) -> tuple[Pushed, OutgoingError | None]:
    body = delivery.body.encode()
    request = _request(subscription, message_id=delivery.message_id, body=body)
    reply, failure, started = None, None, time.monotonic()
    try:
        reply = await http.fetch(request)
    except OutgoingError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  whatever a reply makes the client do, the delivery is tried again
        failure = OutgoingError(type(error).__name__)
    error_text = (
        str(failure)
        if failure
        else ""
        if reply and reply.ok
        else _("The receiver answered %(status)s.") % {"status": reply.status if reply else 0}
    )
    pushed = Pushed(
        delivery, status=reply.status if reply else None, error=error_text, latency_ms=round((time.monotonic() - started) * 1000)
    )
    pushed.gone = reply is not None and reply.status == GONE
    if not pushed.good and not pushed.gone:
        pushed.again_in = _again_in(delivery.attempts, reply.headers if reply else {})
    pushed.attempt = _logged(delivery, request, reply, pushed)
    return pushed, failure


def _request(subscription: Subscription, *, message_id: str, body: bytes) -> OutgoingRequest:
    headers = signed_headers(subscription.live_secrets, message_id=message_id, timestamp=int(time.time()), body=body)
    return OutgoingRequest("POST", subscription.url, headers={**headers, "User-Agent": "DialogBus-Webhooks"}, body=body, timeout=SECONDS)


def _again_in(attempts: int, headers: Mapping[str, str]) -> float | None:
    """Seconds until the next attempt; `Retry-After` goes before our own pauses. None: there is none."""
    if attempts >= MAX_ATTEMPTS:
        return None
    own = PAUSES[attempts - 1] * random.uniform(0.9, 1.1)  # noqa: S311
    return max(own, min(_seconds(headers.get("Retry-After", "")), MAX_RETRY_AFTER))


def _seconds(retry_after: str) -> float:
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - timezone.now()).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _logged(delivery: Delivery, request: OutgoingRequest, reply: Reply | None, pushed: Pushed) -> DeliveryAttempt:
    return DeliveryAttempt(
        delivery=delivery,
        at=timezone.now(),
        url=str(mask(request.url))[:2000],
        request_headers={name: value for name, value in request.headers.items() if name != "webhook-signature"},
        status_code=pushed.status,
        response_headers=mask({name: value[:500] for name, value in list(reply.headers.items())[:40]}) if reply else {},
        response_body=str(mask(reply.text()[:SHOWN_CHARS].replace("\x00", ""))) if reply else "",
        error=pushed.error[:500],
        latency_ms=pushed.latency_ms,
    )


# --- the challenge ------------------------------------------------------------------------------------------------------


def challenge(subscription: Subscription) -> str:
    """Ask the address to prove that it wants our events: it must answer 2xx with the text that we send, alone or as JSON {"challenge": …}.
    "" when it did, else what went wrong, for a person.
    """
    text = secrets.token_urlsafe(24)
    body = dump({"type": "webhook.challenge", "challenge": text, "subscription": subscription.name}).encode()
    try:
        reply = http.fetch_sync(_request(subscription, message_id=f"msg_challenge_{secrets.token_hex(8)}", body=body))
    except OutgoingError as error:
        return str(error)
    if not reply.ok:
        return _("The address answered the challenge with %(status)s. It must answer 2xx with the challenge.") % {"status": reply.status}
    if not secrets.compare_digest(_given_back(reply).encode(), text.encode()):
        return _('The address answered without the challenge. It must give back the text, alone or as JSON {"challenge": …}.')
    return ""


def _given_back(reply: Reply) -> str:
    text = reply.text().strip()
    try:
        found: Any = json.loads(text)
    except ValueError:
        return text
    return str(found.get("challenge", "")) if isinstance(found, dict) else str(found)
