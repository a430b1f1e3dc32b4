"""Signatures in the form of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, for what we send and what we are sent.

Headers: `webhook-id: msg_1`, `webhook-timestamp: 1767225600`, `webhook-signature: v1,<base64> v1,<base64>` (one for each live secret).
"""

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable

VERSION = "v1"
SECRET_PREFIX = "whsec_"  # noqa: S105  how such a secret begins, not one
SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` + base64 of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(randomness.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature` for this message with this secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()}"


def signed_headers(live: Iterable[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Headers to send with `body`; `live` are the secrets of which a receiver may hold any. The id stays the same for all attempts."""
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id=message_id, timestamp=str(timestamp), body=body) for secret in live),
    }


def _key(secret: str) -> bytes:
    """`whsec_` + base64, as generators of such secrets write it; any other text is taken as it is."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
