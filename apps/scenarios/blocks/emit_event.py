"""Tells the event bus; other scenarios and webhooks may listen."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.params import ParamsModel, Value


class EmitEventParams(ParamsModel):
    name: str = Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9_.:/-]+$",
        title=gettext_noop("Event"),
        description=gettext_noop("A stable name, such as order.confirmed."),
    )
    data: dict[str, Value] = Field(default_factory=dict, title=gettext_noop("Data"))


class EmitEvent(Block[EmitEventParams]):
    kind = "emit_event"
    label = _("Emit event")
    help = _("Tells other scenarios and subscribed systems that something happened.")
    icon = "campaign"
    group = "data"
    Params = EmitEventParams

    def exits(self, params: EmitEventParams, scope: Scope = NOWHERE) -> list[Exit]:
        return [Exit("next", _("Next"))]

    def enter(self, ctx: Context, params: EmitEventParams) -> Outcome:
        ctx.emit(params.name, {name: ctx.value(value) for name, value in params.data.items()})
        return Take("next")
