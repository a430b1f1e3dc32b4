"""The end of the scenario, with a name for what was reached."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, End, Exit, Outcome, Scope
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.params import ParamsModel


class EndParams(ParamsModel):
    outcome: str = Field(
        "", max_length=64, title=gettext_noop("Outcome"), description=gettext_noop("A name for the statistics, such as ordered or refused.")
    )


class EndBlock(Block[EndParams]):
    kind = "end"
    label = _("End")
    help = _("The dialogue is over, also when a section was called.")
    icon = "stop_circle"
    group = "flow"
    Params = EndParams

    def exits(self, params: EndParams, scope: Scope = NOWHERE) -> list[Exit]:
        return []

    def enter(self, ctx: Context, params: EndParams) -> Outcome:
        return End(params.outcome)
