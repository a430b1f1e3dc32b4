"""Sets variables of the session; a value that is one placeholder keeps its type."""

from collections.abc import Iterator

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, Exit, Finding, Outcome, Scope, Take
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.names import WORLD
from apps.scenarios.engine.params import ParamsModel, Value, VariableName


class Assignment(ParamsModel):
    name: VariableName = Field(title=gettext_noop("Variable"))
    value: Value = Field(
        Value(""), title=gettext_noop("Value"), description=gettext_noop("A text, number, list or object, with placeholders.")
    )


class SetVariableParams(ParamsModel):
    variables: tuple[Assignment, ...] = Field(min_length=1, max_length=50, title=gettext_noop("Variables"))


class SetVariable(Block[SetVariableParams]):
    kind = "set_variable"
    label = _("Set variable")
    help = _("Remembers values for later blocks, in order; a later one may use an earlier one.")
    icon = "edit_note"
    group = "data"
    Params = SetVariableParams

    def exits(self, params: SetVariableParams, scope: Scope = NOWHERE) -> list[Exit]:
        return [Exit("next", _("Next"))]

    def enter(self, ctx: Context, params: SetVariableParams) -> Outcome:
        for assignment in params.variables:
            ctx.set(assignment.name, ctx.value(assignment.value))
        return Take("next")

    def sets(self, params: SetVariableParams, scope: Scope = NOWHERE) -> list[str]:
        return [assignment.name for assignment in params.variables]

    def check(self, params: SetVariableParams, scope: Scope) -> Iterator[Finding]:
        for index, assignment in enumerate(params.variables):
            if assignment.name in WORLD - {"language"}:
                message = translated("“%(name)s” is a name of the system. Choose another name for the variable.")
                yield Finding(f"variables.{index}.name", "reserved", message % {"name": assignment.name})
