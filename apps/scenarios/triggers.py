"""What starts a scenario without an endpoint: words, deep links, any message, internal events. Matched in memory over a small table."""

from dataclasses import dataclass

from apps.core.cached import CachedTable
from apps.scenarios.models import Trigger

SHORT, LONG = 4, 8  # shorter words forgive nothing, longer ones two slips


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
    """The first trigger whose word this message is (or begins with, or contains); one that only nearly fits comes last."""
    said = " ".join(text.casefold().split())
    near: Found | None = None
    for trigger in _of(bot_id, "keyword"):
        word = " ".join(trigger.pattern.casefold().split())
        if not word or (trigger.language and trigger.language != language):
            continue
        if _fits(trigger.match, word=word, said=said):
            return _found(trigger, f"keyword “{trigger.pattern}”")
        if near is None and trigger.match == "fuzzy" and is_slip(word, said):
            near = _found(trigger, f"keyword “{trigger.pattern}”, written “{said}”")
    return near


def by_deep_link(bot_id: int, payload: str) -> Found | None:
    for trigger in _of(bot_id, "deep_link"):
        if _fits(trigger.match, word=trigger.pattern, said=payload):
            return _found(trigger, f"deep link “{trigger.pattern}”")
    return None


def by_any_message(bot_id: int) -> Found | None:
    return next((_found(trigger, "any message") for trigger in _of(bot_id, "any_message")), None)


def by_new_chat(bot_id: int) -> Found | None:
    return next((_found(trigger, "new chat") for trigger in _of(bot_id, "new_chat")), None)


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


def is_slip(word: str, said: str) -> bool:
    """Whether somebody meant `word`: one wrong, missing, doubled or swapped letter, two in words of eight letters and more."""
    allowed = 0 if len(word) < SHORT else 1 if len(word) < LONG else 2
    if not allowed or abs(len(word) - len(said)) > allowed:
        return False
    return _distance(word, said) <= allowed


def _distance(first: str, second: str) -> int:
    """Letters to change, add, drop or swap with their neighbour (the restricted Damerau-Levenshtein distance)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, 1):
        earlier, before, row = before, row, [place]
        for column, other in enumerate(second, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != other))
            if place > 1 and column > 1 and letter == second[column - 2] and first[place - 2] == other:
                cost = min(cost, earlier[column - 2] + 1)
            row.append(cost)
    return row[-1]


def _found(trigger: Trigger, reason: str) -> Found:
    return Found(scenario_id=trigger.scenario_id, version_id=trigger.scenario.published_id or 0, entry=trigger.entry, reason=reason)
