"""Links this chat to a user of another system, when something proves that they belong together."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.identity import linking, proofs
from apps.identity.linking import LinkResult, Status
from apps.identity.mapping import id_text, plain_id
from apps.identity.models import Lead
from apps.identity.proofs import Proof
from apps.scenarios.acting import lead_of, session_of
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.plain import shown


class ConnectParams(ActionParams):
    user_id: Any = Field(None, title=gettext_noop("User id"), description=gettext_noop("In the other system; empty with a link's token."))
    system: str = Field("", max_length=50, title=gettext_noop("System"), description=gettext_noop("Empty = the bot's main system."))
    phone: Any = Field(
        None,
        title=gettext_noop("The system's phone of this user"),
        description=gettext_noop("Proof when the person has shared this very number as their own contact or confirmed it by a code."),
    )
    email: Any = Field(
        None,
        title=gettext_noop("The system's e-mail of this user"),
        description=gettext_noop("Proof when the person has confirmed it by a code."),
    )
    token: Any = Field(
        None, title=gettext_noop("Token of a connect link"), description=gettext_noop("{{ deep_link }} after such a link was opened.")
    )
    confirmed: bool = Field(
        default=False,
        title=gettext_noop("The person has confirmed it here"),
        description=gettext_noop("Proof together with a call in which the system itself named this chat (leadId or chatId) and this user."),
    )


class Connect(Action[ConnectParams]):
    kind = "registered_users__connect"
    label = _("Registered users: connect")
    help = _(
        "Links this chat to a user of another system. Needs proof: the person's own contact or a code equal to the system's phone or e-mail, "
        "a connect link, or the system's own call for this chat and the person's confirmation."
    )
    exits = (
        Exit("connected", _("Connected"), required=True),
        Exit("already_linked", _("Linked otherwise already"), required=True),
        Exit("no_proof", _("No proof"), required=True),
    )
    Params = ConnectParams

    def run(self, context: ActionContext, params: ConnectParams) -> ActionResult:
        lead = lead_of(context)
        if lead is None:
            return ActionResult("no_proof", values={"connect_reason": ""})
        result = _connect(lead, context, params)
        values: Json = {"connect_reason": result.reason}
        if result.linked:
            values["user_id"] = plain_id(result.external_id)
        return ActionResult(result.status, values=values)

    def sets(self, params: Json) -> list[str]:
        return ["user_id", "connect_reason"]


def _connect(lead: Lead, context: ActionContext, params: ConnectParams) -> LinkResult:
    system, token = params.system or lead.channel.bot.source_system, shown(params.token)
    user_id = id_text("" if params.user_id is None else params.user_id)
    if context.dry_run:
        return _pretended(system, user_id, proven=linking.is_token(token) or _proof(lead, context, params, system, user_id) is not None)
    if linking.is_token(token):
        return linking.redeem(token, lead)
    return linking.link(lead, system=system, external_id=user_id, proof=_proof(lead, context, params, system, user_id))


def _pretended(system: str, user_id: str, *, proven: bool) -> LinkResult:
    return LinkResult(Status.CONNECTED if proven else Status.NO_PROOF, system=system, external_id=user_id)


def _proof(lead: Lead, context: ActionContext, params: ConnectParams, system: str, user_id: str) -> Proof | None:
    return proofs.by_contact(
        lead, system=system, external_id=user_id, phone=shown(params.phone), email=shown(params.email)
    ) or proofs.by_system(
        lead, system=system, external_id=user_id, named=_named_by_system(lead, context, user_id), confirmed=params.confirmed
    )


def _named_by_system(lead: Lead, context: ActionContext, user_id: str) -> bool:
    """Whether this session was started by an endpoint call that named this chat and this user. A stored session has waited at least once, so
    the person has acted since; what a message or an internal event started does not count, because its parameters are not a system's word.
    """
    session = session_of(context)
    start = session.start if session else {}
    told: Any = start.get("params") or {}
    if not user_id or start.get("user_input") or "event" in told or "deep_link" in told:
        return False
    named_chat = _named(told, "leadId", "lead_id") == lead.code or _named(told, "chatId", "chat_id") == lead.chat_id
    return named_chat and _named(told, "userId", "user_id") == user_id


def _named(told: dict[str, Any], *names: str) -> str:
    return next((id_text(told[name]) for name in names if told.get(name) not in (None, "")), "")
