"""Writes a record of custom data."""

from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.customdata import records
from apps.customdata.models import Table
from apps.customdata.records import ConflictError, InvalidRecordError, NotFoundError, TableGoneError
from apps.customdata.storage import StorageBusyError
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.params import OptionalVariableName, VariableName
from apps.scenarios.recordkeeping import CONSTANTS, NoTableError, actor_of, id_name, table_of, told


class SetParams(ActionParams):
    model: str = Field(
        title=gettext_noop("Model"), description=gettext_noop("Its alias."), max_length=40, json_schema_extra={"examples": ["complaints"]}
    )
    action: Literal["create", "update", "upsert"] = Field(
        "create",
        title=gettext_noop("What"),
        description=gettext_noop(
            "create: a new record; update: the record with this id; upsert: the record with this value of the key, or a new one."
        ),
    )
    id: Any = Field(None, title=gettext_noop("Number of the record"), description=gettext_noop("For update."))
    key: str = Field("", title=gettext_noop("Key"), description=gettext_noop("For upsert: the alias of a unique field."), max_length=60)
    values: dict[str, Any] = Field(
        min_length=1,
        title=gettext_noop("Values"),
        description=gettext_noop(
            "By the fields' aliases; an empty value empties the field. A link to a person that is not given is the person in this chat."
        ),
        json_schema_extra={"examples": [{"subject": "{{ answer }}"}]},
    )
    save_as: VariableName = Field("record", title=gettext_noop("Save as"), description=gettext_noop("{{ record.id }} is its number."))
    id_as: OptionalVariableName = Field(
        "",
        title=gettext_noop("Keep the number as"),
        description=gettext_noop("{{ constants.… }}; empty: of “complaints” it is {{ constants.complaint_id }}."),
    )


class Set(Action[SetParams]):
    kind = "custom_modules__set"
    label = _("Custom data: write a record")
    help = _("Makes or changes a record, all values or none; its number is {{ record.id }} and {{ constants.complaint_id }} after it.")
    exits = (
        Exit("saved", _("Saved"), required=True),
        Exit("not_found", _("No such record")),
        Exit("invalid", _("A value does not fit"), failure=True),
        Exit("error", _("Error"), failure=True),
    )
    Params = SetParams

    def run(self, context: ActionContext, params: SetParams) -> ActionResult:
        try:
            table = table_of(context, params.model)
            record = _write(table, context, params)
        except InvalidRecordError as error:
            return ActionResult("invalid", values={"invalid_fields": error.errors}, error=str(error))
        except NotFoundError as error:
            return ActionResult("not_found", values={params.save_as: None}, error=str(error))
        except (NoTableError, TableGoneError, ConflictError, StorageBusyError) as error:
            return ActionResult("error", error=str(error))
        return ActionResult("saved", values={params.save_as: record, f"{CONSTANTS}{id_name(table, params.id_as)}": record["id"]})

    def sets(self, params: Json) -> list[str]:
        name = str(params.get("id_as") or "")
        kept = name or id_name(Table(alias=str(params.get("model") or "record")), "")
        return [str(params.get("save_as") or "record"), f"{CONSTANTS}{kept}", "invalid_fields"]


def _write(table: Table, context: ActionContext, params: SetParams) -> Json:
    """The record as it is now; in a dry run as it would be, without a number."""
    values = _with_person(table, context, params)
    if context.dry_run:
        return _pretend(table, params, values)
    by = actor_of(context)
    match params.action:
        case "create":
            record = records.create(table, values, by=by)
        case "update":
            record = records.update(table, _number(params.id), values, by=by)
        case _:
            record, _made = records.upsert(table, params.key, values, by=by)
    return told(record, context)


def _pretend(table: Table, params: SetParams, values: Json) -> Json:
    pk = _number(params.id) if params.action == "update" else None
    if params.action != "upsert":
        records.check(table, values, pk=pk)
    return {**values, "id": pk}


def _number(given: Any) -> int:
    written = str(given).strip()
    if not (written.isascii() and written.isdigit() and len(written) < 19):  # noqa: PLR2004  fits a bigint
        raise NotFoundError(_("There is no record with the number “%(number)s”.") % {"number": written[:40]})
    return int(written)


def _with_person(table: Table, context: ActionContext, params: SetParams) -> Json:
    person = next((one.alias for one in table.fields if one.kind == "person"), None)
    if params.action == "update" or person is None or person in params.values or not context.person_id:
        return dict(params.values)
    return {person: context.person_id, **params.values}
