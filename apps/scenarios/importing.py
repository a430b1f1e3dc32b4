"""Files of other systems brought in: read strictly, recognised, drawn as drafts, checked. Used by the admin and by `manage.py import_scenarios`."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from apps.bots.models import Bot
from apps.core import strictjson
from apps.core.models import Constant
from apps.core.registry import Registry
from apps.identity.models import ClientField
from apps.scenarios import publishing
from apps.scenarios.botfile import BotFile, BotPart, ClientFieldPart, ConstantPart, ScenarioPart
from apps.scenarios.engine.contract import Problem
from apps.scenarios.foreign.naming import Distinct
from apps.scenarios.importer import Drawn, ForeignFileError, Imported, Importer
from apps.scenarios.models import Scenario

MAX_BYTES = 10 * 1024 * 1024

importers: Registry[Importer] = Registry("apps.scenarios.importers", Importer)


@dataclass
class Converted:
    """A file in our form: what came of it, the bot's file that brings it in, and the problems of each draft by its key.

    `matched`: attributes and constants that the installation has already, so that they are no part of `file`. Drafts for whose check no
    time was left have no entry in `problems`.
    """

    importer: Importer
    imported: Imported
    file: BotFile
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    matched: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return sum(problem.level == "error" for found in self.problems.values() for problem in found)


def read(path: Path) -> bytes:
    """The file's bytes; raises `ForeignFileError`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ForeignFileError(_("The file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024 // 1024})
        return path.read_bytes()
    except OSError as error:
        raise ForeignFileError(_("The file %(path)s cannot be read: %(why)s.") % {"path": path, "why": error.strerror}) from error


def convert(body: bytes, *, bot: Bot, kind: str = "", seconds: float = math.inf) -> Converted:
    """What a file would become as drafts of the bot; nothing is stored. `kind`: the format; recognised when it is not given.
    `seconds`: how long the drafts are checked; those left over are checked when they are opened. Raises `ForeignFileError`.
    """
    try:
        data = strictjson.loads(body, max_bytes=MAX_BYTES)
    except strictjson.StrictJsonError as error:
        raise ForeignFileError(_("The file is no JSON that can be read: %(why)s") % {"why": error.reason}) from error
    importer = _importer(data, kind)
    found = _converted(importer, importer.convert(data), bot)
    until = time.monotonic() + seconds
    for part in found.file.scenarios:
        if time.monotonic() >= until:
            break
        found.problems[part.key] = publishing.check(part.definition, bot=bot)
    return found


def _importer(data: Any, kind: str) -> Importer:
    if kind:
        if kind not in importers:
            raise ForeignFileError(
                _("There is no format “%(kind)s”. Use one of: %(known)s.") % {"kind": kind, "known": ", ".join(importers)}
            )
        return importers[kind]
    found = next((importer for importer in importers.values() if importer.recognises(data)), None)
    if found is None:
        known = ", ".join(str(importer.label) for importer in importers.values())
        raise ForeignFileError(
            _("The file is of none of the formats that can be imported: %(known)s. A bot's own file has an import of its own.")
            % {"known": known}
        )
    return found


def _converted(importer: Importer, imported: Imported, bot: Bot) -> Converted:
    """Drafts under keys that are free in the bot; attributes and constants that the installation does not know yet."""
    free = Distinct()
    for key in Scenario.objects.filter(bot=bot).values_list("key", flat=True):
        free(key)
    declared = set(ClientField.objects.filter(key__in=imported.fields).values_list("key", flat=True))
    constants = set(Constant.objects.filter(key__in=imported.constants).values_list("key", flat=True))
    file = BotFile(
        bot=BotPart(name=bot.name),
        client_fields=[
            ClientFieldPart(key=key, label=label[:100] or key, type=ClientField.Type(kind))
            for key, (label, kind) in imported.fields.items()
            if key not in declared
        ],
        constants=[ConstantPart(key=key, value=value) for key, value in imported.constants.items() if key not in constants],
        scenarios=[_part(drawn, free(drawn.key)) for drawn in imported.scenarios],
    )
    return Converted(importer, imported, file, matched=[*sorted(declared), *(f"constants.{key}" for key in sorted(constants))])


def _part(drawn: Drawn, key: str) -> ScenarioPart:
    return ScenarioPart(
        key=key,
        name=drawn.name or key,
        description=drawn.description,
        publish=False,
        definition=drawn.definition,
        layout=drawn.layout,
    )
