"""Calls another system over HTTP and takes values out of its answer."""

from typing import Annotated, Any, Literal

from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import BeforeValidator, Field

from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult, CallReply, Escaped, OutgoingCall
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.params import VariableName
from apps.scenarios.engine.plain import dig, shown
from apps.scenarios.requesting import body_of, with_query

Textual = Annotated[str, BeforeValidator(shown)]
FAILURES = {"timeout": "timeout", "refused": "refused", "no_callback": "no_callback"}
CLIENT_ERROR, SERVER_ERROR = 400, 500


class SendRequestParams(ActionParams):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = Field("POST", title=gettext_noop("Method"))
    url: Annotated[Textual, Escaped("url")] = Field(
        title=gettext_noop("Address"),
        description=gettext_noop("Values of placeholders are encoded for the address."),
        json_schema_extra={"examples": ["{{ instance_settings.crm_url }}/api/order/update"]},
    )
    query: dict[str, Any] = Field(
        default_factory=dict,
        title=gettext_noop("Query parameters"),
        description=gettext_noop("Added to the address; empty ones are left out."),
    )
    headers: dict[str, Textual] = Field(default_factory=dict, title=gettext_noop("Headers"))
    body: Any = Field(None, title=gettext_noop("Body"), description=gettext_noop("An object is sent as JSON, a text as it is."))
    body_format: Literal["json", "form"] = Field("json", title=gettext_noop("Form of the body"))
    timeout: float = Field(10, ge=0.5, le=10, title=gettext_noop("Seconds to wait for the answer"))
    retries: int = Field(
        2, ge=0, le=5, title=gettext_noop("Further attempts"), description=gettext_noop("After 5xx, 429, a timeout or a broken connection.")
    )
    backoff_seconds: float = Field(1, ge=0.1, le=60, title=gettext_noop("Seconds before the second attempt"))
    save: dict[VariableName, str] = Field(
        default_factory=dict,
        title=gettext_noop("Store from the answer"),
        description=gettext_noop("Variable → path: json.order.id, json, text, status, headers.location, callback.state."),
        json_schema_extra={"examples": [{"order": "json.order"}]},
    )
    wait_for_callback: bool = Field(
        False,
        title=gettext_noop("Wait for a callback"),
        description=gettext_noop(
            "The dialogue goes on when the system calls {{ callback_url }}, once and with POST. Its answer is “callback”."
        ),
    )
    callback_hours: float = Field(24, gt=0, le=720, title=gettext_noop("Hours to wait for the callback"))


class SendRequest(Action[SendRequestParams]):
    kind = "action_send_request"
    label = _("Send request")
    help = _(
        "Calls another system. The answer's values become variables; request_status and request_error tell how it went. "
        "The call carries an Idempotency-Key that stays the same over all attempts."
    )
    exits = (
        Exit("ok", _("Success (2xx)"), required=True),
        Exit("client_error", _("Refused by the system (4xx)"), failure=True),
        Exit("server_error", _("Error of the system (5xx)"), failure=True),
        Exit("timeout", _("No answer in time"), failure=True),
        Exit("refused", _("Address not allowed"), failure=True),
        Exit("no_callback", _("No callback in time"), failure=True),
    )
    outside = True
    Params = SendRequestParams

    def request(self, context: ActionContext, params: SendRequestParams) -> OutgoingCall:
        body, kind = body_of(params.body, form=params.body_format == "form")
        return OutgoingCall(
            method=params.method,
            url=with_query(params.url.strip(), params.query),
            headers={**kind, **params.headers},
            body=body,
            timeout=params.timeout,
            retries=params.retries,
            backoff_seconds=params.backoff_seconds,
            save=params.save,
            callback_seconds=params.callback_hours * 3600 if params.wait_for_callback else 0,
        )

    def result(self, context: ActionContext, params: SendRequestParams, reply: CallReply) -> ActionResult:
        taken, error = _judged(
            reply, needs_json=reply.callback is None and any(path.split(".")[0] == "json" for path in params.save.values())
        )
        values: Json = {"request_status": reply.status, "request_error": error}
        if taken == "ok":
            values |= {name: _at(reply, path) for name, path in params.save.items()}
        return ActionResult(exit=taken, values=values, error=error)

    def sets(self, params: Json) -> list[str]:
        save = params.get("save")
        return [*(save if isinstance(save, dict) else ()), "request_status", "request_error"]


def _judged(reply: CallReply, *, needs_json: bool) -> tuple[str, str]:
    """The exit and, for a failure, its reason. Every cell of the fault matrix ends in exactly one exit."""
    if reply.failure:
        return FAILURES.get(reply.failure, "server_error"), reply.reason or translated("The system could not be reached.")
    if reply.status >= SERVER_ERROR:
        return "server_error", translated("The system answered %(status)s.") % {"status": reply.status}
    if reply.status >= CLIENT_ERROR:
        return "client_error", translated("The system refused the request with %(status)s.") % {"status": reply.status}
    if not 200 <= reply.status < 300:  # noqa: PLR2004
        return "client_error", translated("The system answered %(status)s; redirects are not followed.") % {"status": reply.status}
    if needs_json and reply.json is None and reply.text.strip() != "null":
        return "server_error", translated("The system's answer is not JSON.")
    return "ok", ""


def _at(reply: CallReply, path: str) -> Any:
    """The value at a path such as `json.order.id`; None when there is none."""
    current: Any = {"json": reply.json, "text": reply.text, "status": reply.status, "headers": dict(reply.headers),
                    "callback": reply.callback}  # fmt: skip
    try:
        for key in path.strip().split("."):
            current = dig(current, key)
    except KeyError:
        return None
    return current
