"""Optional signatures of calls (product row IN-9), in the form of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

Headers: `webhook-id: msg_1`, `webhook-timestamp: 1767225600`, `webhook-signature: v1,<base64>`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from apps.gateway.answers import RefusedError

TOLERANCE_SECONDS = 300
MAX_ID = 150
_VERSION = "v1"
_SECRET_PREFIX = "whsec_"  # noqa: S105  how such a secret begins, not one


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


def sign(secret: str, *, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature` for this message."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"{_VERSION},{base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()}"


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _fresh(timestamp: str, at: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):  # noqa: PLR2004  seconds until the year 33,000
        return False
    return abs(at.timestamp() - int(timestamp)) <= TOLERANCE_SECONDS


def _key(secret: str) -> bytes:
    """`whsec_` + base64, as generators of such secrets write it; any other text is taken as it is."""
    if secret.startswith(_SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
