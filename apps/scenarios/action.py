"""The contract of an action: one class in one file of `apps/scenarios/actions/`; an Action block names it and gives its parameters.

An action inside (`outside = False`) runs in the step's database transaction. An action outside calls another system: the shell commits "awaiting
call X", the sender performs the `OutgoingCall` without a lock, and `result` turns the reply into exit and values, purely.
"""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Emit, Facts, Json
from apps.scenarios.engine.escaping import Escaped
from apps.scenarios.engine.plain import plain


class ActionParams(BaseModel):
    """Base of every action's parameters. Values arrive resolved; what a form or the help shows comes from the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class ActionContext:
    """For whom and where an action runs. `idempotency_key` is the same for every attempt of one visit of the block.

    `dry_run`: tell what would happen, change and call nothing. `facts`: what placeholders saw at this moment; `variables`: the session's own.
    """

    bot_id: int
    person_id: int | None
    lead_id: int | None
    conversation_id: int | None
    session_id: int | None
    trace_id: str
    idempotency_key: str
    dry_run: bool = False
    facts: Facts = field(default_factory=Facts)
    variables: Json = field(default_factory=dict)


@dataclass(frozen=True)
class ActionResult:
    """What an action gives back: the exit to take, values that become variables, for a failure its reason in words (no secrets), events of its
    own to be told, what the log should tell of it (`told`, no secrets), and whether the person was `changed`.
    """

    exit: str
    values: Json = field(default_factory=dict)
    error: str = ""
    emits: tuple[Emit, ...] = ()
    told: Json = field(default_factory=dict)
    changed: bool = False


@dataclass(frozen=True)
class OutgoingCall:
    """A request that the sender performs through the guarded HTTP client.

    `body`: JSON (sent as `application/json`), text or bytes (sent as they are), None for none. `timeout`: seconds for the whole call, at most
    10 (security.md 2). `retries` further attempts after `backoff_seconds` doubled each time with jitter (`Retry-After` wins), on the statuses
    and failures in `retry_on` ("5xx", "429", "timeout", "reset", "refused"). `save`: names of variables → paths in the reply
    (`json.order.id`, `status`, `headers.location`, `callback.state`), for `ActionResult.values`. `callback_seconds`: a 2xx is not the answer
    yet, it comes within that time to the address that `{{ callback_url }}` and the header X-Callback-Url name; 0 waits for none.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    timeout: float = 10.0
    retries: int = 0
    backoff_seconds: float = 1.0
    retry_on: frozenset[str] = frozenset({"5xx", "429", "timeout", "reset"})
    save: Mapping[str, str] = field(default_factory=dict)
    callback_seconds: float = 0

    def dump(self) -> Json:
        """As it is stored for the sender: {method, url, headers, json or body (text), timeout, retries, backoff_seconds, retry_on}."""
        stored: Json = {
            "method": self.method, "url": self.url, "headers": dict(self.headers), "timeout": self.timeout, "retries": self.retries,
            "backoff_seconds": self.backoff_seconds, "retry_on": sorted(self.retry_on),
        }  # fmt: skip
        if self.callback_seconds:
            stored["callback_seconds"] = self.callback_seconds
        if isinstance(self.body, bytes):
            return {**stored, "body": self.body.decode("utf-8", "replace")}
        if self.body is None:
            return stored
        return {**stored, "body" if isinstance(self.body, str) else "json": self.body}


@dataclass(frozen=True)
class CallReply:
    """What came back. `status` is 0 when nothing did, then `failure` says why: timeout, refused (also by our own guard), failed, no_callback.

    `callback` is what came by callback, parsed when it is JSON, else its text. `json` is the parsed body when it is JSON; `text` the body as
    text; header names in lower case; `reason` explains a failure in words.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    json: Any = None
    failure: str = ""
    reason: str = ""
    callback: Any = None

    @classmethod
    def load(cls, stored: Json) -> "CallReply":
        """From what the sender recorded: {status, headers, body} or {error, reason}."""
        text = str(stored.get("body") or "")
        return cls(
            status=int(stored.get("status") or 0),
            headers=stored.get("headers") or {},
            text=text,
            json=_parsed(text),
            failure=str(stored.get("error") or ""),
            reason=str(stored.get("reason") or ""),
            callback=_of_callback(stored.get("callback")),
        )


def _of_callback(stored: Json | None) -> Any:
    if stored is None:
        return None
    text = str(stored.get("body") or "")
    found = _parsed(text)
    return text if found is None and text.strip() != "null" else found


def _parsed(text: str) -> Any:
    """The body as JSON; None when it is none, or holds what is not JSON (NaN, Infinity) or is nested beyond reason."""
    try:
        return plain(jsonlib.loads(text)) if text else None
    except (ValueError, RecursionError):
        return None


__all__ = ["Action", "ActionContext", "ActionParams", "ActionResult", "CallReply", "Escaped", "OutgoingCall"]
A = TypeVar("A", bound=ActionParams)


class Action(Generic[A]):
    """A kind of action. An inside one defines `run`; an outside one (`outside = True`) defines `request` and `result`.

    `Params`: pydantic fields with title and description; addresses and text bodies are marked with `Escaped`. `kind` is the name that the product's sources use. Instances hold no state of a run; a custom action of a bot may be an instance made
    from its record, with `kind`, `label`, `Params` and `exits` set on it.
    """

    kind: str
    label: Any
    help: Any = ""
    exits: tuple[Exit, ...] = (Exit("next"),)
    outside: bool = False
    Params: type[A]

    def run(self, context: ActionContext, params: A) -> ActionResult:  # noqa: ARG002
        """Do it, inside the transaction of the step. Must not call the outside and must respect `context.dry_run`."""
        raise TypeError(f"{type(self).__name__} calls the outside: use request() and result()")

    def request(self, context: ActionContext, params: A) -> OutgoingCall:  # noqa: ARG002
        """The call that the sender performs. Pure: the same for every attempt."""
        raise TypeError(f"{type(self).__name__} runs inside: use run()")

    def result(self, context: ActionContext, params: A, reply: CallReply) -> ActionResult:  # noqa: ARG002
        """What the reply means. Pure."""
        raise TypeError(f"{type(self).__name__} runs inside: use run()")

    def reply(self, stored: Json) -> CallReply:
        """The reply as the sender recorded it, for `result`."""
        return CallReply.load(stored)

    def as_asked(self, request: Json) -> "Action[A]":  # noqa: ARG002
        """The action as it was when `request` (as stored) was made: it may have been published anew since."""
        return self

    def finish(self, context: ActionContext, params: A, reply: CallReply) -> ActionResult:
        """`result`, and what is to be stored with it, in the transaction that applies the reply: once, however often the call was tried."""
        return self.result(context, params, reply)

    def sets(self, params: Json) -> list[str]:  # noqa: ARG002
        """Names of the variables that these raw parameters will set, for the check; "*" when only the run can tell."""
        return []
