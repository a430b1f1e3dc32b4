"""The endpoint's answer: what the caller of the API gets as `data`."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.params import ParamsModel, Value


class RespondParams(ParamsModel):
    data: Value = Field(
        Value({}), title=gettext_noop("Data"), description=gettext_noop("JSON with placeholders; the first answer of a run counts.")
    )


class RespondBlock(Block[RespondParams]):
    kind = "respond"
    label = _("Respond")
    help = _("Gives data back to the system that called the endpoint.")
    icon = "reply"
    group = "data"
    Params = RespondParams

    def exits(self, params: RespondParams, scope: Scope = NOWHERE) -> list[Exit]:
        return [Exit("next", _("Next"))]

    def enter(self, ctx: Context, params: RespondParams) -> Outcome:
        ctx.respond(ctx.value(params.data))
        return Take("next")
