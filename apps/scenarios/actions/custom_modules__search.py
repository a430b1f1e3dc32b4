"""Finds records of custom data by words and conditions."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.customdata import filtering, records, searching
from apps.customdata.building import RecordBase, model_of
from apps.customdata.models import Table
from apps.customdata.records import FilterError
from apps.customdata.searching import TooSlowError
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.params import VariableName
from apps.scenarios.engine.plain import shown
from apps.scenarios.recordkeeping import FilterParams, NoTableError, filters_of, table_of, told

MOST = 50


class SearchParams(ActionParams):
    model: str = Field(
        title=gettext_noop("Model"), description=gettext_noop("Its alias."), max_length=40, json_schema_extra={"examples": ["faq"]}
    )
    text: Any = Field(
        "",
        title=gettext_noop("Words"),
        description=gettext_noop("Searched in the fields that the model marks for search; words may be only begun."),
        json_schema_extra={"examples": ["{{ user_input }}"]},
    )
    filters: list[FilterParams] = Field(default_factory=list, max_length=20, title=gettext_noop("Conditions"))
    order: str = Field("", max_length=61, title=gettext_noop("Order"), description=gettext_noop("An alias, or -alias; only without words."))
    limit: int = Field(5, ge=1, le=MOST, title=gettext_noop("At most"))
    save_as: VariableName = Field("records", title=gettext_noop("Save as"), description=gettext_noop("A list: {{ records[0].question }}."))


class Search(Action[SearchParams]):
    kind = "custom_modules__search"
    label = _("Custom data: search")
    help = _("Finds records by words and conditions, the best first; {{ records_count }} tells how many were taken.")
    exits = (
        Exit("found", _("Found"), required=True),
        Exit("empty", _("Nothing found"), required=True),
        Exit("error", _("Error"), failure=True),
    )
    Params = SearchParams

    def run(self, context: ActionContext, params: SearchParams) -> ActionResult:
        try:
            found = _found(table_of(context, params.model), params)
        except (NoTableError, FilterError, TooSlowError) as error:
            return ActionResult("error", values={params.save_as: [], f"{params.save_as}_count": 0}, error=str(error))
        values = {params.save_as: [told(record, context) for record in found], f"{params.save_as}_count": len(found)}
        return ActionResult("found" if found else "empty", values=values)

    def sets(self, params: Json) -> list[str]:
        name = str(params.get("save_as") or "records")
        return [name, f"{name}_count"]


def _found(table: Table, params: SearchParams) -> list[RecordBase]:
    filters, text = filters_of(params.filters), shown(params.text).strip()
    if text:
        rows = model_of(table)._default_manager.filter(filtering.conditions(table, filters))
        return searching.search(table, text, params.limit, rows=rows).records
    with searching.in_time():
        return records.find(table, filters, order=params.order or "-id", limit=params.limit).records
