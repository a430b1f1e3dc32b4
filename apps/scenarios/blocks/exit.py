"""To another section or entry of this scenario, with or without coming back; or out of a called section."""

from collections.abc import Iterator
from typing import Literal

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, model_validator

from apps.scenarios.block import NOWHERE, Block, Exit, Finding, Outcome, Scope, Take, Target
from apps.scenarios.engine.coercing import fits
from apps.scenarios.engine.conditions import is_empty
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.definition import Section
from apps.scenarios.engine.params import Alias, Identifier, ParamsModel, Value, VariableName, only_when

THERE = only_when(mode=("go", "call"))
BACK = only_when(mode=("return",))


class ExitParams(ParamsModel):
    mode: Literal["go", "call", "return"] = Field(
        "go",
        title=gettext_noop("What it does"),
        description=gettext_noop("Go there for good, call and come back, or return from this section to its caller."),
    )
    section: Identifier | None = Field(None, title=gettext_noop("Section"), json_schema_extra={"x-role": "section", **THERE})
    entry: Alias | None = Field(
        None,
        title=gettext_noop("Entry"),
        description=gettext_noop("An entry alias, instead of a section's beginning."),
        json_schema_extra={"x-role": "entry", **THERE},
    )
    inputs: dict[VariableName, Value] = Field(
        default_factory=dict, title=gettext_noop("Values for the section's parameters"), json_schema_extra=THERE
    )
    output: Identifier | None = Field(
        None,
        title=gettext_noop("Output"),
        description=gettext_noop("The caller goes on by the exit of this name."),
        json_schema_extra={"x-role": "output", **BACK},
    )
    values: dict[VariableName, Value] = Field(default_factory=dict, title=gettext_noop("Variables to give back"), json_schema_extra=BACK)

    @model_validator(mode="after")
    def _has_target(self) -> "ExitParams":
        if self.mode != "return" and (self.section is None) == (self.entry is None):
            raise ValueError(gettext_noop("Choose a section or an entry to go to (one of the two)"))
        return self

    @property
    def target(self) -> Target:
        return Target(section=self.section or "", entry=self.entry or "", call=self.mode == "call")


class ExitPoint(Block[ExitParams]):
    kind = "exit"
    label = _("Exit point")
    help = _("Goes to another section or entry, calls one and comes back, or returns to the caller.")
    icon = "logout"
    group = "flow"
    Params = ExitParams

    def exits(self, params: ExitParams, scope: Scope = NOWHERE) -> list[Exit]:
        if params.mode == "return":
            return [Exit("return", _("Back to the caller"), returns=params.output or "")]
        if params.mode == "go":
            return [Exit("go", _("To the section"), to=params.target)]
        section = scope.section_of(params.target)
        outputs = [Exit(output.name, output.title or output.name) for output in section.outputs] if section else []
        return [Exit("call", _("To the section"), to=params.target), *outputs, Exit("next", _("Came back"))]

    def enter(self, ctx: Context, params: ExitParams) -> Outcome:
        if params.mode == "return":
            return Take("return", values={name: ctx.value(value) for name, value in params.values.items()})
        return Take(params.mode, values={name: ctx.value(value) for name, value in params.inputs.items()})

    def sets(self, params: ExitParams, scope: Scope = NOWHERE) -> list[str]:
        return [*params.inputs, *params.values]

    def check(self, params: ExitParams, scope: Scope) -> Iterator[Finding]:
        section = scope.section_of(params.target) if params.mode != "return" else None
        if section is not None:
            yield from _input_findings(params, section)


def _input_findings(params: ExitParams, section: Section) -> Iterator[Finding]:
    """Values that the section does not declare, does not get, or cannot use."""
    where = {"section": section.name or section.id}
    declared = {param.name: param for param in section.params}
    for name, value in params.inputs.items():
        if name not in declared:
            message = translated(
                "The section “%(section)s” has no parameter “%(name)s”, so its value is lost. Declare it there or remove it."
            )
            yield Finding(f"inputs.{name}", "unknown_input", message % {**where, "name": name}, level="warning")
        elif not fits(declared[name], value.root):
            message = translated("The parameter “%(name)s” of the section “%(section)s” must be of the type %(type)s.")
            yield Finding(f"inputs.{name}", "wrong_input", message % {**where, "name": name, "type": declared[name].type})
    for param in section.params if params.mode == "call" else ():
        given = params.inputs.get(param.name)
        if param.required and is_empty(param.default) and (given is None or is_empty(given.root)):
            message = translated("The section “%(section)s” needs the parameter “%(name)s”. Give it a value.")
            yield Finding("inputs", "missing_input", message % {**where, "name": param.name})
