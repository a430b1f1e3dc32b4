"""`table("complaints")` of scripts: the records of custom data, with the rights of the scenario's bot."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from apps.customdata import records, structure
from apps.customdata.models import Table
from apps.customdata.records import (
    Actor,
    ConflictError,
    CursorError,
    Filter,
    FilterError,
    InUseError,
    InvalidRecordError,
    NotFoundError,
    TableGoneError,
)
from apps.scenarios.jail.outcome import HostError, Json

MOST = 100
WRITES = frozenset({"insert", "update"})
_REFUSALS = (ConflictError, CursorError, FilterError, InUseError, InvalidRecordError, NotFoundError, TableGoneError)


def work(request: Json, *, bot_id: int, name: str) -> Any:
    """Do what a script asks: {"table", "verb", "args"} → JSON. `name` stands in the record's history. Raises `HostError`."""
    table = _table(str(request.get("table") or ""), bot_id)
    args = request.get("args")
    try:
        return _done(table, str(request.get("verb") or ""), args if isinstance(args, dict) else {}, Actor("scenario", name))
    except _REFUSALS as error:
        raise HostError(str(error)) from error


def _table(alias: str, bot_id: int) -> Table:
    """A table of another bot is as if it did not exist."""
    found = structure.by_alias(alias)
    if found is None or found.bot_id not in (None, bot_id):
        raise HostError(_("There is no table “%(name)s”.") % {"name": alias[:60]})
    return found


def _done(table: Table, verb: str, args: Json, by: Actor) -> Any:
    match verb:
        case "get":
            record = records.get(table, args.get("id"))
            return records.values_of(record, private=True) if record is not None else None
        case "find":
            return _found(table, args)
        case "insert":
            return records.values_of(records.create(table, _values(args), by=by), private=True)
        case "update":
            return records.values_of(records.update(table, _id(args), _values(args), by=by), private=True)
        case _:
            raise HostError(_("A table has get, find, insert and update."))


def _found(table: Table, args: Json) -> list[Json]:
    options = args.get("options") or {}
    limit, order = options.get("limit", MOST), options.get("order", "-id")
    if not isinstance(limit, int) or not 0 < limit <= MOST or not isinstance(order, str):
        raise HostError(_("find() takes limit from 1 to %(n)s and order as the name of a field.") % {"n": MOST})
    wanted = args.get("filter") or {}
    page = records.find(table, list(_filters(wanted)), order=order, limit=limit)
    return [records.values_of(record, private=True) for record in page.records]


def _filters(wanted: Any) -> Iterator[Filter]:
    """{status: "new", amount: {gt: 5}, city: ["Kyiv", "Lviv"]}."""
    if not isinstance(wanted, dict):
        raise HostError(_("find() takes an object of fields and values."))
    for alias, value in wanted.items():
        if isinstance(value, dict):
            yield from (Filter(alias, op, given) for op, given in value.items())
        else:
            yield Filter(alias, "in" if isinstance(value, list) else "eq", value)


def _values(args: Json) -> Json:
    values = args.get("values")
    if not isinstance(values, dict):
        raise HostError(_("insert() and update() take an object of fields and values."))
    return values


def _id(args: Json) -> int:
    try:
        return int(args.get("id") or 0)
    except (TypeError, ValueError) as error:
        raise HostError(_("update() takes the id of the record first.")) from error
