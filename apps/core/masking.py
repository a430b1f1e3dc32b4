"""Hides secrets and personal data in whatever goes into a log line, an event or an error.

Two nets: a key's name says what its value is; a value's form says that it is a secret wherever it lies.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "***"
MAX_DEPTH = 32
MAX_TEXT = 200_000

_SECRET_WORDS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "signature",
    "credential",
    "cookie",
    "sessionid",
    "csrf",
    "bearer",
    "jwt",
    "otp",
    "pincode",
    "cvv",
    "cvc",
    "cardnumber",
    "webhookkey",
    "signingkey",
)
_NOT_SECRET = frozenset({"tokenid", "tokenname", "tokenprefix", "tokens", "tokencount", "secretid", "signaturevalid"})
_PHONE_KEYS = frozenset({"phone", "phonenumber", "mobile", "mobilephone", "tel", "telephone", "msisdn", "userphone", "clientphone"})
_EMAIL_KEYS = frozenset({"email", "mail", "emailaddress", "useremail", "clientemail"})

_TELEGRAM_TOKEN = re.compile(r"(?<![\w-])(\d{6,12}):[A-Za-z0-9_-]{30,}")
_OWN_TOKEN = re.compile(r"\b(dbt?_[A-Za-z0-9]{0,4})[A-Za-z0-9_]{20,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*")
_SCHEME = re.compile(r"\b(Bearer|Basic|Token|Digest)\s+[A-Za-z0-9._~+/=:-]{6,}", re.IGNORECASE)
_URL_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@:]*:[^/\s@]+@", re.IGNORECASE)
_QUERY = re.compile(
    r"([?&;](?:access_?token|token|api_?key|key|secret|signature|sig|password|code|hash|state)=)[^&\s\"'<>#]+",
    re.IGNORECASE,
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_ENCRYPTED = re.compile(r"\benc1\.[\w-]+\.[\w=-]{20,}")
_KEY_VALUE = re.compile(
    r"(\b[\w-]*(?:password|passwd|secret|token|api_?key|authorization)\b[\"']?\s*[:=]\s*[\"']?)(?!(?:Bearer|Basic|Token|Digest)\b)[^\s\"',;&}{]{4,}",
    re.IGNORECASE,
)


def mask(data: Any, *, private: Iterable[str] = ()) -> Any:
    """A copy of `data` without secrets and personal data; `private` names further keys to hide (client fields flagged as personal)."""
    return _mask(data, frozenset(_plain(name) for name in private), 0)


def _mask(data: Any, private: frozenset[str], depth: int) -> Any:
    if isinstance(data, str):
        return mask_text(data)
    if depth > MAX_DEPTH:
        return HIDDEN if isinstance(data, Mapping | list | tuple | set | bytes) else data
    if isinstance(data, Mapping):
        return {key: _mask_item(str(key), value, private, depth + 1) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [_mask(item, private, depth + 1) for item in data]
    return f"<{len(data)} bytes>" if isinstance(data, bytes | bytearray | memoryview) else data


def _mask_item(key: str, value: Any, private: frozenset[str], depth: int) -> Any:
    plain = _plain(key)
    if value is None or value == "" or isinstance(value, bool):
        return value
    if is_secret_key(key) or plain in private:
        return HIDDEN
    if plain in _PHONE_KEYS:
        return _each(value, mask_phone, private, depth)
    if plain in _EMAIL_KEYS:
        return _each(value, mask_email, private, depth)
    return _mask(value, private, depth)


def _each(value: Any, masked: Any, private: frozenset[str], depth: int) -> Any:
    if isinstance(value, str | int):
        return masked(str(value))
    if isinstance(value, list | tuple):
        return [_each(item, masked, private, depth + 1) for item in value]
    return _mask(value, private, depth)


def is_secret_key(key: str) -> bool:
    """Whether a value under this name is a secret."""
    plain = _plain(key)
    return plain not in _NOT_SECRET and any(word in plain for word in _SECRET_WORDS)


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "").replace(".", "")


def mask_text(text: str) -> str:
    """The text without anything that has the form of a secret."""
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}…"
    text = _PEM.sub(HIDDEN, text)
    text = _TELEGRAM_TOKEN.sub(rf"\1:{HIDDEN}", text)
    text = _OWN_TOKEN.sub(rf"\1{HIDDEN}", text)
    text = _JWT.sub(HIDDEN, text)
    text = _ENCRYPTED.sub(HIDDEN, text)
    text = _URL_USER.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    return _KEY_VALUE.sub(rf"\1{HIDDEN}", text)


def mask_phone(text: str) -> str:
    """`+380501112233` → `+380*****33`: country, operator hidden, last two digits to tell apart."""
    digits = [char for char in text if char.isdigit()]
    if len(digits) < 7:  # noqa: PLR2004  shorter than any phone: nothing may be left of it
        return HIDDEN
    plus = "+" if text.strip().startswith("+") else ""
    return f"{plus}{''.join(digits[:3])}{'*' * (len(digits) - 5)}{''.join(digits[-2:])}"


def mask_email(text: str) -> str:
    """`anna@example.com` → `a***@example.com`."""
    name, at, domain = text.strip().rpartition("@")
    return f"{name[:1]}{HIDDEN}@{domain}" if at and name else HIDDEN
