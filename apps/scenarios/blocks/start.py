"""Where a scenario or a section begins."""

from django.utils.translation import gettext_lazy as _

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.params import ParamsModel


class Start(Block[ParamsModel]):
    kind = "start"
    label = _("Start")
    help = _("The beginning of the scenario or of a section.")
    icon = "play_arrow"
    group = "flow"
    begins = "section"
    Params = ParamsModel

    def exits(self, params: ParamsModel, scope: Scope = NOWHERE) -> list[Exit]:
        return [Exit("next", _("Next"), required=True)]

    def enter(self, ctx: Context, params: ParamsModel) -> Outcome:
        return Take("next")
