"""Runs an action: calls a system, reads or writes a person or a table, anything that `apps/scenarios/actions/` holds."""

import re
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, ValidationError

from apps.scenarios.block import NOWHERE, Block, Exit, Finding, Outcome, Scope, Take, Wait
from apps.scenarios.engine.context import Context, escapes_of
from apps.scenarios.engine.contract import Entered, Returned
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.names import PROTECTED
from apps.scenarios.engine.params import ParamsModel, Value

FIRST_NAME = re.compile(r"\s*\{\{-?\s*([^\W\d]\w*)")


class ActionBlockParams(ParamsModel):
    action: str = Field(min_length=1, max_length=100, title=gettext_noop("Action"), json_schema_extra={"x-role": "action"})
    params: dict[str, Value] = Field(
        default_factory=dict,
        title=gettext_noop("Parameters"),
        description=gettext_noop("As the chosen action needs them."),
        json_schema_extra={"x-role": "action-params"},
    )


class ActionBlock(Block[ActionBlockParams]):
    kind = "action"
    label = _("Action")
    help = _("Calls another system or works with stored data.")
    icon = "bolt"
    group = "data"
    reveals = frozenset({"params"})
    Params = ActionBlockParams

    def exits(self, params: ActionBlockParams, scope: Scope = NOWHERE) -> list[Exit]:
        action = scope.actions.get(params.action)
        return list(action.exits) if action else []

    def enter(self, ctx: Context, params: ActionBlockParams) -> Outcome:
        ctx.act(params.action, params.params)
        return Wait(calling=True, interruptible=False)

    def resume(self, ctx: Context, params: ActionBlockParams, entered: Entered) -> Outcome:
        if isinstance(entered, Returned):
            return Take(entered.exit, error=entered.error)
        return super().resume(ctx, params, entered)

    def sets(self, params: ActionBlockParams, scope: Scope = NOWHERE) -> list[str]:
        action = scope.actions.get(params.action)
        return list(action.sets({name: value.root for name, value in params.params.items()})) if action else ["*"]

    def check(self, params: ActionBlockParams, scope: Scope) -> Iterator[Finding]:
        action = scope.actions.get(params.action)
        if action is None:
            known = ", ".join(sorted(scope.actions)) or "–"
            message = translated("There is no action “%(name)s”. Use one of: %(known)s.")
            yield Finding("action", "unknown_action", message % {"name": params.action, "known": known})
            return
        given = {name: value.root for name, value in params.params.items()}
        yield from _open_addresses(given, escapes_of(action.Params))
        try:
            action.Params.model_validate(given)
        except ValidationError as error:
            yield from (
                Finding(f"params.{path}".rstrip("."), "action_params", f"{path or params.action}: {reason}")
                for path, reason in explain(error)
                if not _open_until_run(given, path)
            )


def _open_addresses(given: Mapping[str, object], escapes: Mapping[str, str]) -> Iterator[Finding]:
    """Addresses that begin with a variable: whoever sets it decides where the request and its secrets go."""
    for name, value in given.items():
        found = FIRST_NAME.match(value) if escapes.get(name) == "url" and isinstance(value, str) else None
        if found and found[1] not in PROTECTED:
            message = translated(
                "The address begins with the variable “%(name)s”. Begin with a constant or an instance setting, so that nobody can redirect it."
            )
            yield Finding(f"params.{name}", "open_address", message % {"name": found[1]}, level="warning")


def _open_until_run(given: object, path: str) -> bool:
    """Whether the value of that path holds a placeholder, so that only the run can tell its type."""
    current = given
    for part in path.split("."):
        if isinstance(current, dict):
            current = current.get(part, "")
        elif isinstance(current, list) and part.isdecimal() and int(part) < len(current):
            current = current[int(part)]
    return isinstance(current, str) and "{" in current
