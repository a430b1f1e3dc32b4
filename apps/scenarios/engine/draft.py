"""A session while one step changes it: position, variables, what happened, what is to be done.

State as JSON:
    {"stack": [{"section", "node", "visit", "saved"?, "unset"?}], "vars": {…}, "wait": {…} | null, "visit": 12, "nodes": 40, "language": "en", "failing"?: true,
     "keyboard"?: 11, "asked"?: [stack, …]}
    wait: {"kind": "answer" | "action", "node", "section", "visit", "visits": [3, 7], "timers": ["timeout"], "interruptible", "collects",
           "data": {…}, "collected"?: […]}
`saved` holds what a called section's parameters covered, to be put back when it returns. `visits` are the showings of one question.
`asked`: where the answered questions stood, the newest last.
`keyboard` is the visit whose reply keyboard still stands in the chat.
"""

import json
import random
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from apps.scenarios.engine import limits
from apps.scenarios.engine.contract import Effect, EventKind, Facts, Happened, Json, Problem, Say
from apps.scenarios.engine.definition import Section
from apps.scenarios.engine.errors import NodeError, StepFailedError
from apps.scenarios.engine.flow import Flow, FlowNode
from apps.scenarios.engine.names import PROTECTED, Names
from apps.scenarios.engine.plain import NotPlainError, clean_text, plain, size_of
from apps.scenarios.engine.wording import _

if TYPE_CHECKING:
    from apps.scenarios.engine.context import Context

TRACED_CHARS = 2_000


