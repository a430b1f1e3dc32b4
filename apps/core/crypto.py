"""Encryption at rest with a key ring, blind indexes, digests of tokens, and signed texts that expire.

Keys come from the environment: `FIELD_KEYS` is a list of (key id, 32 bytes); the first encrypts, all decrypt. To change keys, put a new
pair in front, restart, run `manage.py rotate_keys`, then remove the old pair.
"""

import base64
import binascii
import hashlib
import hmac
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core import signing

PREFIX = "enc1"
NONCE_BYTES = 12
KEY_BYTES = 32


class KeyRingError(Exception):
    """`FIELD_KEYS` cannot be used: none given, a wrong length or an id twice."""


class DecryptionError(Exception):
    """A stored value cannot be read: its key is not in the ring, or it was changed. Never holds the value itself."""


class Keyring:
    """The keys by id; `current` encrypts."""

    def __init__(self, pairs: tuple[tuple[str, bytes], ...]) -> None:
        if not pairs:
            raise KeyRingError("FIELD_KEYS is empty or malformed. Set it to <key id>:<base64 of 32 random bytes>.")
        for key_id, key in pairs:
            _check_key(key_id, key)
        if len({key_id for key_id, _key in pairs}) != len(pairs):
            raise KeyRingError("FIELD_KEYS names the same key id twice. Give every key an id of its own.")
        self.current = pairs[0][0]
        self.ciphers: Mapping[str, AESGCM] = {key_id: AESGCM(key) for key_id, key in pairs}


def _check_key(key_id: str, key: bytes) -> None:
    if not key_id or not key_id.replace("-", "").replace("_", "").isalnum() or len(key_id) > 32:  # noqa: PLR2004
        raise KeyRingError("A key id in FIELD_KEYS must be 1-32 letters, digits, “-” or “_”.")
    if len(key) != KEY_BYTES:
        raise KeyRingError(f"Key {key_id!r} in FIELD_KEYS has {len(key)} bytes; it must have {KEY_BYTES}.")


@lru_cache(maxsize=8)
def _keyring(pairs: tuple[tuple[str, bytes], ...]) -> Keyring:
    return Keyring(pairs)


def keyring() -> Keyring:
    """The ring of the present settings; raises `KeyRingError`."""
    global _latest  # noqa: PLW0603  every message asks, and settings do not change while a process lives
    given = settings.FIELD_KEYS
    if _latest is None or _latest[0] is not given:
        _latest = (given, _keyring(tuple((str(key_id), bytes(key)) for key_id, key in given)))
    return _latest[1]


_latest: tuple[object, Keyring] | None = None


def encrypt(data: bytes) -> str:
    """Text `enc1.<key id>.<base64url of nonce and ciphertext>`; AES-256-GCM, the key id is authenticated too."""
    ring = keyring()
    nonce = os.urandom(NONCE_BYTES)
    sealed = ring.ciphers[ring.current].encrypt(nonce, data, _bound(ring.current))
    return f"{current_prefix()}{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(text: str) -> bytes:
    """The bytes that `encrypt` took; raises `DecryptionError`."""
    prefix, _dot, rest = text.partition(".")
    key_id, _dot, body = rest.partition(".")
    if prefix != PREFIX or not body:
        raise DecryptionError("A stored secret has an unknown form. It was not written by this product's encryption.")
    cipher = keyring().ciphers.get(key_id)
    if cipher is None:
        raise DecryptionError(f"A stored secret was encrypted with key {key_id!r}, which is not in FIELD_KEYS. Add that key again.")
    try:
        sealed = base64.urlsafe_b64decode(body)
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(key_id))
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise DecryptionError(
            f"A stored secret cannot be read with key {key_id!r}: the key was replaced under the same id, or the value was changed.",
        ) from error


def current_prefix() -> str:
    """How every value that is encrypted with the current key begins."""
    return f"{PREFIX}.{keyring().current}."


def _bound(key_id: str) -> bytes:
    return f"{PREFIX}.{key_id}".encode()


def blind_index(value: str, *, purpose: str) -> str:
    """A keyed digest (64 hex digits) by which an encrypted value is found without being stored in clear.

    `purpose` keeps equal values of different fields apart. The caller brings the value to one form first (E.164, lower case).
    """
    return hmac.new(_derived_key(purpose), value.encode(), hashlib.sha256).hexdigest()


def _derived_key(purpose: str) -> bytes:
    root = settings.BLIND_INDEX_KEY
    root_bytes = root if isinstance(root, bytes) else str(root).encode()
    return hmac.new(root_bytes, f"blind-index:{purpose}".encode(), hashlib.sha256).digest()


def token_digest(text: str) -> str:
    """What is stored instead of a token of ours (64 hex digits). Our tokens are long and random, so a plain digest is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


def sign(data: Any, *, purpose: str, ttl: float = 0, until: float | None = None) -> str:
    """Signed, readable, expiring text of JSON data; safe in a URL. `ttl` in seconds from now, or `until` a moment (Unix time)."""
    return signing.Signer(salt=_salt(purpose), sep="~").sign_object({"d": data, "e": time.time() + ttl if until is None else until})


def unsign(text: str, *, purpose: str) -> Any:
    """The data of `sign`, or None when the text is forged, expired or made for another purpose."""
    try:
        payload = signing.Signer(salt=_salt(purpose), sep="~").unsign_object(text)
        return payload["d"] if time.time() < payload["e"] else None
    except (signing.BadSignature, ValueError, KeyError, TypeError, UnicodeDecodeError):
        return None


def _salt(purpose: str) -> str:
    return f"dialogbus.{purpose}"
