"""Drive a scenario through the pure engine: a clock that only moves when told, and everything that was said and happened."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import ConfigDict

from apps.scenarios.action import Action, ActionParams
from apps.scenarios.block import Exit
from apps.scenarios.engine.contract import Act, Emit, Entered, Facts, Fired, Json, Pressed, Respond, Returned, Say, Start, Step, WaitUntil
from apps.scenarios.engine.escaping import Escaped
from apps.scenarios.engine.flow import Actions, Flow, compile_definition
from apps.scenarios.engine.stepping import step
from apps.scenarios.registry import blocks

NOON = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
ANNA = Facts(person={"user_name": "Anna", "city": "Tashkent"}, language="en", timezone="UTC", region="UZ")
Told = Entered | Callable[[Json], Entered]


class CallParams(ActionParams):
    model_config = ConfigDict(extra="allow", frozen=True)

    url: Annotated[str, Escaped("url")] = ""
    template: Annotated[str, Escaped("json")] = ""
    body: Any = None


class CallSystem(Action[CallParams]):
    """An action of the tests with the exits of a call."""

    kind = "call_system"
    label = "Call"
    exits = (Exit("ok", required=True), Exit("error", failure=True))
    Params = CallParams

    def sets(self, params: Json) -> list[str]:
        return list(params.get("save", {}))


ACTIONS: Actions = {"call_system": CallSystem()}


def node(node_id: str, kind: str, params: Json | None = None, **exits: str) -> Json:
    return {"id": node_id, "kind": kind, "params": params or {}, "exits": exits}


def section(section_id: str, *nodes: Json, **more: Any) -> Json:
    return {"id": section_id, "nodes": list(nodes), **more}


def definition(*nodes: Json, sections: Iterable[Json] = (), **more: Any) -> Json:
    params = more.pop("params", [])
    return {"schema_version": 1, "name": "Test", "sections": [section("main", *nodes, params=params), *sections], **more}


def flow_of(*nodes: Json, actions: Actions = ACTIONS, **more: Any) -> Flow:
    return compile_definition(definition(*nodes, **more), blocks=blocks, actions=actions)


def press(button: str, *, node_id: str = "", visit: int = 0, label: str = "") -> Callable[[Json], Entered]:
    """A press on a button of the open question, or of another node or visit."""
    return lambda wait: Pressed(node=node_id or wait["node"], visit=visit or wait["visit"], button=button, label=label)


def fire(reason: str) -> Callable[[Json], Entered]:
    return lambda wait: Fired(visit=wait["visit"], reason=reason)


def give_back(exit_name: str, *, error: str = "", **values: Any) -> Callable[[Json], Entered]:
    return lambda wait: Returned(visit=wait["visit"], exit=exit_name, values=values, error=error)


def once(flow: Flow, state: Any, entered: Any, *, facts: Facts = ANNA, now: datetime = NOON, seed: int = 0) -> Step:
    """One step, with a seed in place of chance."""
    return step(flow, state, entered, facts=facts, clock=lambda: now, rng=random.Random(seed))  # noqa: S311  no secret hangs on it


@dataclass
class Talk:
    """One session. `steps` are all outcomes; the last one's state is where it stands."""

    flow: Flow
    facts: Facts = ANNA
    now: datetime = NOON
    seed: int = 0
    steps: list[Step] = field(default_factory=list)

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def state(self) -> Json:
        return next((one.state for one in reversed(self.steps) if one.handled), None) or {}

    @property
    def wait(self) -> Json:
        found: Json = self.state.get("wait") or {}
        return found

    @property
    def variables(self) -> Json:
        found: Json = self.state.get("vars", {})
        return found

    def start(self, **fields: Any) -> "Talk":
        return self.tell(Start(**fields))

    def tell(self, told: Told) -> "Talk":
        entered = told(self.wait) if callable(told) else told
        state = self.state or None
        self.steps.append(once(self.flow, state, entered, facts=self.facts, now=self.now, seed=self.seed))
        return self

    def later(self, **span: float) -> "Talk":
        self.now += timedelta(**span)
        return self

    # --- what came of it ----------------------------------------------------------------------------------------------

    @property
    def effects(self) -> list[Any]:
        return [effect for one in self.steps for effect in one.effects]

    @property
    def contents(self) -> list[Json]:
        return [effect.content for effect in self.effects if isinstance(effect, Say)]

    @property
    def said(self) -> list[str]:
        return [str(content.get("text", "")) for content in self.contents]

    @property
    def acts(self) -> list[Act]:
        return [effect for effect in self.effects if isinstance(effect, Act)]

    @property
    def timers(self) -> list[tuple[str, datetime]]:
        return [(effect.reason, effect.due_at) for effect in self.effects if isinstance(effect, WaitUntil)]

    @property
    def emitted(self) -> list[Emit]:
        return [effect for effect in self.effects if isinstance(effect, Emit)]

    @property
    def responses(self) -> list[Any]:
        return [effect.data for effect in self.effects if isinstance(effect, Respond)]

    @property
    def path(self) -> list[str]:
        return [event.node for one in self.steps for event in one.events if event.kind == "entered"]

    def happened(self, kind: str) -> list[Json]:
        return [event.details for one in self.steps for event in one.events if event.kind == kind]
