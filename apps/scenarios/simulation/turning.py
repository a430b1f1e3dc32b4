"""One turn of a simulated chat over the pure core: no rows, no connections, no actions, whatever is in the definition or the state.

Where the core asks for an action a mock answers, or its first good exit is assumed, or the chat waits for an answer. `perform` is the one
way to hands: the preview's, for calls that somebody has ticked.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from apps.scenarios.action import Action, ActionContext
from apps.scenarios.engine.contract import (
    Act,
    Effect,
    Entered,
    Facts,
    Fired,
    Happened,
    Json,
    Problem,
    Returned,
    Say,
    Start,
    Status,
    Step,
    WaitUntil,
)
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.flow import Flow
from apps.scenarios.engine.stepping import step
from apps.scenarios.simulation import asking, beginning
from apps.scenarios.simulation.asking import Begin, Input, Later, Mock, State, Timer

# Policies with which a scenario does not start in the place of one that waits.
STAYS_BEHIND = frozenset({"skip", "after_current"})
MAX_ACTIONS = 50
MAX_TIMERS = 100
Perform = Callable[[Act], Returned | None]  # None: this one cannot be performed, its good exit is assumed


@dataclass(frozen=True)
class Sandbox:
    """What does not change from turn to turn. `hold`: an action without a mock waits for an input `returned`."""

    flow: Flow
    facts: Facts
    actions: Mapping[str, Action[Any]]
    mocks: tuple[Mock, ...] = ()
    hold: bool = False
    seed: int = 0
    perform: Perform | None = None


@dataclass(frozen=True)
class Acted:
    """An action that the scenario asked for and what came back: `by` a mock, assumed, live, or nothing yet ("held")."""

    act: Act
    by: str
    returned: Returned | None = None


@dataclass
class Turn:
    """What one turn came to; `effects` has an `Acted` in the place of each `Act`."""

    state: State
    events: list[Happened] = field(default_factory=list)
    effects: list[Effect | Acted] = field(default_factory=list)
    status: Status = "ended"
    handled: bool = True
    failure: Problem | None = None
    outcome: str = ""
    started_by: str = ""


def play(sandbox: Sandbox, state: State, asked: Input, *, now: datetime | None = None) -> Turn:
    """The chat after `asked`. Without `now` the clock stands where the state left it. The given state is not changed."""
    moment = now or state.now or datetime.now(UTC)
    stage = _Stage(sandbox, Turn(replace_state(state, now=moment, turn=state.turn + 1)))
    if isinstance(asked, Later):
        stage.pass_time(asked.seconds)
    elif isinstance(asked, asking.Say):
        stage.hear(asked)
    elif isinstance(asked, asking.Press):
        stage.press(asked)
    else:
        stage.enter(asked.entered(_wait(stage.turn.state)), anew=isinstance(asked, Begin))
    return stage.turn


def replace_state(state: State, **fields: Any) -> State:
    return state.model_copy(update=fields)


def _wait(state: State) -> Json:
    """The open wait of a state that may be anything that somebody posted."""
    found = (state.session or {}).get("wait")
    return found if isinstance(found, dict) and isinstance(found.get("visit", 0), int) else {}


class _Stage:
    """The turn while it is played."""

    def __init__(self, sandbox: Sandbox, turn: Turn) -> None:
        self.sandbox, self.turn = sandbox, turn
        # A string seeds alike on every machine and in every process.
        self.rng = random.Random(f"{sandbox.seed}:{turn.state.turn}")  # noqa: S311  chance that can be repeated

    @property
    def now(self) -> datetime:
        return self.turn.state.now or datetime.now(UTC)

    def pass_time(self, seconds: float | None) -> None:
        """Fire what comes due on the way, then stand at the end of it; without `seconds` the first timer that is due, and stop there."""
        until = None if seconds is None else self.now + timedelta(seconds=seconds)
        self.turn.status = "waiting" if self.turn.state.session else "ended"
        for _round in range(MAX_TIMERS):
            timer = min(self.turn.state.timers, key=lambda item: item.due_at, default=None)
            if timer is None or (until is not None and timer.due_at > until):
                break
            left = [item for item in self.turn.state.timers if item != timer]
            self.turn.state = replace_state(self.turn.state, now=max(timer.due_at, self.now), timers=left)
            self.enter(Fired(visit=timer.visit, reason=timer.reason))
            if until is None:
                return
        if until is not None:
            self.turn.state = replace_state(self.turn.state, now=until)

    def hear(self, said: asking.Say) -> None:
        """As the product does: the open question comes first unless a keyword may interrupt it; what it does not
        take, or nobody waits for, begins the scenario by its triggers.
        """
        state, flow, language = self.turn.state, self.sandbox.flow, self.sandbox.facts.language or ""
        wait, begun = _wait(state), beginning.by_keyword(flow, said.text, language=language)
        if state.session is None:
            begun = begun or beginning.by_opening(flow, said.text, first=state.turn <= 1)
        elif flow.policies.arrival in STAYS_BEHIND:
            begun = None
        at_once = begun is not None and (state.session is None or wait.get("interruptible", True))
        if not at_once:
            self.enter(said.entered(wait))
        if begun and (at_once or not self.turn.handled):
            self.turn.started_by = begun.reason
            self.enter(begun.start, anew=True)

    def press(self, pressed: asking.Press) -> None:
        """A press on a question that is no longer open gets the scenario's answer to old buttons."""
        self.enter(pressed.entered(_wait(self.turn.state)))
        text = "" if self.turn.handled else self.sandbox.flow.old_button_text(self.sandbox.facts.language or "")
        if text:
            self.turn.effects.append(Say(content={"text": text}, node=pressed.node, visit=pressed.visit))

    def enter(self, entered: Entered, *, anew: bool = False) -> None:
        outcome = self._step(None if anew else self.turn.state.session, entered)
        for _round in range(MAX_ACTIONS):
            returned = self._answer(outcome)
            if returned is None:
                return
            outcome = self._step(self.turn.state.session, returned)
        self._give_up()

    def _step(self, session: Json | None, entered: Entered) -> Step:
        if session is None and isinstance(entered, Fired):
            return Step(None, (), (), "ended", handled=False)
        sandbox, now = self.sandbox, self.now
        outcome = step(sandbox.flow, session, entered, facts=sandbox.facts, clock=lambda: now, rng=self.rng)
        turn = self.turn
        turn.events += outcome.events
        turn.effects += [effect for effect in outcome.effects if not isinstance(effect, Act)]
        turn.status, turn.handled, turn.failure, turn.outcome = outcome.status, outcome.handled, outcome.failure, outcome.outcome
        if outcome.handled:
            turn.state = replace_state(turn.state, session=outcome.state, timers=self._timers(outcome, begins=isinstance(entered, Start)))
        return outcome

    def _timers(self, outcome: Step, *, begins: bool) -> list[Timer]:
        """Those of the open wait, as the product itself keeps them; a timer set again takes the place of the one before."""
        visit = ((outcome.state or {}).get("wait") or {}).get("visit", -1)
        known = {} if begins else {(timer.visit, timer.reason): timer for timer in self.turn.state.timers}
        for effect in outcome.effects:
            if isinstance(effect, WaitUntil):
                known[effect.visit, effect.reason] = Timer(visit=effect.visit, reason=effect.reason, due_at=effect.due_at)
        open_reasons = set(((outcome.state or {}).get("wait") or {}).get("timers", ()))
        return [timer for (of_visit, reason), timer in known.items() if of_visit == visit and reason in open_reasons]

    def _answer(self, outcome: Step) -> Returned | None:
        """What the action that was asked for gives back; None when nothing was asked, or an answer is awaited."""
        act = next((effect for effect in outcome.effects if isinstance(effect, Act)), None) if outcome.status == "calling" else None
        if act is None:
            return None
        by, returned = self._returned(act)
        self.turn.effects.append(Acted(act, by, returned))
        return returned

    def _returned(self, act: Act) -> tuple[str, Returned | None]:
        if act.action not in self.sandbox.actions:
            return "assumed", Returned(visit=act.visit, exit="error", error=f"The action “{act.action}” is not installed.")
        fitting = [mock for mock in self.sandbox.mocks if mock.fits(act)]
        if fitting:
            return "mock", self._of_mock(act, fitting)
        performed = self.sandbox.perform(act) if self.sandbox.perform is not None else None
        if performed is not None:
            return "live", performed
        if self.sandbox.hold:
            return "held", None
        return "assumed", Returned(visit=act.visit, exit=good_exit(self.sandbox.actions.get(act.action)))

    def _of_mock(self, act: Act, fitting: list[Mock]) -> Returned:
        """Mocks of one node are used in order; how many were used travels with the state."""
        state = self.turn.state
        used = state.mocked.get(act.node, 0)
        self.turn.state = replace_state(state, mocked={**state.mocked, act.node: used + 1})
        return answered(act, fitting[min(used, len(fitting) - 1)], self.sandbox)

    def _give_up(self) -> None:
        message = f"More than {MAX_ACTIONS} actions ran without waiting; let the scenario wait for the person in between."
        self.turn.failure, self.turn.status = Problem("error", "limit", message), "failed"
        self.turn.state = replace_state(self.turn.state, session=None, timers=[])


