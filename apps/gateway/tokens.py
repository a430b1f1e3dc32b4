"""Keys of outside systems: made, changed and recognised (security.md 6).

`dbt_` + 30 random characters + 6 of a checksum, all base62. The checksum lets secret scanners and us recognise a mistyped or invented key
without asking the database. Only a digest is stored.
"""

import re
import secrets
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.core.crypto import token_digest
from apps.core.together import aside
from apps.gateway.answers import RefusedError
from apps.gateway.models import ApiToken
from apps.gateway.remembering import Remembered

PREFIX = "dbt_"
RANDOM_CHARS = 30
CHECKSUM_CHARS = 6
USED_SECONDS = 60
OVERLAP = timedelta(days=7)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_CHARS + CHECKSUM_CHARS}}}")


class RotationError(Exception):
    """The token has been replaced already and both are live; retire one first."""


@dataclass(frozen=True)
class Caller:
    """A valid token, as the gateway needs it. `bots` and `aliases` are None for all; `family` is the first of the tokens that replaced one
    another, so that a repeated call is recognised across a change of keys.
    """

    token_id: int
    family: int
    name: str
    source_system: str
    bots: frozenset[int] | None
    all_aliases: bool
    aliases: frozenset[str]
    dry_run_only: bool
    calls_per_minute: int | None
    expires_at: datetime | None
    data: frozenset[str] = frozenset()

    def may_data(self, table: str, right: str) -> bool:
        """Whether records of the model with this alias may be read, written or deleted, or their personal values seen. Never by default."""
        return f"{table}:{right}" in self.data or f"*:{right}" in self.data

    def may_use(self, bot_id: int) -> bool:
        return self.bots is None or bot_id in self.bots

    def may_call(self, alias: str, *, isolated: bool = False) -> bool:
        """An isolated endpoint wants its alias named in full; a pattern `order/*` covers everything below `order/`."""
        if alias in self.aliases:
            return True
        if isolated:
            return False
        return self.all_aliases or any(name.endswith("/*") and alias.startswith(name[:-1]) for name in self.aliases)


def issue(  # noqa: PLR0913  all but the name are optional
    *,
    name: str,
    source_system: str = "crm",
    bots: Iterable[Bot] | None = None,
    aliases: Iterable[str] | None = None,
    dry_run_only: bool = False,
    calls_per_minute: int | None = None,
    expires_at: datetime | None = None,
    created_by: User | None = None,
    data: Iterable[str] = (),
) -> tuple[ApiToken, str]:
    """A new token and its clear text, which is never available again. `bots` or `aliases` None means all of them. `data`: rights over
    records, “complaints:read”.
    """
    row = ApiToken(
        name=name,
        source_system=source_system,
        all_bots=bots is None,
        all_aliases=aliases is None,
        aliases=list(aliases or ()),
        dry_run_only=dry_run_only,
        calls_per_minute=calls_per_minute,
        expires_at=expires_at,
        created_by=created_by,
        data_rights=list(data),
    )
    return _save_new(row, list(bots or ()))


def rotate(row: ApiToken, *, created_by: User | None = None, overlap: timedelta | None = OVERLAP) -> tuple[ApiToken, str]:
    """A second token with the same rights. The old one works on for `overlap` (None: until someone retires it), so that the other system can
    change over without an outage. Raises `RotationError` when the token has a live successor.
    """
    now = timezone.now()
    with transaction.atomic():
        old = ApiToken.objects.select_for_update().get(pk=row.pk)
        if live(old.replaced_by.all(), at=now).exists():
            raise RotationError(f"{old} has been replaced already. Retire one of the two first.")
        new = ApiToken(
            name=old.name,
            source_system=old.source_system,
            all_bots=old.all_bots,
            all_aliases=old.all_aliases,
            aliases=old.aliases,
            dry_run_only=old.dry_run_only,
            calls_per_minute=old.calls_per_minute,
            data_rights=old.data_rights,
            replaces=old,
            created_by=created_by,
            expires_at=now + (old.expires_at - old.created_at) if old.expires_at else None,
        )
        made = _save_new(new, list(old.bots.all()))
        if overlap is not None and (old.expires_at is None or old.expires_at > now + overlap):
            old.expires_at = now + overlap
            old.save(update_fields=["expires_at"])
    return made


def live(tokens: models.QuerySet[ApiToken], *, at: datetime) -> models.QuerySet[ApiToken]:
    """Those of `tokens` that open something now."""
    return tokens.filter(is_active=True).exclude(expires_at__lte=at)


def authenticate(header: str, *, at: datetime) -> Caller:
    """The caller that an `Authorization` header names; raises `RefusedError` with the same answer whatever is wrong with it."""
    scheme, _space, clear = header.strip().partition(" ")
    caller = recognise(clear.strip(), at=at) if scheme.lower() == "bearer" else None
    if caller is None:
        raise RefusedError("invalid_token", headers={"WWW-Authenticate": "Bearer"})
    return caller


def recognise(clear: str, *, at: datetime) -> Caller | None:
    """The caller to whom this clear text belongs, if the token is live."""
    if not well_formed(clear):
        return None
    digest = token_digest(clear)
    caller = _callers.get(digest, lambda: _load(digest))
    if caller is None or (caller.expires_at and caller.expires_at <= at):
        return None
    _note_use(caller.token_id, at)
    return caller


def well_formed(clear: str) -> bool:
    """Whether the text has the form of our tokens and its checksum is right."""
    return bool(_FORM.fullmatch(clear)) and clear[-CHECKSUM_CHARS:] == _checksum(clear[:-CHECKSUM_CHARS])


_callers: Remembered[str, Caller] = Remembered()
_noted: dict[int, float] = {}


def _save_new(row: ApiToken, bots: list[Bot]) -> tuple[ApiToken, str]:
    body = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_CHARS))
    clear = body + _checksum(body)
    row.digest, row.prefix, row.last_four = token_digest(clear), clear[: len(PREFIX) + 4], clear[-4:]
    with transaction.atomic():
        row.save()
        row.bots.set(bots)
    return row, clear


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECKSUM_CHARS):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _load(digest: str) -> Caller | None:
    row = ApiToken.objects.filter(digest=digest, is_active=True).prefetch_related("bots").first()
    if row is None:
        return None
    return Caller(
        token_id=row.pk,
        family=_family(row),
        name=row.name,
        source_system=row.source_system,
        bots=None if row.all_bots else frozenset(bot.pk for bot in row.bots.all()),
        all_aliases=row.all_aliases,
        aliases=frozenset(row.aliases),
        dry_run_only=row.dry_run_only,
        calls_per_minute=row.calls_per_minute,
        expires_at=row.expires_at,
        data=frozenset(row.data_rights),
    )


def _family(row: ApiToken) -> int:
    first, seen = row, {row.pk}
    while first.replaces and first.replaces.pk not in seen:
        first = first.replaces
        seen.add(first.pk)
    return first.pk


def _note_use(token_id: int, at: datetime) -> None:
    """At most once a minute for each process, and only when no other process has."""
    if time.monotonic() - _noted.get(token_id, float("-inf")) < USED_SECONDS:
        return
    _noted[token_id] = time.monotonic()
    fresh = at - timedelta(seconds=USED_SECONDS)
    aside(lambda: ApiToken.objects.filter(pk=token_id).exclude(last_used_at__gt=fresh).update(last_used_at=at))
