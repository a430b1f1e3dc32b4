"""Hands the chat to a person of the team."""

from collections.abc import Iterator
from typing import Literal

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.scenarios.block import NOWHERE, Block, Exit, Finding, Outcome, Scope, Take, Wait
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.contract import Entered, Returned
from apps.scenarios.engine.params import Duration, ParamsModel, Template, Text, Value
from apps.scenarios.engine.saying import Sayable, content_of

CONNECT_ACTION = "operator_panel__connect_to_operator_with_msg"


class OperatorParams(ParamsModel):
    subject_alias: Template = Field(
        Template(""), title=gettext_noop("Topic"), description=gettext_noop("Alias of the topic; decides who gets the chat.")
    )
    message: Text = Field(Text(""), title=gettext_noop("Message to the operator"))
    auto_connect_operator: bool = Field(
        default=True,
        title=gettext_noop("Connect a free operator"),
        description=gettext_noop("Off: the chat lies in “Unassigned” until somebody takes it."),
    )
    status: Literal["", "queue"] = Field(
        "queue", title=gettext_noop("When all are busy"), description=gettext_noop("“queue” puts the chat into the queue.")
    )
    timeout: Duration | None = Field(None, title=gettext_noop("Give up after"))
    stay: bool = Field(
        default=False,
        title=gettext_noop("Wait until the operator closes the chat"),
        description=gettext_noop("Off: the scenario goes on by “connected” as soon as an operator took the chat."),
    )
    connected_text: Text = Field(Text(""), title=gettext_noop("Text when an operator took the chat"))


class Operator(Block[OperatorParams]):
    kind = "operator"
    label = _("Operator connection")
    help = _("Gives the chat to an operator and goes on by what became of it.")
    icon = "support_agent"
    group = "talk"
    reveals = frozenset({"subject_alias"})
    Params = OperatorParams

    def exits(self, params: OperatorParams, scope: Scope = NOWHERE) -> list[Exit]:
        return [
            Exit("connected", _("An operator took it"), waits=True),
            Exit("limit", _("All are busy"), required=True),
            Exit("closed", _("The chat was closed"), required=params.stay, waits=True),
            Exit("timeout", _("Nobody came in time"), required=params.timeout is not None, waits=True),
        ]

    def check(self, params: OperatorParams, scope: Scope) -> Iterator[Finding]:
        if CONNECT_ACTION not in scope.actions:
            yield Finding(
                "", "unknown_action", translated("The operator panel is not installed, so nobody can take the chat. Remove the block.")
            )

    def enter(self, ctx: Context, params: OperatorParams) -> Outcome:
        values = {
            "subject_alias": Value(params.subject_alias.root),
            "message": Value(ctx.text(params.message)),
            "auto_connect_operator": Value(params.auto_connect_operator),
            "status": Value(params.status),
            "timeout_seconds": Value(params.timeout.delta.total_seconds() if params.timeout else None),
        }
        ctx.act(CONNECT_ACTION, values)
        return Wait(calling=True, interruptible=False)

    def resume(self, ctx: Context, params: OperatorParams, entered: Entered) -> Outcome:
        if not isinstance(entered, Returned):
            return super().resume(ctx, params, entered)
        if entered.exit != "connected":
            return Take(entered.exit, error=entered.error)
        content = content_of(ctx, Sayable(text=params.connected_text))
        if content:
            ctx.say(content)
        return Wait(calling=True, interruptible=False) if params.stay else Take("connected")
