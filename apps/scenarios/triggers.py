"""What starts a scenario without an endpoint: words, deep links, any message, internal events. Matched in memory over a small table."""

from dataclasses import dataclass

from apps.core.cached import CachedTable
from apps.scenarios.models import Trigger


@dataclass(frozen=True)
class Found:
    """A trigger that matched, and why: for the trace ("Why did this start?")."""

    scenario_id: int
    version_id: int
    entry: str
    reason: str


def _load() -> dict[int, list[Trigger]]:
    by_bot: dict[int, list[Trigger]] = {}
    rows = Trigger.objects.filter(scenario__is_active=True, scenario__published__isnull=False).select_related("scenario")
    for trigger in rows.order_by("position", "id"):
        by_bot.setdefault(trigger.bot_id, []).append(trigger)
    return by_bot


_table: CachedTable[dict[int, list[Trigger]]] = CachedTable(lambda: Trigger, _load)


def by_keyword(bot_id: int, text: str, *, language: str = "") -> Found | None:
    """The first trigger whose word this message is (or begins with, or contains)."""
    said = " ".join(text.casefold().split())
    for trigger in _of(bot_id, "keyword"):
        word = " ".join(trigger.pattern.casefold().split())
        if (not trigger.language or trigger.language == language) and word and _fits(trigger.match, word=word, said=said):
            return _found(trigger, f"keyword “{trigger.pattern}”")
    return None


def by_deep_link(bot_id: int, payload: str) -> Found | None:
    for trigger in _of(bot_id, "deep_link"):
        if _fits(trigger.match, word=trigger.pattern, said=payload):
            return _found(trigger, f"deep link “{trigger.pattern}”")
    return None


def by_any_message(bot_id: int) -> Found | None:
    return next((_found(trigger, "any message") for trigger in _of(bot_id, "any_message")), None)


def by_event(bot_id: int, name: str) -> list[Found]:
    """Every scenario that listens to this internal event."""
    return [_found(trigger, f"event “{name}”") for trigger in _of(bot_id, "event") if trigger.pattern == name]


def event_names() -> dict[int, frozenset[str]]:
    """By the bot's id, the internal events to which published scenarios listen; bots without any are left out."""
    found = {bot_id: frozenset(trigger.pattern for trigger in rows if trigger.kind == "event") for bot_id, rows in _table.get().items()}
    return {bot_id: names for bot_id, names in found.items() if names}


def forget() -> None:
    """After a publication in this process."""
    _table.forget()


def _of(bot_id: int, kind: str) -> list[Trigger]:
    return [trigger for trigger in _table.get().get(bot_id, []) if trigger.kind == kind]


def _fits(match: str, *, word: str, said: str) -> bool:
    match match:
        case "prefix":
            return said.startswith(word)
        case "contains":
            return word in said
        case _:
            return said == word


def _found(trigger: Trigger, reason: str) -> Found:
    return Found(scenario_id=trigger.scenario_id, version_id=trigger.scenario.published_id or 0, entry=trigger.entry, reason=reason)
