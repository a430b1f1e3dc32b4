"""What the triggers of a definition would meet in this installation: words that start something else, dates that cannot be found."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from apps.identity.attributes import client_fields, private_keys
from apps.identity.models import ClientField
from apps.scenarios.commands.models import Command
from apps.scenarios.engine.contract import Problem
from apps.scenarios.matching import heard
from apps.scenarios.models import Trigger

Json = dict[str, Any]


def problems(definition: Any, *, bot_id: int, own: int | None) -> Iterator[Problem]:
    """Of a draft that may be anything. `own` is the scenario's id: its published triggers give way to these."""
    declared = definition.get("triggers") if isinstance(definition, dict) else None
    rows = [(place, row) for place, row in enumerate(declared if isinstance(declared, list) else []) if isinstance(row, dict)]
    for place, row in rows:
        if row.get("kind") == "date" and isinstance(row.get("attribute"), str):
            yield from _date_problems(place, row["attribute"])
    words = {(place, word): row for place, row in rows if row.get("kind") == "keyword" for word in _words(row)}
    if words:
        yield from _word_problems(words, bot_id=bot_id, own=own)


def _date_problems(place: int, name: str) -> Iterator[Problem]:
    """Personal data are encrypted, so that nobody can be found by a date among them; what is no date field may hold any text."""
    field = f"triggers.{place}.attribute"
    if name in private_keys():
        message = _("“%(name)s” is personal data and stored encrypted, so nobody can be found by it. Keep the date in another attribute.")
        yield Problem("error", "private_date", message % {"name": name}, field=field)
        return
    known = client_fields().get(name)
    if known is None or known.type != ClientField.Type.DATE:
        message = _(
            "“%(name)s” is no client field of the type date, so only values written as 2026-11-26 are found. Declare it under Client fields."
        )
        yield Problem("warning", "undeclared_date", message % {"name": name}, field=field)


def _word_problems(words: dict[tuple[int, str], Json], *, bot_id: int, own: int | None) -> Iterator[Problem]:
    commands = {word: command for command in Command.objects.filter(bot_id=bot_id, is_active=True) for word in command.listed}
    others = Trigger.objects.filter(bot_id=bot_id, kind="keyword").exclude(scenario_id=own or 0).select_related("scenario")
    taken: dict[str, list[Trigger]] = {}
    for trigger in others:
        taken.setdefault(heard(trigger.pattern), []).append(trigger)
    for (place, word), row in words.items():
        language = str(row.get("language") or "")
        other = next((one for one in taken.get(heard(word), ()) if one.language == language), None)
        if heard(word) in commands:
            message = _("“%(word)s” is a global command of the bot, which comes first. Choose another word or change the command.")
            yield Problem("warning", "command_word", message % {"word": word}, field=f"triggers.{place}.words")
        elif other is not None:
            message = _("“%(word)s” starts the scenario “%(name)s” as well, and only one of them will start. Choose another word.")
            yield Problem("warning", "same_word", message % {"word": word, "name": other.scenario.name}, field=f"triggers.{place}.words")


def _words(row: Json) -> list[str]:
    found = row.get("words")
    return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []
