"""The demo's secrets: made once, kept in a file that only its owner can read."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path


def field_key() -> str:
    """A key ring of one key, as settings read it: `key id:base64 of 32 bytes`."""
    return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


MAKERS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "BLIND_INDEX_KEY": lambda: secrets.token_urlsafe(32),
    "FIELD_KEYS": field_key,
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
    "VALKEY_PASSWORD": lambda: secrets.token_urlsafe(24),
}


def keep_secrets(file: Path) -> dict[str, str]:
    """What `file` holds, completed with a fresh value for every secret that it lacks. One `NAME=value` a line, mode 0600."""
    kept = read_secrets(file)
    missing = {name: make() for name, make in MAKERS.items() if name not in kept}
    if missing:
        write_private(file, "".join(f"{name}={value}\n" for name, value in {**kept, **missing}.items()))
    return {**kept, **missing}


def read_secrets(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def write_private(file: Path, text: str) -> None:
    """Replaces the file in one step; nobody but its owner can read it at any moment."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(file)
