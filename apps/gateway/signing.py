"""Optional signatures of calls (product row IN-9), in the form of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

Headers: `webhook-id: msg_1`, `webhook-timestamp: 1767225600`, `webhook-signature: v1,<base64>`.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime

from apps.core.standard_webhooks import sign
from apps.gateway.answers import RefusedError

__all__ = ["MAX_ID", "TOLERANCE_SECONDS", "sign", "verify"]

TOLERANCE_SECONDS = 300
MAX_ID = 150


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> str:
    """The id of a message that was signed with `secret` within five minutes of `at`; raises `RefusedError` without telling what was expected.

    Whoever causes an effect uses the id up in the same transaction, so that a copied request is refused.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > MAX_ID or not (message_id.isascii() and message_id.isprintable()):
        raise RefusedError("invalid_signature", "Invalid signature: webhook-id is missing or malformed")
    if not _fresh(timestamp, at):
        raise RefusedError("invalid_signature", "Invalid signature: webhook-timestamp is missing or more than five minutes away")
    expected = sign(secret, message_id=message_id, timestamp=timestamp, body=body)
    if not any(_same(expected, given) for given in headers.get("webhook-signature", "").split()):
        raise RefusedError("invalid_signature")
    return message_id


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _fresh(timestamp: str, at: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):  # noqa: PLR2004  seconds until the year 33,000
        return False
    return abs(at.timestamp() - int(timestamp)) <= TOLERANCE_SECONDS
