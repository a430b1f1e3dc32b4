"""A published custom action as an action of scenarios: the sender runs it in the jail, its result and its writes are stored together, once."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from apps.identity import attributes
from apps.identity.attributes import InvalidValuesError
from apps.scenarios.acting import person_of
from apps.scenarios.action import Action, ActionContext, ActionParams, ActionResult
from apps.scenarios.engine.contract import Emit, Json
from apps.scenarios.engine.names import PROTECTED
from apps.scenarios.jail import journal
from apps.scenarios.jail.concealing import SHORTEST
from apps.scenarios.jail.declaring import ERROR, NEXT, exits_of, params_model
from apps.scenarios.jail.models import CustomActionVersion
from apps.scenarios.jail.outcome import Asked, Outcome

VIA = "script"
VARIABLE = re.compile(r"[^\W\d]\w{0,63}")


@dataclass(frozen=True)
class ScriptRequest:
    """What the sender needs to run a version of a custom action. As stored: `via` names the performer."""

    version_id: int
    label: str
    ctx: Json
    memory: Json
    params: Json
    secrets: list[str] = field(default_factory=list)

    def dump(self) -> Json:
        """`method` and `url` are what people see of it in lists of calls."""
        return {
            "via": VIA, "method": "JS", "url": self.label, "version": self.version_id, "ctx": self.ctx, "memory": self.memory,
            "secrets": self.secrets, "json": self.params, "retries": 2, "retry_on": ["reset"],
        }  # fmt: skip


class CustomScript(Action[ActionParams]):
    """One published version. `bot_id`: whose scenarios may use it; None = all."""

    outside = True

    def __init__(self, version: CustomActionVersion) -> None:
        action = version.action
        self.kind, self.label, self.help = action.key, action.name, action.description
        self.bot_id, self.version_id, self.number = action.bot_id, version.pk, version.number
        self.exits = exits_of(version.exits)
        self.Params = params_model(version.params)

    def request(self, context: ActionContext, params: ActionParams) -> Any:
        given = params.model_dump(mode="json")
        return ScriptRequest(
            version_id=self.version_id,
            label=f"{self.kind} v{self.number}",
            ctx=ctx_of(context, self.kind),
            memory=dict(context.facts.person),
            params=given,
            secrets=list(_secrets(context, given)),
        )

    def reply(self, stored: Json) -> Any:
        """What the sender recorded: an outcome, or why there is none."""
        if "script" in stored:
            return Outcome.load(stored["script"])
        return Outcome(), str(stored.get("reason") or _("The script could not be run."))

    def result(self, context: ActionContext, params: ActionParams, reply: Any) -> ActionResult:  # noqa: ARG002  as the contract says
        if isinstance(reply, tuple):
            return ActionResult(ERROR, values={"script_error": reply[1]}, error=reply[1])
        return outcome_result(reply, {spec.name for spec in self.exits})

    def finish(self, context: ActionContext, params: ActionParams, reply: Any) -> ActionResult:
        result = self.result(context, params, reply)
        journal.forget(context.idempotency_key)
        if not isinstance(reply, Outcome):
            return result
        if result.exit != ERROR:
            result = _written(context, reply, result)
        return replace(result, told=told_of(reply, result, f"{self.kind} v{self.number}"))

    def as_asked(self, request: Json) -> Action[ActionParams]:
        asked = int(request.get("version") or 0)
        if asked == self.version_id:
            return self
        version = CustomActionVersion.objects.select_related("action").filter(pk=asked).first()
        return CustomScript(version) if version else self

    def sets(self, params: Json) -> list[str]:  # noqa: ARG002  as the contract says
        return ["*"]


def ctx_of(context: ActionContext, kind: str) -> Json:
    """What a script sees as `ctx`, without its parameters."""
    facts = context.facts
    return {
        "action": kind,
        "user": dict(facts.person),
        "bot": dict(facts.bot),
        "lead": dict(facts.lead),
        "channel": {"kind": facts.channel.get("kind"), "name": facts.channel.get("name")},
        "language": facts.language,
        "timezone": facts.timezone,
        "constants": dict(facts.constants),
        "data": dict(context.variables),
        "session": {"id": context.session_id, "trace_id": context.trace_id, "key": context.idempotency_key},
        "dry_run": context.dry_run,
    }


def told_of(outcome: Outcome, result: ActionResult, label: str) -> Json:
    """For the log: how it went, its logs, what it asked of others; secrets are gone by now."""
    told: Json = {"action": label, "exit": result.exit, "ms": outcome.ms, "cpu_ms": outcome.cpu_ms, "memory_kb": outcome.memory_kb}
    if result.error:
        told["reason"] = result.error
    if outcome.error is not None and outcome.error.line:
        told |= {"line": outcome.error.line, "column": outcome.error.column}
    if outcome.logs:
        told["logs"] = [line[:500] for line in outcome.logs[:50]]
    if outcome.asked:
        told["asked"] = [_asked(row) for row in outcome.asked]
    return told


def _asked(row: Asked) -> Json:
    what = (
        {"url": row.shown.get("url"), "method": row.shown.get("method")}
        if row.what == "callApi"
        else {"table": row.shown.get("table"), "verb": row.shown.get("verb")}
    )
    return {"what": row.what, **{name: value for name, value in what.items() if value}, "answer": row.error or row.answer, "ms": row.ms}


def outcome_result(outcome: Outcome, exits: set[str]) -> ActionResult:
    """The exit and the variables: an object's keys become variables, anything else is kept in `result`."""
    if outcome.error is not None:
        return _failed(outcome.error.text)
    taken = outcome.exit or (NEXT if NEXT in exits else "")
    if not taken:
        return _failed(_("The script ended without exit(…). Name one of its exits: %(known)s.") % {"known": _named(exits)})
    if taken not in exits:
        return _failed(
            _("The script named the exit “%(name)s”, which is not declared: %(known)s.") % {"name": taken, "known": _named(exits)}
        )
    values = outcome.value if isinstance(outcome.value, dict) else {} if outcome.value is None else {"result": outcome.value}
    wrong = [name for name in values if not VARIABLE.fullmatch(name) or name in PROTECTED]
    if wrong:
        return _failed(_("The result's key “%(name)s” cannot be the name of a variable.") % {"name": wrong[0][:60]})
    return ActionResult(taken, values=values, error=_("The script took its error exit.") if taken == ERROR else "")


