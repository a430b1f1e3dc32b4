"""The mapping table page by page, by key: the last page costs as much as the first."""

from typing import cast

from django.db.models import QuerySet

from apps.gateway import reaching
from apps.gateway.answers import Json, RefusedError
from apps.gateway.models import Endpoint
from apps.gateway.noting import Attempt
from apps.identity.linking import mapping_row
from apps.identity.models import Lead

PAGE = 100
MAX_PAGE = 500
_MAX_ID = 2**63 - 1


def page(attempt: Attempt, *, cursor: str, limit: str) -> Json:
    """{"results": rows in the order in which leads came, "next": cursor of the page after or null}."""
    size = _number(limit, "limit", most=MAX_PAGE) if limit else PAGE
    after = _number(cursor, "cursor", most=_MAX_ID) if cursor else 0
    leads = list(_leads(attempt).filter(pk__gt=after).order_by("pk")[: size + 1])
    shown = leads[:size]
    return {"results": _rows(attempt, shown), "next": str(shown[-1].pk) if len(leads) > size else None}


def of_user(attempt: Attempt, user_id: str) -> list[Json]:
    """The rows of one user of the caller's system; raises `RefusedError` when the user is not known."""
    system = reaching.system_of(attempt)
    bot_id = cast("Endpoint", attempt.endpoint).bot_id
    wanted = {"person__external_ids__bot_id": bot_id, "person__external_ids__system": system, "person__external_ids__value": user_id}
    leads = [] if "\x00" in user_id else list(_leads(attempt).filter(**wanted).order_by("pk"))
    if not leads:
        raise RefusedError("not_found", "User not found")
    return _rows(attempt, leads)


def _leads(attempt: Attempt) -> QuerySet[Lead]:
    bot_id = cast("Endpoint", attempt.endpoint).bot_id
    return Lead.objects.filter(channel__bot_id=bot_id).select_related("person", "channel__bot").prefetch_related("person__external_ids")


def _rows(attempt: Attempt, leads: list[Lead]) -> list[Json]:
    system = reaching.system_of(attempt)
    return [dict(mapping_row(lead, system=system)) for lead in leads]


def _number(text: str, name: str, *, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_ID)) and 0 < int(text) <= most):
        raise RefusedError("bad_request", errors=[{"field": name, "message": f"must be a whole number from 1 to {most}"}])
    return int(text)