def good_exit(action: Action[Any] | None) -> str:
    """The way that an action takes when all goes well."""
    return next((spec.name for spec in action.exits if not spec.failure), "next") if action else "error"


def answered(act: Act, mock: Mock, sandbox: Sandbox) -> Returned:
    """A mock as the action's result. A mocked reply is understood by the action itself, which does so purely."""
    action = sandbox.actions.get(act.action)
    if mock.reply is None or action is None or not action.outside:
        return Returned(visit=act.visit, exit=mock.exit or good_exit(action), values=mock.values, error=mock.error)
    try:
        params = action.Params.model_validate(act.shown)
        result = action.result(context_of(act, sandbox.facts), params, action.reply(mock.reply))
    except ValidationError as error:
        reason = "; ".join(f"{path or act.action}: {why}" for path, why in explain(error))
        return Returned(visit=act.visit, exit="error", error=reason)
    except (TypeError, ValueError, AttributeError, KeyError):
        return Returned(visit=act.visit, exit="error", error="The mocked reply has not the form that the action understands.")
    return Returned(
        visit=act.visit, exit=mock.exit or result.exit, values={**result.values, **mock.values}, error=mock.error or result.error
    )


def context_of(act: Act, facts: Facts) -> ActionContext:
    """Nobody's chat: an action that looks for rows finds none."""
    bot_id = facts.bot.get("id")
    return ActionContext(
        bot_id=int(bot_id) if bot_id else 0,
        person_id=None,
        lead_id=None,
        conversation_id=None,
        session_id=None,
        trace_id="",
        idempotency_key=f"simulated-v{act.visit}",
        dry_run=True,
        facts=facts,
    )


def asked_for(act: Act, sandbox: Sandbox) -> Json | None:
    """The call that would go out, with secrets masked: {method, url, body}; None for what is no call or cannot be made."""
    action = sandbox.actions.get(act.action)
    if action is None or not action.outside:
        return None
    try:
        request = action.request(context_of(act, sandbox.facts), action.Params.model_validate(act.shown)).dump()
    except (ValidationError, TypeError, ValueError, AttributeError, KeyError):
        return None
    return {"method": request["method"], "url": request["url"], "body": request.get("json", request.get("body"))}
