"""A bot's configuration out to a file and in again. Importing twice changes nothing the second time; parts are matched by their keys."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.bots.models import Bot
from apps.core import settings_store
from apps.core.models import Constant, InstanceSetting
from apps.identity.models import ClientField
from apps.identity.reclassifying import reclassify
from apps.scenarios import needs, publishing
from apps.scenarios.botfile import (
    BotFile,
    BotFileError,
    BotPart,
    ClientFieldPart,
    CommandPart,
    ConstantPart,
    EndpointPart,
    Part,
    ScenarioPart,
    SettingPart,
    written,
)
from apps.scenarios.commands import doing
from apps.scenarios.commands.models import Command
from apps.scenarios.engine.definition import logic_hash
from apps.scenarios.models import Scenario
from apps.scenarios.needs import Need

P = TypeVar("P", bound=Part)
Outcome = Literal["created", "changed", "matched"]
SETTING = re.compile(r"instance_settings\.([A-Za-z][A-Za-z0-9_-]*)")
CONSTANT = re.compile(r"constants\.([A-Za-z][A-Za-z0-9_-]*)")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass
class Report:
    """What came of each part: rows of what it is, its key and its outcome. `to_enter`: settings that still have no value. `missing`: by
    scenario what it names and neither the file nor this installation has.
    """

    bot: Bot
    rows: list[tuple[str, str, Outcome]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    to_enter: list[str] = field(default_factory=list)
    missing: list[tuple[str, Need]] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        return sum(row[2] == outcome for row in self.rows)


def import_bot(
    file: BotFile, *, bot: Bot | None = None, user: User | None = None, note: str = "", publish: bool = True, check_only: bool = False
) -> Report:
    """Bring the file's parts into `bot`, or into the bot of the file's name, which is made when there is none. All or nothing.

    A bot that is given keeps its own name and texts. Values of instance settings that exist are kept. Scenarios are published when the file
    says so and they differ from what is published. `check_only` reports and leaves nothing behind. Raises `BotFileError`.
    """
    try:
        with transaction.atomic():
            job = _begin(file, bot, user)
            _shared(job, file)
            settings_store.forget()
            scenarios = {part.key: _scenario(job, part) for part in file.scenarios}
            for command in file.commands:
                _command(job, command, scenarios)
            for endpoint in file.endpoints:
                _endpoint(job, endpoint, scenarios)
            job.report.missing = [(part.key, need) for part in file.scenarios for need in needs.missing(part.definition, job.report.bot)]
            if publish:
                _publish(job, file, scenarios, note or _("Imported from a file"))
            transaction.set_rollback(check_only)
    finally:
        settings_store.forget()
        doing.forget()
    return job.report


def export_bot(bot: Bot, *, about: str = "") -> BotFile:
    """The bot's scenarios as they are edited, its endpoints, and the fields, constants and settings that they name. No secrets."""
    scenarios = list(bot.scenarios.select_related("published").order_by("key"))
    text = written([[scenario.draft for scenario in scenarios], list(bot.endpoints.values_list("url", flat=True))])
    words = set(WORD.findall(text))
    settings = InstanceSetting.objects.filter(key__in=SETTING.findall(text))
    return BotFile(
        about=about,
        bot=_part(BotPart, bot),
        client_fields=[_part(ClientFieldPart, row) for row in ClientField.objects.all() if row.key in words],
        constants=[_part(ConstantPart, row) for row in Constant.objects.filter(key__in=CONSTANT.findall(text))],
        instance_settings=[_part(SettingPart, row, value="" if row.is_secret else row.value) for row in settings],
        scenarios=[_part(ScenarioPart, row, definition=row.draft, publish=row.published is not None) for row in scenarios],
        commands=[
            _part(CommandPart, row, scenario=row.scenario.key if row.scenario else None)
            for row in Command.objects.filter(bot=bot).select_related("scenario")
        ],
        endpoints=[
            _part(EndpointPart, row, scenario=row.scenario.key if row.scenario else None)
            for row in bot.endpoints.select_related("scenario").order_by("alias")
        ],
    )


def _part(kind: type[P], row: Model, **given: Any) -> P:
    return kind(**{name: given[name] if name in given else getattr(row, name) for name in kind.model_fields})


@dataclass(frozen=True)
class _Job:
    report: Report
    user: User | None

    def keep(self, label: str, key: str, row: Model, values: dict[str, Any]) -> None:
        """Write what differs and note what came of it."""
        new = row.pk is None
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        for name in differing:
            setattr(row, name, values[name])
        if new or differing:
            row._history_user = self.user  # type: ignore[attr-defined]  # noqa: SLF001  simple-history's own way in
            row.save()
        self.report.rows.append((label, key, "created" if new else "changed" if differing else "matched"))


