"""The allow-list of inner systems: from the environment (`OUTGOING_ALLOW`) and from the admin (`AllowedAddress`)."""

from functools import lru_cache

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from apps.core.addresses import AllowRule
from apps.core.cached import CachedTable
from apps.core.models import AllowedAddress

logger = structlog.get_logger(__name__)


def _load() -> tuple[AllowRule, ...]:
    return tuple(AllowRule.parse(target, port) for target, port in AllowedAddress.objects.values_list("target", "port"))


_stored: CachedTable[tuple[AllowRule, ...]] = CachedTable(lambda: AllowedAddress, _load)


@lru_cache(maxsize=8)
def _parsed(texts: tuple[str, ...]) -> tuple[AllowRule, ...]:
    return tuple(AllowRule.parse(text) for text in texts)


def environment_rules() -> tuple[AllowRule, ...]:
    return _parsed(tuple(settings.OUTGOING_ALLOW))


def stored_rules() -> tuple[AllowRule, ...]:
    """What the admin holds; nothing when the database does not answer (the call is then refused)."""
    try:
        return _stored.get()
    except DatabaseError:
        logger.warning("allow_list_unavailable", exc_info=True)
        return ()


def stored_rules_in_thread() -> tuple[AllowRule, ...]:
    """`stored_rules` for a thread that keeps no database connection."""
    try:
        return stored_rules()
    finally:
        connection.close()


def forget() -> None:
    """After a change in this process: read again at the next call."""
    _stored.forget()
