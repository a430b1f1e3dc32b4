"""Sends a one-time code to a phone or an e-mail, to prove that it is the person's."""

from typing import Any, Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.identity import proving
from apps.identity.proving import Sending
from apps.scenarios.acting import lead_of
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.plain import shown


class SendCodeParams(ActionParams):
    way: Literal["phone", "email"] = Field("phone", title=gettext_noop("To"))
    target: Any = Field(title=gettext_noop("Phone or e-mail"), json_schema_extra={"examples": ["{{ phone }}"]})


class SendCode(Action[SendCodeParams]):
    kind = "registered_users__send_code"
    label = _("Registered users: send a code")
    help = _("Sends six digits that work for ten minutes, in this chat only; “check the code” confirms the phone or e-mail.")
    exits = (
        Exit(Sending.SENT, _("Sent"), required=True),
        Exit(Sending.TOO_MANY, _("Too many codes"), failure=True),
        Exit(Sending.INVALID, _("No phone or e-mail"), failure=True),
        Exit(Sending.UNAVAILABLE, _("Codes are not set up"), failure=True),
    )
    Params = SendCodeParams

    def run(self, context: ActionContext, params: SendCodeParams) -> ActionResult:
        lead = lead_of(context)
        if lead is None:
            return ActionResult(Sending.UNAVAILABLE)
        return ActionResult(proving.send_code(lead, way=params.way, target=shown(params.target), dry_run=context.dry_run))
