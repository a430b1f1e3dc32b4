"""Chats kept as tests: kept with what came of them, played again, compared turn by turn. Over the pure core, so that a test has no effect."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import Field, ValidationError

from apps.bots.models import Bot
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.flow import DefinitionError, Flow, compile_definition
from apps.scenarios.models import Scenario
from apps.scenarios.registry import actions_for, blocks
from apps.scenarios.simulation.asking import AskError, Input, Part, State, World
from apps.scenarios.simulation.coverage import Coverage, Seen
from apps.scenarios.simulation.models import SavedTest
from apps.scenarios.simulation.telling import path_of, said_in
from apps.scenarios.simulation.turning import Acted, Sandbox, Turn, play
from apps.scenarios.simulation.world import facts_of

MAX_TURNS = 500


class Expected(Part):
    """What must come of a turn; what is left out may be anything."""

    said: list[dict[str, Any]] | None = None
    path: list[str] | None = None
    status: str | None = None
    calls: list[dict[str, Any]] | None = None


class Recorded(Part):
    input: Input
    expect: Expected = Expected()


class Recording(Part):
    world: World = World()
    turns: list[Recorded] = Field(min_length=1, max_length=MAX_TURNS)


@dataclass(frozen=True)
class Failure:
    """Where a test went another way: the turn (from 1) and what differs, in words."""

    turn: int
    message: str


@dataclass
class Result:
    """One test's outcome. `seen` are the nodes and exits that it went through."""

    test: SavedTest
    failures: list[Failure] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class Report:
    """Every test of a scenario and what they cover together."""

    results: Sequence[Result]
    coverage: Coverage

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.passed]


def read_recording(data: Any) -> Recording:
    """Raises `AskError` with the places of mistakes."""
    try:
        return Recording.model_validate(data)
    except ValidationError as error:
        raise AskError(list(explain(error))) from error


def recorded(world: World, inputs: Iterable[Input], *, flow: Flow, bot: Bot) -> Json:
    """A chat as a recording: played once more, so that what it expects is what the core really does."""
    sandbox = _sandbox(flow, bot, world)
    state, turns = State(now=world.now), []
    for asked in inputs:
        turn = play(sandbox, state, asked)
        state = turn.state
        turns.append(Recorded(input=asked, expect=Expected.model_validate(came_of(turn))))
    return Recording(world=world, turns=turns).model_dump(mode="json", exclude_defaults=True)


def run(test: SavedTest, *, flow: Flow, bot: Bot) -> Result:
    """Play the test on this flow; never raises."""
    try:
        recording = read_recording(test.recording)
    except AskError as error:
        return Result(test, [Failure(0, _("The recording cannot be read: %(why)s") % {"why": error})])
    result = Result(test)
    sandbox = _sandbox(flow, bot, recording.world)
    state = State(now=recording.world.now)
    for number, step in enumerate(recording.turns, 1):
        turn = play(sandbox, state, step.input)
        state = turn.state
        result.seen.take(turn.events)
        result.failures += [Failure(number, message) for message in differences(step.expect, came_of(turn))]
    return result


def run_all(scenario: Scenario, *, definition: Json | None = None, only_active: bool = False) -> Report:
    """Every test on the draft (or on `definition`). A definition that does not run fails each of them."""
    tests = list(scenario.tests.filter(is_active=True) if only_active else scenario.tests.all())
    try:
        flow = compile_definition(scenario.draft if definition is None else definition, blocks=blocks, actions=actions_for(scenario.bot_id))
    except DefinitionError as error:
        failed = [Result(test, [Failure(0, str(error))]) for test in tests]
        return Report(failed, Coverage())
    results = [run(test, flow=flow, bot=scenario.bot) for test in tests]
    return Report(results, Coverage.of(flow, [result.seen for result in results]))


def note(report: Report) -> None:
    """Keep each test's last outcome with it."""
    now = timezone.now()
    for result in report.results:
        test = result.test
        test.last_run_at, test.last_passed = now, result.passed
        test.last_failures = [{"turn": failure.turn, "message": failure.message} for failure in result.failures]
        test.save_without_historical_record(update_fields=["last_run_at", "last_passed", "last_failures"])  # type: ignore[attr-defined]


def came_of(turn: Turn) -> Json:
    """What a test looks at: texts and buttons, the path, how it ended, what was called."""
    calls = [{"action": effect.act.action, "params": effect.act.shown} for effect in turn.effects if isinstance(effect, Acted)]
    return {"said": [_said(content) for content in said_in(turn)], "path": path_of(turn), "status": turn.status, "calls": calls}


def _said(content: Json) -> Json:
    buttons = [button.get("id", "") for row in content.get("buttons", ()) for button in row]
    media = [item.get("url") or item.get("file") or item.get("kind", "") for item in content.get("media", ())]
    return {"text": content.get("text", ""), **({"buttons": buttons} if buttons else {}), **({"media": media} if media else {})}


def differences(expected: Expected, came: Json) -> list[str]:
    """In words, one line a difference."""
    found: list[str] = []
    if expected.said is not None and expected.said != came["said"]:
        found.append(
            _("It should say %(expected)s, and says %(came)s.") % {"expected": _spoken(expected.said), "came": _spoken(came["said"])}
        )
    if expected.path is not None and expected.path != came["path"]:
        ways = {"expected": " → ".join(expected.path) or "–", "came": " → ".join(came["path"]) or "–"}
        found.append(_("It should go %(expected)s, and goes %(came)s.") % ways)
    if expected.status is not None and expected.status != came["status"]:
        found.append(_("It should end “%(expected)s”, and is “%(came)s”.") % {"expected": expected.status, "came": came["status"]})
    if expected.calls is not None and expected.calls != came["calls"]:
        found.append(_("It should call %(expected)s, and calls %(came)s.") % {"expected": expected.calls, "came": came["calls"]})
    return found


def _spoken(said: Sequence[Json]) -> str:
    lines = [f"“{line.get('text', '')}”{' ' + str(line['buttons']) if line.get('buttons') else ''}" for line in said]
    return ", ".join(lines) or _("nothing")


def _sandbox(flow: Flow, bot: Bot, world: World) -> Sandbox:
    """A test knows nobody: a copied person's facts were taken into the recording."""
    facts = facts_of(bot, world.person, channel=world.channel)
    return Sandbox(flow, facts, actions_for(bot.pk), mocks=tuple(world.mocks), hold=world.calls == "hold", seed=world.seed)
