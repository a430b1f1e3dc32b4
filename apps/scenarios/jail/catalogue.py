"""The published custom actions, by the name that Action blocks use; at once in this process, within half a second in the others."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.core.cached import CachedTable
from apps.scenarios.action import Action
from apps.scenarios.jail.acting import CustomScript
from apps.scenarios.jail.models import CustomAction, CustomActionVersion


def _load() -> dict[str, CustomScript]:
    rows = CustomAction.objects.filter(published__isnull=False, is_active=True).values_list("published_id", flat=True)
    versions = CustomActionVersion.objects.filter(pk__in=rows).select_related("action")
    return {version.action.key: CustomScript(version) for version in versions.order_by("action__key")}


_published: CachedTable[dict[str, CustomScript]] = CachedTable(lambda: CustomAction, _load)


def forget() -> None:
    """After a publication in this process."""
    _published.forget()


class ActionsOfBot(Mapping[str, Action[Any]]):
    """The actions that scenarios of one bot may use: those of the folder, then the custom ones of this bot and of all bots. Always as they stand
    now, however long somebody holds it.
    """

    def __init__(self, kinds: Mapping[str, Action[Any]], bot_id: int | None) -> None:
        self._kinds, self._bot_id = kinds, bot_id

    def __getitem__(self, kind: str) -> Action[Any]:
        if kind in self._kinds:
            return self._kinds[kind]
        found = _published.get()[kind]
        if found.bot_id not in (None, self._bot_id):
            raise KeyError(kind)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._kinds
        custom = _published.get()
        yield from (kind for kind, action in custom.items() if action.bot_id in (None, self._bot_id) and kind not in self._kinds)

    def __len__(self) -> int:
        return sum(1 for _kind in self)
