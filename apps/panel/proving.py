"""Who a visitor is, as far as the page's own server has signed it (channels.md 11, security.md 8)."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.bots.models import Channel

LIFETIME_SECONDS = 600
CLOCK_SKEW_SECONDS = 60
SECRETS = ("identity_secret", "identity_secret_previous")
CLAIMS = ("name", "phone", "email", "username")


@dataclass(frozen=True)
class Identity:
    """`user_id` is proved or ""; `claims` are only said. `problem` tells the integrator why a signature was not taken."""

    user_id: str = ""
    claims: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def signature(secret: str, *, user_id: str, expires: int) -> str:
    """What the page's server computes: hex HMAC-SHA256 over `<user id>.<unix time of expiry>`."""
    return hmac.new(secret.encode(), f"{user_id}.{expires}".encode(), hashlib.sha256).hexdigest()


def judge(channel: Channel, told: Mapping[str, Any]) -> Identity:
    """`told` is `{"user_id", "exp", "hash", "name", "phone", "email"}` as the page sent it; nothing in it is trusted but a valid signature."""
    claims = {key: str(told[key])[:200] for key in CLAIMS if isinstance(told.get(key), (str, int)) and str(told[key]).strip()}
    user_id = str(told.get("user_id") or "").strip()[:200]
    if not user_id:
        return Identity(claims=claims)
    problem = _problem(channel, user_id=user_id, expires=told.get("exp"), told_hash=told.get("hash"))
    if problem:
        return Identity(claims={**claims, "user_id": user_id}, problem=problem)
    return Identity(user_id=user_id, claims=claims)


def _problem(channel: Channel, *, user_id: str, expires: object, told_hash: object) -> str:
    secrets = [str(channel.secrets[name]) for name in SECRETS if channel.secrets.get(name)]
    if not secrets:
        return "identity_not_configured"
    if not isinstance(told_hash, str) or not told_hash.isascii():
        return "hash_missing"
    moment = int(expires) if isinstance(expires, int) or (isinstance(expires, str) and expires.isdecimal() and expires.isascii()) else None
    if moment is None:
        return "exp_missing"
    if not any(hmac.compare_digest(signature(secret, user_id=user_id, expires=moment), told_hash.lower()) for secret in secrets):
        return "hash_wrong"
    now = time.time()
    if moment < now:
        return "expired"
    return "exp_too_far" if moment > now + LIFETIME_SECONDS + CLOCK_SKEW_SECONDS else ""
