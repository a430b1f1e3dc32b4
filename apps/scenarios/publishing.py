"""Draft → published version. A version never changes; people inside a session stay on theirs."""

from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.bots.registry import adapters
from apps.core.models import StoredFile
from apps.core.settings_store import constants, instance_settings
from apps.events.recording import record
from apps.identity.models import ClientField
from apps.scenarios import clashing, loose, triggers
from apps.scenarios.engine import lint
from apps.scenarios.engine.contract import Problem
from apps.scenarios.engine.definition import logic_hash
from apps.scenarios.models import Scenario, ScenarioVersion, Session, Trigger
from apps.scenarios.registry import actions_for, blocks
from apps.scenarios.scheduling import planning
from apps.scenarios.simulation import testing
from apps.scenarios.versions import moving

NOTE_CHARS = 500


class PublishingRefusedError(Exception):
    """The draft has errors; `problems` name the nodes and say what to do."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems[:5]))


class TestsFailedError(PublishingRefusedError):
    """Kept chats go another way than they did; whoever publishes all the same gives a reason, which is logged."""

    def __init__(self, report: testing.Report) -> None:
        self.report = report
        super().__init__(
            [
                Problem(
                    "error", "test_failed", _("Test “%(name)s”: %(why)s") % {"name": result.test.name, "why": result.failures[0].message}
                )
                for result in report.failed
            ]
        )


class StaleDraftError(Exception):
    """Somebody else saved the draft meanwhile; `theirs` is what is stored now."""

    def __init__(self, theirs: dict[str, Any], version: int) -> None:
        self.theirs, self.version = theirs, version
        super().__init__(_("Somebody else has saved this scenario since you opened it. Compare the changes and save again."))


@dataclass(frozen=True)
class Standing:
    """How many sessions stand at a node, its name for people, and whether the new definition still has it."""

    node: str
    title: str
    people: int
    removed: bool


def check(definition: dict[str, Any], *, bot: Bot, own: int | None = None) -> list[Problem]:
    """All problems of a definition in the light of this bot: its channels' limits, known names, existing kinds, what else its triggers would meet.
    `own` is the scenario whose definition it is.
    """
    capabilities = [
        adapters[kind].capabilities for kind in set(bot.channels.filter(is_active=True).values_list("kind", flat=True)) if kind in adapters
    ]
    settings_known, _secret = instance_settings()
    known = [
        *ClientField.objects.values_list("key", flat=True),
        *(f"constants.{key}" for key in constants()),
        *(f"instance_settings.{key}" for key in settings_known),
    ]
    files = StoredFile.objects.values_list("key", flat=True)
    found = lint.check(definition, blocks=blocks, actions=actions_for(bot.pk), capabilities=capabilities, known_names=known, files=files)
    return sorted([*found, *clashing.problems(definition, bot_id=bot.pk, own=own)], key=lambda problem: problem.level)


def save_draft(scenario: Scenario, definition: dict[str, Any], *, based_on: int, user: User | None) -> Scenario:
    """Store a draft if nobody saved another one since `based_on`. Raises `StaleDraftError`."""
    with transaction.atomic():
        current = Scenario.objects.select_for_update().get(pk=scenario.pk)
        if current.draft_version != based_on:
            raise StaleDraftError(current.draft, current.draft_version)
        current.draft, current.draft_version = definition, based_on + 1
        setattr(current, "_history_user", user)  # noqa: B010  simple-history reads it when no request is about
        current.save()
    return current


def check_publishable(scenario: Scenario, definition: dict[str, Any], *, override: str = "") -> testing.Report:
    """Raises `PublishingRefusedError` for errors, `TestsFailedError` for failing tests without a reason; else what the tests said."""
    errors = [problem for problem in check(definition, bot=scenario.bot, own=scenario.pk) if problem.level == "error"]
    if errors:
        raise PublishingRefusedError(errors)
    report = testing.run_all(scenario, definition=definition, only_active=True)
    testing.note(report)
    if report.failed and not override:
        raise TestsFailedError(report)
    return report


class Choices(TypedDict, total=False):
    """What somebody chooses when publishing. `override`: why, although tests fail. `people`: what becomes of those on older versions, with
    `mapping` from removed blocks to those at which their people go on.
    """

    note: str
    override: str
    people: str
    mapping: dict[str, str]


class How(Choices, total=False):
    """`definition` and `layout` stand for the draft when something else is published."""

    definition: dict[str, Any]
    layout: dict[str, Any]


def publish(scenario: Scenario, *, user: User | None = None, **how: Unpack[How]) -> ScenarioVersion:
    """Make the draft the version that new sessions run. Raises `PublishingRefusedError` when the draft has errors, and
    `TestsFailedError` when a saved test fails, unless `override` says why it is published all the same.
    """
    definition, override = how.get("definition", scenario.draft), how.get("override", "")
    report = check_publishable(scenario, definition, override=override)
    with transaction.atomic():
        locked = Scenario.objects.select_for_update().get(pk=scenario.pk)
        version = _new_version(locked, definition, how.get("layout", scenario.layout), how, user)
        locked.published = version
        locked.save(update_fields=["published", "updated_at"])
        _write_triggers(locked, version.definition)
        planning.plan(locked, version.definition.get("triggers", []))
        record(
            "scenario.published",
            bot_id=locked.bot_id,
            user_id=user.pk if user else None,
            details={"scenario": locked.key, "version": version.number, "note": version.note, **_overridden(report, override)},
        )
        if version.people == ScenarioVersion.People.NOW:
            moving.post_moves(version)
    scenario.published = version
    triggers.forget()
    return version


def _new_version(scenario: Scenario, definition: dict[str, Any], layout: dict[str, Any], how: How, user: User | None) -> ScenarioVersion:
    newest = scenario.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return ScenarioVersion.objects.create(
        scenario=scenario,
        number=newest + 1,
        definition=definition,
        layout=layout,
        logic_hash=logic_hash(definition),
        note=how.get("note", ""),
        people=how.get("people", ScenarioVersion.People.STAY),
        mapping=how.get("mapping", {}),
        published_by=user,
    )


def _overridden(report: testing.Report, override: str) -> dict[str, Any]:
    return {"override": override, "failed_tests": [result.test.name for result in report.failed]} if report.failed else {}


def rollback(version: ScenarioVersion, *, user: User | None = None, **chosen: Unpack[Choices]) -> ScenarioVersion:
    """Make an old version's definition the draft and publish it as a new version; history is never rewritten. Refused, it leaves the draft alone.

    Tests that were made for newer versions may fail; going back must not wait for them, so that this counts as the reason.
    """
    what = _("Rolled back to version %(number)s") % {"number": version.number}
    note = f"{what}: {chosen['note']}"[:NOTE_CHARS] if chosen.get("note") else what
    with transaction.atomic():
        scenario = save_draft(version.scenario, version.definition, based_on=version.scenario.draft_version, user=user)
        scenario.layout = version.layout
        Scenario.objects.filter(pk=scenario.pk).update(layout=version.layout)
        chosen["note"] = chosen["override"] = note
        return publish(scenario, user=user, **chosen)


def standing(scenario: Scenario, definition: Any = None) -> list[Standing]:
    """Where people stand in sessions of this scenario, most crowded first; a node that the draft (or `definition`) no longer has is marked."""
    kept = dict(loose.names(scenario.draft if definition is None else definition))
    known = {**(dict(loose.names(scenario.published.definition)) if scenario.published else {}), **kept}
    rows = (
        Session.objects.filter(scenario=scenario, status__in=[Session.Status.ACTIVE, Session.Status.SUSPENDED])
        .values("node")
        .annotate(people=Count("id"))
        .order_by("-people")
    )
    return [
        Standing(
            node=row["node"],
            title=known.get(row["node"], row["node"]),
            people=row["people"],
            removed=bool(row["node"]) and row["node"] not in kept,
        )
        for row in rows
    ]


def _write_triggers(scenario: Scenario, definition: dict[str, Any]) -> None:
    Trigger.objects.filter(scenario=scenario).delete()
    rows = []
    for position, trigger in enumerate(definition.get("triggers", [])):
        if trigger["kind"] in planning.KINDS:
            continue
        patterns = trigger.get("words") or [trigger.get("payload") or trigger.get("name") or ""]
        rows += [
            Trigger(
                bot_id=scenario.bot_id,
                scenario=scenario,
                kind=trigger["kind"],
                match=trigger.get("match") or "exact",
                pattern=pattern[:200],
                language=trigger.get("language") or "",
                entry=trigger.get("entry") or "",
                position=position,
            )
            for pattern in patterns
        ]
    Trigger.objects.bulk_create(rows)
