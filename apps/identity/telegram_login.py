"""Telegram's own statements about who somebody is: the Login Widget (also `login_url` buttons) and a Mini App's `initData` (channels.md 3.1)."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from apps.core.crypto import token_digest
from apps.identity.models import UsedProof

MAX_AGE = 300
MAX_SKEW = 60


class LoginRefusedError(Exception):
    """Not Telegram's statement, or too old, or used before. The text is for people."""


@dataclass(frozen=True)
class TelegramUser:
    """`id` equals the chat id of the private chat with a bot; names are what the person chose."""

    id: str
    name: str
    username: str
    auth_date: datetime


def verify(fields: Mapping[str, Any], *, bot_token: str, now: float | None = None) -> TelegramUser:
    """The user of a Login Widget's fields, when they are signed with our bot's token within the last five minutes. Raises `LoginRefusedError`."""
    secret = hashlib.sha256(bot_token.encode()).digest()
    told = _verified(fields, secret, now)
    if not told.get("id"):
        raise LoginRefusedError("Telegram named no user.")
    name = " ".join(str(told[part]) for part in ("first_name", "last_name") if told.get(part))
    return TelegramUser(id=str(told["id"]), name=name, username=str(told.get("username", "")), auth_date=_date(told))


def verify_mini_app(init_data: str, *, bot_token: str, now: float | None = None) -> TelegramUser:
    """The user of a Mini App's `initData` (a query string). Raises `LoginRefusedError`."""
    fields = fields_of(init_data)
    secret = hmac.new(b"WebAppData", bot_token.encode(), hashlib.sha256).digest()
    told = _verified(fields, secret, now)
    try:
        user = json.loads(told["user"])
        name = " ".join(str(user[part]) for part in ("first_name", "last_name") if user.get(part))
        return TelegramUser(id=str(user["id"]), name=name, username=str(user.get("username", "")), auth_date=_date(told))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LoginRefusedError("Telegram named no user.") from error


def fields_of(init_data: str) -> dict[str, str]:
    """The fields of a Mini App's `initData`, decoded."""
    return dict(parse_qsl(init_data, keep_blank_values=True))


def use_once(fields: Mapping[str, Any]) -> bool:
    """Take this statement's one use; False when somebody had it before. To be called after `verify`, in the transaction of what it allows."""
    expires = datetime.now(UTC) + timedelta(seconds=MAX_AGE + MAX_SKEW)
    digest = token_digest(f"telegram:{fields.get('hash', '')}")
    return UsedProof.objects.get_or_create(digest=digest, defaults={"expires_at": expires})[1]


def _verified(fields: Mapping[str, Any], secret: bytes, now: float | None) -> Mapping[str, Any]:
    lines = [f"{key}={fields[key]}" for key in sorted(fields) if key != "hash"]
    expected = hmac.new(secret, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), str(fields.get("hash", "")).encode()):
        raise LoginRefusedError("The login was not signed by Telegram for this bot.")
    age = (time.time() if now is None else now) - _date(fields).timestamp()
    if not -MAX_SKEW <= age <= MAX_AGE:
        raise LoginRefusedError("The login is too old. Sign in again.")
    return fields


def _date(fields: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(int(str(fields["auth_date"])), UTC)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise LoginRefusedError("The login has no date.") from error