def _begin(file: BotFile, bot: Bot | None, user: User | None) -> _Job:
    if bot is not None:
        return _Job(Report(bot), user)
    found = list(Bot.objects.filter(name=file.bot.name)[:2])
    if len(found) > 1:
        raise BotFileError([_("Several bots are called “%(name)s”. Say which one is meant.") % {"name": file.bot.name}])
    job = _Job(Report(found[0] if found else Bot(name=file.bot.name)), user)
    job.keep("bot", file.bot.name, job.report.bot, file.bot.model_dump())
    return job


def _shared(job: _Job, file: BotFile) -> None:
    """What belongs to the installation: client fields, constants, settings."""
    for declared in file.client_fields:
        _client_field(job, declared)
    for constant in file.constants:
        job.keep("constant", constant.key, Constant.objects.filter(key=constant.key).first() or Constant(), constant.model_dump())
    for setting in file.instance_settings:
        _setting(job, setting)


def _client_field(job: _Job, part: ClientFieldPart) -> None:
    row = ClientField.objects.filter(key=part.key).first() or ClientField()
    if row.pk and (row.type != part.type or (row.is_private and not part.is_private)):
        message = _("The client field “%(key)s” exists with another type or as personal data. Change it in the admin or in the file.")
        raise BotFileError([message % {"key": part.key}])
    becomes_private = bool(row.pk) and part.is_private and not row.is_private
    job.keep("client field", part.key, row, part.model_dump(mode="json"))
    if becomes_private:
        reclassify(row)


def _setting(job: _Job, part: SettingPart) -> None:
    """An existing setting keeps its value and never becomes less secret."""
    row = InstanceSetting.objects.filter(key=part.key).first()
    values = part.model_dump()
    if row is not None:
        values |= {
            "value": row.value or part.value,
            "is_secret": row.is_secret or part.is_secret,
            "description": row.description or part.description,
        }
    row = row or InstanceSetting()
    job.keep("instance setting", part.key, row, values)
    if not row.value:
        job.report.to_enter.append(part.key)


def _scenario(job: _Job, part: ScenarioPart) -> Scenario:
    row = Scenario.objects.filter(bot=job.report.bot, key=part.key).first() or Scenario(bot=job.report.bot)
    values = part.model_dump(exclude={"publish"})
    definition = values.pop("definition")
    if row.pk is None or row.draft != definition:
        values |= {"draft": definition, "draft_version": row.draft_version + (row.pk is not None)}
    job.keep("scenario", part.key, row, values)
    return row


def _command(job: _Job, part: CommandPart, scenarios: dict[str, Scenario]) -> None:
    """The row that shares a word with it, for people of the same language."""
    values = {**part.model_dump(mode="json"), "scenario": scenarios.get(part.scenario or "")}
    words = set(Command(words=part.words).listed)
    rows = Command.objects.filter(bot=job.report.bot, speaks=part.speaks)
    row = next((row for row in rows if words & set(row.listed)), None) or Command(bot=job.report.bot)
    checked = Command(pk=row.pk, bot=job.report.bot, **values)
    try:
        checked.clean_fields()
        checked.clean()
    except ValidationError as error:
        raise BotFileError([f"{part.key}: {message}" for message in error.messages]) from error
    job.keep("command", part.key, row, values)


def _endpoint(job: _Job, part: EndpointPart, scenarios: dict[str, Scenario]) -> None:
    # The relation leads to the model without importing its app, which stands above this one.
    rows = job.report.bot.endpoints
    row = rows.filter(alias=part.alias).first() or rows.model(bot=job.report.bot)
    job.keep("endpoint", part.alias, row, {**part.model_dump(), "scenario": scenarios.get(part.scenario or "")})


def _publish(job: _Job, file: BotFile, scenarios: dict[str, Scenario], note: str) -> None:
    """Publish what differs from the published version; all problems of all scenarios are told together."""
    problems: list[str] = []
    for part in file.scenarios:
        row = scenarios[part.key]
        if not part.publish or (row.published and row.published.logic_hash == logic_hash(row.draft)):
            continue
        try:
            publishing.publish(row, user=job.user, note=note)
            job.report.published.append(part.key)
        except publishing.PublishingRefusedError as error:
            problems += [f"{part.key}: {problem.message}" for problem in error.problems]
    if problems:
        raise BotFileError(problems)
