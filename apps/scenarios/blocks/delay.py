"""Waits for a span of time or until a moment in the person's time zone."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, model_validator

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take, Wait
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.contract import Entered, Fired, Resumed
from apps.scenarios.engine.limits import LONGEST_WAIT_DAYS
from apps.scenarios.engine.params import ParamsModel, Template, Unit, Value
from apps.scenarios.engine.reading import at_clock, read_moment, read_number, read_time


class DelayParams(ParamsModel):
    amount: Value = Field(Value(None), title=gettext_noop("How long"), description=gettext_noop("A number, or a placeholder with one."))
    unit: Literal[Unit] = Field("minutes", title=gettext_noop("Unit"))
    until: Template = Field(
        Template(""),
        title=gettext_noop("Until"),
        description=gettext_noop(
            "A date and time instead, such as {{ order.date | shift: '-1 day' }} or tomorrow 10:00; a moment that is over goes on at once."
        ),
    )
    at: str = Field(
        "", pattern=r"^(\d{1,2}:\d{2})?$", title=gettext_noop("At"), description=gettext_noop("Time of that day, such as 10:00.")
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "DelayParams":
        if bool(self.until) == (self.amount.root not in (None, "")):
            raise ValueError(gettext_noop("Give how long to wait, or until when (one of the two)"))
        return self


class Delay(Block[DelayParams]):
    kind = "delay"
    label = _("Delay")
    help = _("Goes on after a while, or at a moment in the person's time zone.")
    icon = "schedule"
    group = "flow"
    Params = DelayParams

    def exits(self, params: DelayParams, scope: Scope = NOWHERE) -> list[Exit]:
        return [Exit("next", _("Next"), required=True, waits=True), Exit("invalid", _("No such moment"), failure=True)]

    def enter(self, ctx: Context, params: DelayParams) -> Outcome:
        due_at = self._due(ctx, params)
        if due_at is None:
            return Take(
                "invalid", error=translated("the moment to wait for is not a date or number, or is too far away. Check its placeholder.")
            )
        return self._wait(ctx, due_at)

    def resume(self, ctx: Context, params: DelayParams, entered: Entered) -> Outcome:
        if isinstance(entered, Fired):
            return Take("next")
        if isinstance(entered, Resumed):
            return self._wait(ctx, datetime.fromisoformat(ctx.data["due_at"]))
        return super().resume(ctx, params, entered)

    def _wait(self, ctx: Context, due_at: datetime) -> Outcome:
        if due_at <= ctx.now:
            return Take("next")
        return Wait(data={"due_at": ctx.wake("delay", at=due_at).isoformat()})

    def _due(self, ctx: Context, params: DelayParams) -> datetime | None:
        """In UTC: two moments of one zone are compared by the clock on the wall, which is wrong in the hour that comes twice."""
        if not params.until:
            amount = read_number(ctx.value(params.amount), language=ctx.language)
            longest = timedelta(days=LONGEST_WAIT_DAYS)
            if amount is None or not 0 <= amount <= longest / timedelta(**{params.unit: 1}):
                return None
            return ctx.now.astimezone(UTC) + timedelta(**{params.unit: amount})
        moment = read_moment(ctx.template(params.until), now=ctx.now)
        clock = read_time(params.at) if params.at else None
        if moment is not None and clock is not None:
            moment = at_clock(moment.astimezone(ctx.now.tzinfo).date(), clock, now=ctx.now)
        latest = ctx.now.astimezone(UTC) + timedelta(days=LONGEST_WAIT_DAYS)
        return moment.astimezone(UTC) if moment is not None and moment <= latest else None