def _named(exits: set[str]) -> str:
    return ", ".join(sorted(exits))


def _failed(text: str) -> ActionResult:
    return ActionResult(ERROR, values={"script_error": text}, error=text)


def _written(context: ActionContext, outcome: Outcome, result: ActionResult) -> ActionResult:
    """Store what the script remembered and tell what it emitted; a value that does not fit makes it fail as a whole."""
    remembered = {write["data"]["key"]: write["data"]["value"] for write in outcome.writes if write["kind"] == "memory"}
    if remembered:
        person = person_of(context)
        try:
            if person is None:
                attributes.check_values(remembered)
            else:
                attributes.set_values(person, remembered, source="script")
        except InvalidValuesError as error:
            return _failed(_("memory.set: %(why)s") % {"why": error})
    emits = tuple(
        Emit(name=write["data"]["name"][:100], data=_data(write["data"]["data"])) for write in outcome.writes if write["kind"] == "emit"
    )
    return ActionResult(result.exit, values=result.values, error=result.error, emits=emits, changed=bool(remembered))


def _data(value: Any) -> Json:
    return value if isinstance(value, dict) else {"value": value}


def _secrets(context: ActionContext, params: Json) -> Iterator[str]:
    """The secret settings that stand in these parameters."""
    given = json.dumps(params, ensure_ascii=False)
    for name in context.facts.secret_settings:
        value = context.facts.settings.get(name)
        if isinstance(value, str) and len(value) >= SHORTEST and json.dumps(value, ensure_ascii=False)[1:-1] in given:
            yield value
