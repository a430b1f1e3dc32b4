"""Which model an address names, and what this token may do with its records."""

from typing import Literal

from django.http import HttpRequest

from apps.customdata import structure
from apps.customdata.models import Table
from apps.customdata.noting import Actor
from apps.gateway import calling
from apps.gateway.answers import RefusedError
from apps.gateway.noting import Attempt
from apps.gateway.tokens import Caller

Right = Literal["read", "write", "delete", "personal"]


def admitted(request: HttpRequest, attempt: Attempt, *, alias: str, right: Right) -> tuple[Caller, Table]:
    """The caller and the model. A model that the token may not see at all is as if it did not exist; raises `RefusedError`."""
    caller = calling.admitted(request, attempt)
    table = structure.by_alias(alias) if len(alias) < MAX_ALIAS else None
    if table is None or not sees(caller, table):
        raise RefusedError("not_found", "Model not found")
    if not caller.may_data(alias, right):
        raise RefusedError("not_allowed", f"This token may not do this. It needs the right {alias}:{right}.")
    if caller.dry_run_only and right in ("write", "delete"):
        raise RefusedError("not_allowed", "This token may only make dry runs, and records have none.")
    return caller, table


MAX_ALIAS = 60


def sees(caller: Caller, table: Table) -> bool:
    """Whether any right of the token reaches the model; a model of one bot asks for a token of that bot."""
    if table.bot_id is not None and not caller.may_use(table.bot_id):
        return False
    return any(caller.may_data(table.alias, right) for right in ("read", "write", "delete"))


def actor(caller: Caller) -> Actor:
    """Who stands in the history of the records."""
    return Actor("api", caller.name[:150])
