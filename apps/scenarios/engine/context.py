"""What a block sees and may do while the session stands on it. Everything that it does is recorded for the trace."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from apps.bots.content import Content
from apps.scenarios.engine.conditions import Condition
from apps.scenarios.engine.contract import Act, Emit, Json, Respond, Say, WaitUntil
from apps.scenarios.engine.errors import NodeError
from apps.scenarios.engine.escaping import Escaped, Target
from apps.scenarios.engine.flow import Flow, FlowNode
from apps.scenarios.engine.limits import LONGEST_WAIT_DAYS
from apps.scenarios.engine.names import Names
from apps.scenarios.engine.params import Expression, Template, Text, Value
from apps.scenarios.engine.wording import _

if TYPE_CHECKING:
    from apps.scenarios.engine.draft import Draft


class Context:
    """One visit of one node. `data` is what the block's last `Wait` kept; `resumed` is how often the visit was resumed."""

    __slots__ = ("_draft", "data", "node", "visit")

    def __init__(self, draft: "Draft", node: FlowNode, *, visit: int, data: Mapping[str, Any] | None = None) -> None:
        self._draft = draft
        self.node = node
        self.visit = visit
        self.data: Mapping[str, Any] = data or {}

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def flow(self) -> Flow:
        return self._draft.flow

    @property
    def names(self) -> Names:
        return self._draft.names

    @property
    def language(self) -> str:
        return self._draft.names.language

    @property
    def now(self) -> datetime:
        """The present moment in the person's time zone, aware."""
        return self._draft.names.local_now

    @property
    def rng(self) -> random.Random:
        return self._draft.rng

    @property
    def region(self) -> str:
        """Country of phone numbers that are written without "+"."""
        return self._draft.facts.region

    def text(self, text: Text, *, target: Target = "") -> str:
        """The text in the person's language, else in the bot's, else in the scenario's base language, with its placeholders filled in; "html"
        escapes the values.
        """
        if isinstance(text.root, str):
            return text.compiled("").text(self.names, target=target)
        base = self.flow.definition.default_language
        own = self.flow.language(self._draft.facts.bot.get("language"))
        return text.in_language(self.language, own, base).text(self.names, target=target)

    def template(self, template: Template, *, target: Target = "") -> str:
        return template.compiled.text(self.names, target=target)

    def value(self, value: Value) -> Any:
        return value.render(self.names)

    def holds(self, condition: Condition) -> bool:
        return condition.holds(self.names)

    def test(self, expression: Expression, **extra: Any) -> bool:
        """A free condition, with a few more names such as the `value` that is checked."""
        return expression.compiled.test(self.names.with_extra(**extra))

    # --- doing --------------------------------------------------------------------------------------------------------

    def set(self, name: str, value: Any) -> None:
        """Set a variable of the session; the value is copied and must be JSON."""
        self._draft.set(name, value, self)

    def say(self, content: Json) -> None:
        """Send content (`apps/bots/content.py`) to the person."""
        try:
            dumped = Content.model_validate(self._with_keyboard(content)).dump()
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise NodeError("content", _("The message cannot be built: check its %(field)s.") % {"field": place}) from None
        self._draft.say(Say(content=dumped, node=self.node.id, visit=self.visit), self)

    def _with_keyboard(self, content: Json) -> Json:
        """A reply keyboard stays on people's screens until a message takes it away: the first one of another visit does."""
        if content.get("buttons"):
            self._draft.keyboard = self.visit if content.get("keyboard") == "reply" else self._draft.keyboard
            return content
        if self._draft.keyboard in (0, self.visit):
            return content
        self._draft.keyboard = 0
        return {**content, "keyboard": "remove"}

    def act(self, action: str, params: Mapping[str, Value]) -> None:
        """Ask for an action; the block must then `Wait(calling=True)`. Secrets are in clear in the effect's `params` only."""
        escapes = escapes_of(kind.Params) if (kind := self.flow.scope.actions.get(action)) else {}
        shown = _rendered(params, self.names, escapes)
        secret = self.names.has_secrets and any("instance_settings" in repr(value.root) for value in params.values())
        clear = _rendered(params, self.names.revealed(), escapes) if secret else shown
        self._draft.effects.append(
            Act(action=action, params=clear, shown=shown, node=self.node.id, visit=self.visit, exits=tuple(self.node.exits))
        )
        self._draft.happened("acted", self, details={"action": action, "params": shown})

    def emit(self, name: str, data: Json) -> None:
        self._draft.effects.append(Emit(name=name, data=data))
        self._draft.happened("emitted", self, details={"name": name, "data": data})

    def respond(self, data: Any) -> None:
        self._draft.effects.append(Respond(data=data))
        self._draft.happened("responded", self, details={"data": data})

    def wake(self, reason: str, *, at: datetime | None = None, after: timedelta | None = None) -> datetime:
        """Set a timer of this visit; at most one per reason is pending. Returns its moment (UTC)."""
        due_at = (at or self._draft.now + (after or timedelta())).astimezone(UTC)
        if due_at > self._draft.now + timedelta(days=LONGEST_WAIT_DAYS):
            raise NodeError("wait", _("The wait is longer than %(days)s days. Choose an earlier moment.") % {"days": LONGEST_WAIT_DAYS})
        self._draft.timers.add(reason)
        self._draft.effects.append(WaitUntil(due_at=due_at, visit=self.visit, reason=reason))
        return due_at

    def asked(self, **details: Any) -> None:
        self._draft.happened("asked", self, details=details)

    def invalid(self, **details: Any) -> None:
        self._draft.happened("invalid", self, details=details)


def _rendered(params: Mapping[str, Value], names: Names, escapes: Mapping[str, Target]) -> Json:
    return {name: value.render(names, target=escapes.get(name, "")) for name, value in params.items()}


@lru_cache(maxsize=256)
def escapes_of(params: type[BaseModel]) -> dict[str, Target]:
    """Which parameters of an action are escaped, and for what."""
    return {name: mark.target for name, info in params.model_fields.items() for mark in info.metadata if isinstance(mark, Escaped)}
