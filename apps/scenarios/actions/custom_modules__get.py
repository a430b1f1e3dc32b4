"""Loads one record of custom data."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.customdata import records, searching
from apps.customdata.records import Filter, FilterError
from apps.customdata.searching import TooSlowError
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.params import VariableName
from apps.scenarios.recordkeeping import NoTableError, table_of, told


class GetParams(ActionParams):
    model: str = Field(
        title=gettext_noop("Model"), description=gettext_noop("Its alias."), max_length=40, json_schema_extra={"examples": ["complaints"]}
    )
    field: str = Field("id", title=gettext_noop("Find by"), description=gettext_noop("id, or the alias of a field."), max_length=60)
    value: Any = Field(title=gettext_noop("Value"), json_schema_extra={"examples": ["{{ constants.complaint_id }}"]})
    save_as: VariableName = Field("record", title=gettext_noop("Save as"), description=gettext_noop("Read it as {{ record.subject }}."))


class Get(Action[GetParams]):
    kind = "custom_modules__get"
    label = _("Custom data: get a record")
    help = _(
        "Loads the record with this number or this value of a field (the newest, when there are several); its values are {{ record.… }} after it. "
        "Personal values are loaded only of records that link to the person in this chat."
    )
    exits = (
        Exit("found", _("Found"), required=True),
        Exit("not_found", _("Not found"), required=True),
        Exit("error", _("Error"), failure=True),
    )
    Params = GetParams

    def run(self, context: ActionContext, params: GetParams) -> ActionResult:
        missing: Json = {params.save_as: None}
        if params.value in (None, ""):
            return ActionResult("not_found", values=missing)
        try:
            table = table_of(context, params.model)
            with searching.in_time():
                page = records.find(table, [Filter(params.field, "eq", params.value)], limit=1)
        except (NoTableError, FilterError, TooSlowError) as error:
            return ActionResult("error", values=missing, error=str(error))
        if not page.records:
            return ActionResult("not_found", values=missing)
        return ActionResult("found", values={params.save_as: told(page.records[0], context)})

    def sets(self, params: Json) -> list[str]:
        return [str(params.get("save_as") or "record")]
