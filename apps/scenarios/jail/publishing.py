"""Draft → published version of a custom action, with its saved tests as the gate; who uses it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from pydantic import ValidationError

from apps.accounts.models import User
from apps.events.recording import record
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.plain import plain
from apps.scenarios.jail import catalogue, running
from apps.scenarios.jail.acting import outcome_result
from apps.scenarios.jail.declaring import NEXT, exits_of, params_model
from apps.scenarios.jail.errors import ScriptError, thrown
from apps.scenarios.jail.models import CustomAction, CustomActionTest, CustomActionVersion
from apps.scenarios.jail.outcome import Host, Outcome, Script
from apps.scenarios.jail.pretending import MockHost

Json = dict[str, Any]
UNCALLED = "return; async () => { "


class FailedCasesError(Exception):
    """Saved test cases do not pass; `failed` says which and why. Publishing needs a reason then."""

    def __init__(self, failed: "list[CaseResult]") -> None:
        self.failed = failed
        super().__init__("; ".join(f"{result.test.name}: {result.why}" for result in failed))


class UnreadableCodeError(Exception):
    """The code is no JavaScript; the text names the line."""


@dataclass(frozen=True)
class CaseResult:
    """`why` is empty when the test passed."""

    test: CustomActionTest
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class Use:
    """A block that names the action. `published`: in the version that runs, else in the draft only."""

    scenario: Any
    node: str
    published: bool


def script_of(action: CustomAction, given: Json, *, secrets: Sequence[str] = ()) -> Script:
    """The draft with a sample input {params, user, data, memory, tables}; parameters are brought to their types as a block would do."""
    params = params_model(action.params).model_validate(given.get("params") or {}).model_dump(mode="json")
    user = given.get("user") or {}
    ctx = {
        "action": action.key, "params": params, "user": user, "data": given.get("data") or {}, "bot": {"name": str(action.bot or "")},
        "lead": {}, "channel": {}, "language": user.get("user_language"), "timezone": "UTC", "constants": {},
        "session": {"id": None, "trace_id": "", "key": "test"}, "dry_run": True,
    }  # fmt: skip
    return Script(
        code=action.code, ctx=plain(ctx), memory={**user, **(given.get("memory") or {})}, secrets=tuple(secrets), limits=running.limits()
    )


def try_out(action: CustomAction, given: Json, host: Host) -> Outcome:
    """Run the draft in a fresh process. Raises `pydantic.ValidationError` for parameters that do not fit."""
    return running.run_sync(script_of(action, given), host, fresh=True)


def mock_host(given: Json, mocks: Sequence[Json]) -> MockHost:
    return MockHost(mocks, given.get("tables") or {})


def run_tests(action: CustomAction) -> list[CaseResult]:
    """Every saved case against the draft."""
    return [_run_test(action, test) for test in action.tests.all()]


def _run_test(action: CustomAction, test: CustomActionTest) -> CaseResult:
    try:
        outcome = running.run_sync(script_of(action, test.given), mock_host(test.given, test.mocks))
    except ValidationError as error:
        return CaseResult(test, Outcome(), "; ".join(f"{path}: {why}" for path, why in explain(error)))
    result = outcome_result(outcome, {spec.name for spec in exits_of(action.exits)})
    return CaseResult(test, outcome, _difference(test, result.exit, result.error, outcome))


def _difference(test: CustomActionTest, taken: str, error: str, outcome: Outcome) -> str:
    if taken != (test.expected_exit or NEXT):
        why = f" ({error})" if error else ""
        return _("it took the exit “%(taken)s” instead of “%(wanted)s”%(why)s") % {"taken": taken, "wanted": test.expected_exit, "why": why}
    if test.expected is not None and not _within(test.expected, outcome.value):
        return _("its result is not the expected one")
    return ""


def _within(expected: Any, value: Any) -> bool:
    """Whether `value` has everything that `expected` names."""
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(key in value and _within(item, value[key]) for key, item in expected.items())
    return bool(expected == value) and isinstance(expected, bool) == isinstance(value, bool)


def publish(action: CustomAction, *, user: User | None = None, note: str = "", despite: str = "") -> CustomActionVersion:
    """Make the draft the version that scenarios run. Raises `UnreadableCodeError`, and `FailedCasesError` unless `despite` gives a reason."""
    check_code(action.code)
    failed = [result for result in run_tests(action) if result.why]
    if failed and not despite:
        raise FailedCasesError(failed)
    with transaction.atomic():
        locked = CustomAction.objects.select_for_update(of=("self",)).get(pk=action.pk)
        newest = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = CustomActionVersion.objects.create(
            action=locked, number=newest + 1, code=action.code, params=action.params, exits=action.exits, note=note,
            despite=despite if failed else "", published_by=user,
        )  # fmt: skip
        locked.published = version
        locked.save(update_fields=["published", "updated_at"])
        record(
            "custom_action.published", bot_id=locked.bot_id, user_id=user.pk if user else None,
            details={"action": locked.key, "version": version.number, "note": note, "failed_tests": [result.test.name for result in failed], "despite": version.despite},
        )  # fmt: skip
    action.published = version
    catalogue.forget()
    return version


def check_code(code: str) -> None:
    """Raises `UnreadableCodeError` with the line when the code cannot be read as JavaScript."""
    error = unreadable(code)
    if error is not None:
        raise UnreadableCodeError(error.text)


def unreadable(code: str) -> ScriptError | None:
    """Why the code cannot be read as JavaScript. It is read as the body of a function that nobody calls."""
    outcome = running.run_sync(Script(code=f"{UNCALLED}{code}\n}}", limits=running.limits()), MockHost())
    error = outcome.error
    if error is None or error.line != 1:
        return error
    return thrown("", error.message, line=1, column=max(1, error.column - len(UNCALLED)), kind=error.kind)


def roll_back(version: CustomActionVersion, *, user: User | None = None) -> CustomActionVersion:
    """Make an old version the draft and publish it as a new one. Tests that fail are named in the log and do not stop it: what ran before may
    run again.
    """
    action = version.action
    with transaction.atomic():
        locked = CustomAction.objects.select_for_update(of=("self",)).get(pk=action.pk)
        locked.code, locked.params, locked.exits = version.code, version.params, version.exits
        locked.draft_version += 1
        locked.save()
    note = _("Rolled back to version %(number)s") % {"number": version.number}
    return publish(locked, user=user, note=note, despite=note)


def uses(action: CustomAction) -> list[Use]:
    """Blocks of drafts and running versions that name the action, of the bots that may use it."""
    from apps.scenarios.models import Scenario  # noqa: PLC0415  that module imports this app's

    scenarios = Scenario.objects.select_related("bot", "published").order_by("bot__name", "name")
    scenarios = scenarios.filter(bot_id=action.bot_id) if action.bot_id else scenarios
    found: list[Use] = []
    for scenario in scenarios:
        running_in = set(_nodes(scenario.published.definition, action.key)) if scenario.published else set()
        drafted = list(_nodes(scenario.draft, action.key))
        found += [Use(scenario, node, published=node in running_in) for node in dict.fromkeys([*drafted, *sorted(running_in)])]
    return found


def _nodes(definition: Json, key: str) -> Iterator[str]:
    for section in definition.get("sections") or ():
        for node in section.get("nodes") or ():
            if node.get("kind") == "action" and (node.get("params") or {}).get("action") == key:
                yield str(node.get("id", ""))
