"""Compares what the person typed with the code that was sent."""

from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.identity import proving
from apps.identity.proving import Checking
from apps.scenarios.acting import lead_of
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.plain import shown


class CheckCodeParams(ActionParams):
    way: Literal["phone", "email"] = Field("phone", title=gettext_noop("Sent to"))
    code: Any = Field(title=gettext_noop("Code"), json_schema_extra={"examples": ["{{ answer }}"]})


class CheckCode(Action[CheckCodeParams]):
    kind = "registered_users__check_code"
    label = _("Registered users: check the code")
    help = _("Confirms the phone or e-mail to which the code was sent. Five attempts, ten minutes; attempts_left tells how many remain.")
    exits = (
        Exit(Checking.CONFIRMED, _("Right"), required=True),
        Exit(Checking.WRONG, _("Wrong"), required=True),
        Exit(Checking.EXPIRED, _("Expired or used up"), required=True),
    )
    Params = CheckCodeParams

    def run(self, context: ActionContext, params: CheckCodeParams) -> ActionResult:
        if context.dry_run:
            return ActionResult(Checking.CONFIRMED)
        lead = lead_of(context)
        if lead is None:
            return ActionResult(Checking.EXPIRED)
        checked = proving.check_code(lead, way=params.way, code=shown(params.code))
        return ActionResult(checked.status, values={"attempts_left": checked.left})

    def sets(self, params: Json) -> list[str]:
        return ["attempts_left"]
