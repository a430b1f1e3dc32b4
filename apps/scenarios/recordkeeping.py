"""What the actions on custom data share: which model a scenario may use, how its filters are read, what it learns of a record."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, Field

from apps.core.masking import mask
from apps.customdata import records, structure
from apps.customdata.building import RecordBase
from apps.customdata.models import Table
from apps.customdata.records import Actor, Filter
from apps.identity.attributes import private_keys
from apps.scenarios.acting import session_of
from apps.scenarios.action import ActionContext

CONSTANTS = "constants."
PROBE = "probe@example.com"


class NoTableError(Exception):
    """The scenario's bot has no such model; for the author."""


class FilterParams(BaseModel):
    """One condition of a search."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = Field(title=gettext_noop("Field"), description=gettext_noop("Its alias."), max_length=60)
    op: str = Field(
        "eq", title=gettext_noop("Comparison"), description="eq, ne, in, gt, gte, lt, lte, contains, starts, has, has_any, has_all, empty"
    )
    value: Any = Field(None, title=gettext_noop("Value"))


def table_of(context: ActionContext, alias: str) -> Table:
    """The model by its alias, if it is for every bot or for this one; raises `NoTableError`."""
    found = structure.by_alias(alias.strip())
    if found is None or found.bot_id not in (None, context.bot_id):
        known = sorted(one.alias for one in structure.tables().values() if one.bot_id in (None, context.bot_id))
        listed = ", ".join(known[:20]) or _("none yet")
        raise NoTableError(_("There is no model “%(alias)s”. There are: %(known)s.") % {"alias": alias[:40], "known": listed})
    return found


def actor_of(context: ActionContext) -> Actor:
    """The scenario, by its name, in the records' history."""
    session = session_of(context)
    return Actor("scenario", str(session.scenario)[:150] if session else "", person_id=context.person_id, bot_id=context.bot_id)


def filters_of(given: Iterable[FilterParams]) -> list[Filter]:
    return [Filter(one.field, one.op, one.value) for one in given]


def told(record: RecordBase, context: ActionContext) -> dict[str, Any]:
    """The record as variables. Personal values only of a record that links to the person in this chat, and only under names that traces hide (phone,
    email, the key of a personal client field): whatever becomes a variable is traced.
    """
    mine = context.person_id and any(
        getattr(record, one.attribute) == context.person_id for one in record.table.fields if one.kind == "person"
    )
    left_out = [one.alias for one in record.table.fields if one.personal and not (mine and _is_hidden(one.alias))]
    return records.values_of(record, private=True, without=left_out)


def _is_hidden(name: str) -> bool:
    return bool(mask({name: PROBE}, private=private_keys())[name] != PROBE)


def id_name(table: Table, given: str) -> str:
    """Under which name of `constants` the id is kept: of “complaints” it is `complaint_id`."""
    return given or f"{_singular(table.alias)}_id"


def _singular(alias: str) -> str:
    if alias.endswith("ies"):
        return f"{alias[:-3]}y"
    return alias[:-1] if alias.endswith("s") and not alias.endswith("ss") else alias
