"""One of several ways: the first whose conditions hold, or one by chance in the given shares."""

from typing import Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, field_validator

from apps.scenarios.block import NOWHERE, Block, Exit, Outcome, Scope, Take
from apps.scenarios.engine.conditions import Condition
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.params import MORE, STABLE_ID, Identifier, ParamsModel


class Branch(ParamsModel):
    id: Identifier = Field(title=gettext_noop("Id"), json_schema_extra=STABLE_ID)
    title: str = Field("", max_length=200, title=gettext_noop("Title"))
    when: Condition | None = Field(None, title=gettext_noop("When"), description=gettext_noop("Empty: always (useful with shares)."))
    share: float = Field(
        1,
        ge=0,
        le=1000,
        title=gettext_noop("Share"),
        description=gettext_noop("How often, relative to the others."),
        json_schema_extra=MORE,
    )


class RouterParams(ParamsModel):
    mode: Literal["first", "share"] = Field(
        "first",
        title=gettext_noop("How to choose"),
        description=gettext_noop("The first branch whose condition holds, or by chance among those whose condition holds."),
    )
    branches: tuple[Branch, ...] = Field(min_length=1, max_length=50, title=gettext_noop("Branches"))

    @field_validator("branches")
    @classmethod
    def _ids_differ(cls, branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
        names = [branch.id for branch in branches]
        if len(set(names)) < len(names) or "else" in names:
            raise ValueError(gettext_noop("Give each branch its own id (not “else”)"))
        return branches


class Router(Block[RouterParams]):
    kind = "router"
    label = _("Router")
    help = _("Chooses a way by conditions on variables, or by chance.")
    icon = "call_split"
    group = "logic"
    Params = RouterParams

    def exits(self, params: RouterParams, scope: Scope = NOWHERE) -> list[Exit]:
        branches = [Exit(branch.id, branch.title or branch.id, required=True) for branch in params.branches]
        always = any(branch.when is None for branch in params.branches)
        return [*branches, Exit("else", _("Otherwise"), required=not always)]

    def enter(self, ctx: Context, params: RouterParams) -> Outcome:
        fitting = (branch for branch in params.branches if branch.when is None or ctx.holds(branch.when))
        if params.mode == "first":
            found = next(fitting, None)
            return Take(found.id if found else "else")
        candidates = [branch for branch in fitting if branch.share > 0]
        if not candidates:
            return Take("else")
        return Take(ctx.rng.choices(candidates, [branch.share for branch in candidates])[0].id)
