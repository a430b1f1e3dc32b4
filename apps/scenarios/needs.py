"""What a definition names that must be there: kinds of blocks, actions, files, tables, constants, settings. For files that come from elsewhere."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.bots.models import Bot
from apps.core.models import Constant, InstanceSetting, StoredFile
from apps.customdata.models import Table
from apps.scenarios import loose
from apps.scenarios.engine.plain import strings_in
from apps.scenarios.registry import actions_for, blocks

CONSTANT = re.compile(r"\bconstants\.([A-Za-z_][A-Za-z0-9_-]*)")
SETTING = re.compile(r"\binstance_settings\.([A-Za-z_][A-Za-z0-9_-]*)")
TABLE_ACTIONS = "custom_modules__"


@dataclass(frozen=True, order=True)
class Need:
    """`kind`: block, action, file, table, constant, setting; `key` as the definition names it."""

    kind: str
    key: str
    present: bool

    @property
    def label(self) -> str:
        return _LABELS[self.kind]()


_LABELS: dict[str, Callable[[], str]] = {
    "action": lambda: _("action"), "block": lambda: _("kind of block"), "constant": lambda: _("constant"), "file": lambda: _("file"),
    "setting": lambda: _("instance setting"), "table": lambda: _("model of custom data"),
}  # fmt: skip


def needs_of(definition: Any, bot: Bot | None) -> list[Need]:
    """Each once, sorted, with whether this installation (and this bot) has it."""
    wanted = sorted(set(_named(definition)))
    kinds = {kind for kind, _key in wanted}
    known = {kind: _known(kind, bot, {key for of, key in wanted if of == kind}) for kind in kinds}
    return [Need(kind, key, key in known[kind]) for kind, key in wanted]


def missing(definition: Any, bot: Bot | None) -> list[Need]:
    return [need for need in needs_of(definition, bot) if not need.present]


def _named(definition: Any) -> Iterator[tuple[str, str]]:
    for node in loose.nodes(definition):
        params = loose.params(node)
        yield "block", str(node.get("kind", ""))
        if node.get("kind") == "action" and isinstance(params.get("action"), str):
            yield "action", params["action"]
            yield from _table(params)
        media = params.get("media")
        yield from (
            ("file", str(item["file"]))
            for item in (media if isinstance(media, list) else ())
            if isinstance(item, dict) and item.get("file")
        )
    for _path, text in strings_in(definition):
        yield from (("constant", key) for key in CONSTANT.findall(text))
        yield from (("setting", key) for key in SETTING.findall(text))


def _table(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    inner = params.get("params")
    name = inner.get("model") if isinstance(inner, dict) else None
    if params["action"].startswith(TABLE_ACTIONS) and isinstance(name, str) and name and "{" not in name:
        yield "table", name


def _known(kind: str, bot: Bot | None, keys: Collection[str]) -> Collection[str]:
    match kind:
        case "block":
            return blocks.keys()
        case "action":
            return list(actions_for(bot.pk if bot else None))
        case "file":
            return set(StoredFile.objects.filter(key__in=keys).values_list("key", flat=True))
        case "constant":
            return set(Constant.objects.filter(key__in=keys).values_list("key", flat=True))
        case "setting":
            return set(InstanceSetting.objects.filter(key__in=keys).values_list("key", flat=True))
        case _:
            return set(Table.objects.filter(Q(bot=bot) | Q(bot=None), alias__in=keys).values_list("alias", flat=True))
