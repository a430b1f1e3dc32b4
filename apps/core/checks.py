"""System checks: what is wrong with the environment's values and with models, and what to do about it."""

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  Django's name
from django.db import DatabaseError, connections

from apps.core.addresses import AllowRule
from apps.core.crypto import KeyRingError, keyring
from apps.core.fields import encrypted_fields

DEVELOPMENT_MARK = "insecure"
MIN_SECRET_CHARS = 32
MIN_POSTGRESQL = 140000
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+socket")


def register_all() -> None:
    """Hooks the checks into `manage.py check` (and with that into every command that checks first)."""
    for check in (field_keys, blind_index_key, database_url, redis_url, public_url, outgoing_allow, proxy_count, history_without_secrets):
        register(_as_check(check), Tags.security)
    register(production_secrets, Tags.security, deploy=True)
    register(database_version, Tags.database)


def _as_check(find: Callable[[], Iterator[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    def check(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
        return list(find())

    check.__name__ = find.__name__
    return check


def field_keys() -> Iterator[CheckMessage]:
    try:
        keyring()
    except KeyRingError as error:
        yield Error(
            str(error),
            hint="Make a key with: python -c \"import base64, os; print('k1:' + base64.b64encode(os.urandom(32)).decode())\" "
            "and set FIELD_KEYS to it. Several keys are separated by commas; the first encrypts.",
            id="core.E001",
        )


def blind_index_key() -> Iterator[CheckMessage]:
    if not settings.BLIND_INDEX_KEY:
        yield Error(
            "BLIND_INDEX_KEY is empty.", hint="Set it to a long random text and never change it: people are found by it.", id="core.E002"
        )


def database_url() -> Iterator[CheckMessage]:
    engine = settings.DATABASES["default"].get("ENGINE", "")
    if engine != "django.db.backends.postgresql":
        yield Error(
            f"The database engine is {engine!r}.", hint="Set DATABASE_URL to postgres://user:password@host:5432/name.", id="core.E003"
        )


def redis_url() -> Iterator[CheckMessage]:
    scheme = urlsplit(str(settings.REDIS_URL or "")).scheme
    if scheme not in REDIS_SCHEMES:
        yield Error(
            "REDIS_URL is missing or of an unknown kind.", hint="Set it to redis://host:6379/0 (or rediss://, unix://).", id="core.E004"
        )


def public_url() -> Iterator[CheckMessage]:
    if not settings.PUBLIC_URL:
        return
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        yield Error(
            "PUBLIC_URL is not an address.",
            hint="Set it to the address at which people and messengers reach you, e.g. https://bus.example.com, or leave it empty.",
            id="core.E005",
        )
    elif parts.scheme != "https" and not settings.DEBUG and not _is_loopback(parts.hostname):
        yield Error(
            "PUBLIC_URL is not https.",
            hint="Messengers deliver to https only, and sign-in must not be readable on the way.",
            id="core.E006",
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def outgoing_allow() -> Iterator[CheckMessage]:
    for text in settings.OUTGOING_ALLOW:
        try:
            rule = AllowRule.parse(text)
        except ValueError as error:
            yield Error(f"OUTGOING_ALLOW: {error}", hint="List host, host:port, address or network, separated by commas.", id="core.E007")
        else:
            if rule.network is not None and rule.network.prefixlen == 0:
                yield Error(f"OUTGOING_ALLOW: {text} opens every address.", hint="Name the inner systems that are meant.", id="core.E008")


def proxy_count() -> Iterator[CheckMessage]:
    if settings.PROXY_COUNT < 0:
        yield Error(
            "PROXY_COUNT is negative.", hint="Set it to how many proxies of yours stand before this service (0 = none).", id="core.E009"
        )


def history_without_secrets() -> Iterator[CheckMessage]:
    for model in apps.get_models():
        owner = getattr(model, "instance_type", None)
        for field in encrypted_fields(model) if owner is not None else []:
            yield Error(
                f"The history of {owner._meta.label} would keep the secret {field.name!r}.",  # type: ignore[union-attr]
                hint=f"Add {field.name!r} to excluded_fields of its HistoricalRecords.",
                obj=owner,
                id="core.E010",
            )


def production_secrets(app_configs: Sequence[AppConfig] | None = None, **_kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """With `check --deploy`."""
    return list(_production_secrets())


def _production_secrets() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        return
    if DEVELOPMENT_MARK in settings.SECRET_KEY or len(settings.SECRET_KEY) < MIN_SECRET_CHARS:
        yield Error(
            "SECRET_KEY is the development value or shorter than 32 characters.",
            hint="Set SECRET_KEY to a long random text that you keep secret.",
            id="core.E011",
        )
    if any(DEVELOPMENT_MARK.encode() in key for _key_id, key in settings.FIELD_KEYS):
        yield Error(
            "FIELD_KEYS is the development value.", hint="Make a key of your own (see core.E001) before you store anything.", id="core.E012"
        )
    if not settings.PUBLIC_URL:
        yield Warning(
            "PUBLIC_URL is empty.", hint="Messengers that only deliver by webhook cannot be connected; Telegram polls.", id="core.W001"
        )


def database_version(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Only in commands that name a database (migrate, check --database default)."""
    if not databases or "default" not in databases:
        return []
    try:
        version = int(connections["default"].cursor().connection.info.server_version)
    except DatabaseError as error:
        return [
            Error("The database does not answer.", hint=f"Check DATABASE_URL. The server's own words: {str(error).strip()}", id="core.E013")
        ]
    if version < MIN_POSTGRESQL:
        return [Error(f"PostgreSQL {version // 10000} is too old.", hint="Use PostgreSQL 14 or newer.", id="core.E014")]
    return []