class Draft:
    def __init__(self, flow: Flow, state: Json | None, *, facts: Facts, now: datetime, rng: random.Random) -> None:
        known = state or {}
        self.flow = flow
        self.facts = facts
        self.now = now
        self.rng = rng
        self.stack: list[Json] = [dict(frame) for frame in known.get("stack", [])]
        self.variables: Json = dict(known.get("vars", {}))
        self.wait: Json | None = known.get("wait")
        self.visit: int = known.get("visit", 0)
        self.nodes_total: int = known.get("nodes", 0)
        self.failing: bool = known.get("failing", False)
        self.keyboard: int = known.get("keyboard", 0)
        self.asked: list[list[Json]] = list(known.get("asked", []))
        self.timers: set[str] = set()
        self.events: list[Happened] = []
        self.effects: list[Effect] = []
        self.trail: list[str] = []
        self.outcome = ""
        self.names = self._names()

    def _names(self) -> Names:
        language = self.flow.language(self.variables.get("language"), self.facts.language, self.facts.bot.get("language"))
        return Names(self.variables, self.facts, now=self.now, language=language)

    def dump(self) -> Json:
        state: Json = {
            "stack": self.stack,
            "vars": self.variables,
            "wait": self.wait,
            "visit": self.visit,
            "nodes": self.nodes_total,
            "language": self.names.language,
        }
        now_and_then = {"failing": self.failing, "keyboard": self.keyboard, "asked": self.asked}
        return {**state, **{name: value for name, value in now_and_then.items() if value}}

    # --- the trace ----------------------------------------------------------------------------------------------------

    def happened(
        self, kind: EventKind, place: "Context | None" = None, *, taken: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        node = place.node if place else None
        self.events.append(
            Happened(
                kind=kind,
                node=node.id if node else "",
                section=node.section if node else "",
                visit=place.visit if place else self.visit,
                exit=taken,
                details=traced(details or {}),
            )
        )

    # --- what blocks do -----------------------------------------------------------------------------------------------

    def set(self, name: str, value: Any, place: "Context | None" = None) -> None:
        """Set a variable. Raises `NodeError` for a reserved name, what is no JSON, and when all variables together are too large."""
        name = clean_text(name)
        if name in PROTECTED:
            raise NodeError("reserved", _("“%(name)s” cannot be a variable. Choose another name.") % {"name": name})
        try:
            self.variables[name] = plain(value)
        except NotPlainError:
            raise NodeError(
                "variable", _("The value of “%(name)s” is no JSON or is nested too deep. Store a part of it.") % {"name": name}
            ) from None
        self.happened("set", place, details={"name": name, "value": self.variables[name]})
        if name == "language":
            self.names = self._names()
        self.check_size(name)

    def check_size(self, name: str = "") -> None:
        size = size_of(self.variables) + (size_of(self.stack) if len(self.stack) > 1 else 0)
        if size > limits.VARIABLES_BYTES:
            raise StepFailedError(
                self.problem(
                    "variables",
                    _(
                        "The variables hold %(size)s bytes, more than the limit of %(limit)s, after “%(name)s” was set. Keep only what is needed."
                    )
                    % {"size": size, "limit": limits.VARIABLES_BYTES, "name": name},
                )
            )

    def say(self, effect: Say, place: "Context") -> None:
        if sum(isinstance(other, Say) for other in self.effects) >= limits.MESSAGES_PER_STEP:
            message = _("More than %(limit)s messages in one step. Wait for the person in between.") % {"limit": limits.MESSAGES_PER_STEP}
            raise StepFailedError(self.problem("messages", message))
        self.effects.append(effect)
        self.happened("said", place, details=effect.content)

    # --- where it stands ----------------------------------------------------------------------------------------------

    @property
    def here(self) -> FlowNode | None:
        return self.flow.nodes.get(self.stack[-1].get("node", "")) if self.stack else None

    def enter(self, node: FlowNode) -> int:
        """Count a visit of the node and stand there; raises when a guard is breached. Returns the visit's number."""
        self.trail.append(node.id)
        self.visit += 1
        self.nodes_total += 1
        self.stack[-1].update(section=node.section, node=node.id, visit=self.visit)
        self.wait = None
        self.timers = set()
        if len(self.trail) > limits.NODES_PER_STEP:
            message = _(
                "Stopped after %(limit)s blocks in one step: %(cycle)s run in a circle. Add a question, buttons or a delay between them."
            )
            raise StepFailedError(self.problem("endless", message % {"limit": limits.NODES_PER_STEP, "cycle": self._cycle()}))
        if self.nodes_total > limits.NODES_PER_SESSION:
            message = _(
                "This session has gone through %(limit)s blocks. Let the scenario end and start anew; the last ones were %(cycle)s."
            )
            raise StepFailedError(self.problem("session_limit", message % {"limit": limits.NODES_PER_SESSION, "cycle": self._cycle()}))
        return self.visit

    def _cycle(self) -> str:
        """The names of the blocks between the last two visits of the last block."""
        *before, last = self.trail
        start = len(before) - before[::-1].index(last) - 1 if last in before else max(len(before) - 5, 0)
        return " → ".join(f"“{self.flow.nodes[node].name}”" for node in self.trail[start:])

    def push(self, section: Section, begin: str) -> None:
        if len(self.stack) >= limits.SECTION_DEPTH:
            chain = " → ".join(f"“{frame['section']}”" for frame in self.stack[-3:])
            message = _("Sections call each other more than %(limit)s deep: … %(chain)s → “%(section)s”. Use an Exit point without return.")
            raise StepFailedError(self.problem("depth", message % {"limit": limits.SECTION_DEPTH, "chain": chain, "section": section.id}))
        saved = {param.name: self.variables[param.name] for param in section.params if param.name in self.variables}
        unset = [param.name for param in section.params if param.name not in self.variables]
        self.stack.append({"section": section.id, "node": begin, "saved": saved, "unset": unset})

    def answered(self) -> None:
        """Remember where the open question stands, so that the person may come back to it."""
        self.asked = [*self.asked, [dict(frame) for frame in self.stack]][-limits.QUESTIONS_BACK :]

    def pop(self) -> None:
        """Leave a called section: its parameters get the values back that they had for the caller."""
        frame = self.stack.pop()
        self.variables.update(frame.get("saved", {}))
        for name in frame.get("unset", ()):
            self.variables.pop(name, None)
        self.names = self._names()

    def problem(self, code: str, message: str, *, node: FlowNode | None = None) -> Problem:
        """A failure with its place; worded so that the caller of an endpoint can be answered with it."""
        node = node or self.here
        section = node.section if node else str(self.stack[-1].get("section", "")) if self.stack else ""
        name = node.name if node else section
        told_already = message.startswith(_("Script error"))  # code that failed says its line
        text = message if told_already else _("Script error at node “%(node)s”: %(message)s") % {"node": name, "message": message}
        return Problem("error", code, text, section=section, node=node.id if node else "")


def traced(details: Mapping[str, Any]) -> Json:
    """Details for the trace: large values are cut, so that a trace stays readable and small."""
    return {name: _cut(value) for name, value in details.items()}


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= TRACED_CHARS else f"{value[:TRACED_CHARS]}…"
    if not isinstance(value, dict | list):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= TRACED_CHARS else f"{text[:TRACED_CHARS]}…"
