"""A named place to begin at: endpoints, triggers and exit points of other sections lead here by its alias."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.params import Alias, ParamsModel


class EntryParams(ParamsModel):
    alias: Alias = Field(
        title=gettext_noop("Alias"),
        description=gettext_noop("Unique in the scenario, such as order/thank-you; other systems call it by this name."),
        json_schema_extra={"examples": ["order/thank-you"]},
    )


class Entry(Block[EntryParams]):
    kind = "entry"
    label = _("Entry point")
    help = _("A named place to begin at, for endpoints, triggers and exit points.")
    icon = "login"
    group = "flow"
    begins = "entry"
    Params = EntryParams

    def exits(self, params: EntryParams, scope: Scope = NOWHERE) -> list[Exit]:
        return [Exit("next", _("Next"), required=True)]

    def enter(self, ctx: Context, params: EntryParams) -> Outcome:
        return Take("next")
