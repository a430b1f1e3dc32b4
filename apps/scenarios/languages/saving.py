"""Translations into the stored draft: cell by cell, so that translators and authors who work at once lose nothing of each other's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from apps.accounts.models import User
from apps.scenarios import loose, publishing
from apps.scenarios.languages import texts
from apps.scenarios.languages.exchange import Loaded
from apps.scenarios.languages.texts import Applied
from apps.scenarios.models import Scenario


@dataclass(frozen=True)
class Cell:
    """An edited cell: what it held when the page was opened, and what it holds now."""

    key: str
    language: str
    was: str
    now: str


def save_cells(scenario: Scenario, cells: Iterable[Cell], *, user: User | None) -> tuple[Applied, list[Cell]]:
    """Write what was changed into the draft as it stands. Cells that somebody else has changed meanwhile are left as they are and given back."""
    changed = [cell for cell in cells if cell.now != cell.was]
    with transaction.atomic():
        current = Scenario.objects.select_for_update().get(pk=scenario.pk)
        stored = {line.key: line.texts for line in texts.lines(current.draft)}
        lost = [cell for cell in changed if stored.get(cell.key, {}).get(cell.language, "") not in {cell.was, cell.now}]
        kept = [cell for cell in changed if cell not in lost]
        base = loose.languages(current.draft)[0]
        given = [(cell.key, {cell.language: cell.now}) for cell in kept]
        applied = _store(current, given, base=base, take_base=True, languages={cell.language for cell in kept}, user=user)
    return applied, lost


def save_file(scenario: Scenario, loaded: Loaded, *, take_base: bool, user: User | None) -> Applied:
    """Write a translator's file into the draft as it stands."""
    with transaction.atomic():
        current = Scenario.objects.select_for_update().get(pk=scenario.pk)
        base = loose.languages(current.draft)[0]
        return _store(current, loaded.texts, base=base, take_base=take_base, languages=loaded.languages, user=user)


def _store(
    current: Scenario,
    given: Iterable[tuple[str, Mapping[str, str]]],
    *,
    base: str,
    take_base: bool,
    languages: Iterable[str],
    user: User | None,
) -> Applied:
    applied = texts.apply(current.draft, given, base=base, take_base=take_base, languages=sorted(languages))
    if applied.definition != current.draft:
        publishing.save_draft(current, applied.definition, based_on=current.draft_version, user=user)
    return applied
