"""Hides secrets and personal data in whatever goes into a log line, an event or an error.

Two nets: a key's name says what its value is; a value's form says that it is a secret wherever it lies.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
# Values whose text cannot hold a secret; any other object (an error, a model) is taken as its text.
_PLAIN = (int, float, bool, type(None), Decimal, dt.date, dt.time, dt.timedelta, uuid.UUID)
MAX_DEPTH = 32
MAX_TEXT = 200_000

# A key is secret when one of these is in its name, or when its name is one of the short ones, which lie in harmless words too.
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
    "signingkey",
    "webhookkey",
    "signature",
    "credential",
    "cookie",
    "csrf",
    "bearer",
    "cardnumber",
)
_SECRET_NAMES = frozenset({"otp", "pin", "pincode", "cvv", "cvc", "jwt", "auth"})
_NOT_SECRET = frozenset(
    {"tokenid", "tokenname", "tokenprefix", "tokens", "tokencount", "maxtokens", "secretid", "issecret", "signaturevalid"}
)
_PHONE_NAMES = frozenset({"phonenumber", "mobile", "tel", "telephone", "msisdn"})
_EMAIL_NAMES = frozenset({"mail", "emailaddress"})

# What a secret looks like wherever it lies: a part that must be in the text (a quick test), the form, what is left of it. Each form begins
# where its run of characters begins and has bounded parts, so that no text takes more than linear time.
_FORMS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "PRIVATE KEY",
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    (" ", re.compile(r"\b(Bearer|Basic|Token|Digest)\s{1,4}[A-Za-z0-9._~+/=:-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # Telegram's bot tokens; then our own: keys of callers, of visitors, of webhooks, and link tokens (gateway, panel, identity).
    (":", re.compile(r"(?<!\d)(\d+):[A-Za-z0-9_-]{30,}"), rf"\1:{HIDDEN}"),
    ("_", re.compile(r"(?<![A-Za-z0-9_-])((?:dbt|vt|whsec|c)_)[A-Za-z0-9_+/-]{20,}={0,2}"), rf"\1{HIDDEN}"),
    ("eyJ", re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"), HIDDEN),
    ("enc1.", re.compile(r"enc1\.[\w-]{1,32}\.[\w=-]{20,}"), HIDDEN),
    ("@", re.compile(r"://[^/\s@:]{0,200}:[^/\s@]{1,200}@"), f"://{HIDDEN}@"),
    (
        "=",
        re.compile(
            r"([?&;](?:access_?token|token|api_?key|key|secret|signature|sig|password|code|hash|state)=)[^&\s\"'<>#]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    *(
        (
            sign,
            re.compile(
                rf"((?:password|passwd|secret|token|api_?key|authorization)[\"']?\s{{0,4}}{sign}\s{{0,4}}[\"']?)"
                r"(?!(?:Bearer|Basic|Token|Digest)\b|\*\*\*)[^\s\"',;&#}{]{4,}",
                re.IGNORECASE,
            ),
            rf"\1{HIDDEN}",
        )
        for sign in ":="
    ),
)


# A parameter of an address: its name says what it is, as a key does. Names are bounded, so that no text takes more than linear time.
_PARAMETER = re.compile(r"(?<=[?&;])([A-Za-z0-9_.\[\]-]{1,60})=([^&;\s\"'<>#]+)")


def mask(data: Any, *, private: Iterable[str] = ()) -> Any:
    """A copy of `data` without secrets and personal data; `private` names further keys to hide (client fields flagged as personal)."""
    return _mask(data, frozenset(_plain(name) for name in private), 0)


def _mask(data: Any, private: frozenset[str], depth: int) -> Any:
    if isinstance(data, str):
        return _mask_parameters(mask_text(data), private)
    if depth > MAX_DEPTH:
        return HIDDEN if isinstance(data, Mapping | list | tuple | set | bytes) else data
    if isinstance(data, Mapping):
        return {key: _mask_item(str(key), value, private, depth + 1) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [_mask(item, private, depth + 1) for item in data]
    if isinstance(data, bytes | bytearray | memoryview):
        return f"<{len(data)} bytes>"
    return data if isinstance(data, _PLAIN) else mask_text(str(data))


def _mask_item(key: str, value: Any, private: frozenset[str], depth: int) -> Any:
    if value is None or value == "" or isinstance(value, bool):
        return value
    plain, secret, hide = _meaning(key)
    if secret or plain in private:
        return HIDDEN
    return _each(value, hide, private, depth) if hide else _mask(value, private, depth)


@lru_cache(maxsize=4096)
def _meaning(key: str) -> tuple[str, bool, Callable[[str], str] | None]:
    """What a key says about its value: the key in one form, whether it is a secret, how it is hidden otherwise."""
    plain = _plain(key)
    return plain, is_secret_key(key), _hiding(plain)


def _hiding(plain: str) -> Callable[[str], str] | None:
    """How a value under this name is made unrecognisable; None when it is no phone and no e-mail."""
    if plain in _PHONE_NAMES or plain.endswith("phone"):
        return mask_phone
    return mask_email if plain in _EMAIL_NAMES or plain.endswith("email") else None


def _mask_parameters(text: str, private: frozenset[str]) -> str:
    """Personal data in the query of an address, however it is encoded there."""
    if "?" not in text or "=" not in text:
        return text

    def masked(found: re.Match[str]) -> str:
        name = _plain(found[1]).rstrip("]")
        if name in private or is_secret_key(name):
            return f"{found[1]}={HIDDEN}"
        hide = _hiding(name)
        return f"{found[1]}={hide(unquote(found[2]))}" if hide else found[0]

    return _PARAMETER.sub(masked, text)


def _each(value: Any, masked: Any, private: frozenset[str], depth: int) -> Any:
    if isinstance(value, str | int):
        return masked(str(value))
    if isinstance(value, list | tuple) and depth <= MAX_DEPTH:
        return [_each(item, masked, private, depth + 1) for item in value]
    return _mask(value, private, depth)


def is_secret_key(key: str) -> bool:
    """Whether a value under this name is a secret."""
    plain = _plain(key)
    return plain in _SECRET_NAMES or (plain not in _NOT_SECRET and any(word in plain for word in _SECRET_WORDS))


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "").replace(".", "")


def mask_text(text: str) -> str:
    """The text without anything that has the form of a secret."""
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}…"
    for part, form, left in _FORMS:
        if part in text:
            text = form.sub(left, text)
    return text


_MASKED_PHONE = re.compile(r"\+?\d{3}\*{2,15}\d{2}")


def mask_phone(text: str) -> str:
    """`+380501112233` → `+380*****33`: country, operator hidden, last two digits to tell apart."""
    digits = [char for char in text if char.isdigit()]
    if len(digits) < 7:  # noqa: PLR2004  shorter than any phone: nothing may be left of it, unless it is masked already
        return text if _MASKED_PHONE.fullmatch(text) else HIDDEN
    plus = "+" if text.strip().startswith("+") else ""
    return f"{plus}{''.join(digits[:3])}{'*' * (len(digits) - 5)}{''.join(digits[-2:])}"


def mask_email(text: str) -> str:
    """`anna@example.com` → `a***@example.com`."""
    name, at, domain = text.strip().rpartition("@")
    return f"{name[:1]}{HIDDEN}@{domain}" if at and name else HIDDEN
