"""Signatures of our own webhooks (`channels.md` 12): a receiver can tell that a call is ours and that it is new."""

import hashlib
import hmac

TOLERANCE_SECONDS = 300


def signature(secret: str, *, timestamp: str, body: bytes) -> str:
    """`sha256=` + hex HMAC-SHA256 over `<timestamp>.<raw body>`; `timestamp` in whole seconds."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret: str, *, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Headers to send with `body`. `event_id` stays the same when the same thing is sent again."""
    return {
        "Content-Type": "application/json",
        "X-Event-Id": event_id,
        "X-Timestamp": str(timestamp),
        "X-Signature-256": signature(secret, timestamp=str(timestamp), body=body),
    }


def is_signed(secret: str, *, headers: dict[str, str], body: bytes, now: float) -> bool:
    """What a receiver should check; `headers` with names in lower case. Without a secret nothing is believed."""
    timestamp, given = headers.get("x-timestamp", ""), headers.get("x-signature-256", "")
    if not secret or not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(given.encode(), signature(secret, timestamp=timestamp, body=body).encode())
