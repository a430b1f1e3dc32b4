"""What starts a scenario without an endpoint: words, deep links, any message, internal events. Matched in memory over a small table."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from apps.core.cached import CachedTable
from apps.scenarios.matching import Rank, heard, is_slip, rank, speaks
from apps.scenarios.models import Trigger

MOST_OTHERS = 8
HOW = ("", ", the beginning of what was written", ", a part of what was written", ", written “%(said)s”")


@dataclass(frozen=True)
class Found:
    """A trigger that matched, and why: for the trace ("Why did this start?")."""

    scenario_id: int
    version_id: int
    entry: str
    reason: str
    trigger_id: int = 0


@dataclass(frozen=True)
class Heard:
    """What a person wrote, as it is compared with words, and their language (the bot's when theirs is not known)."""

    said: str
    language: str = ""

    @classmethod
    def of(cls, text: str, *, language: str = "", username: str = "") -> "Heard":
        return cls(heard(text, username=username), language)


def _load() -> dict[int, list[Trigger]]:
    by_bot: dict[int, list[Trigger]] = {}
    rows = Trigger.objects.filter(scenario__is_active=True, scenario__published__isnull=False).select_related("scenario")
    for trigger in rows.order_by("position", "id"):
        by_bot.setdefault(trigger.bot_id, []).append(trigger)
    return by_bot


_table: CachedTable[dict[int, list[Trigger]]] = CachedTable(lambda: Trigger, _load)


def by_keyword(bot_id: int, words: Heard) -> Found | None:
    """The trigger that fits most exactly: the whole text, its beginning, a part of it, a slip of the fingers; of two that fit alike one for the
    person's language, then the one that stands first.
    """
    fitting = [(found, not trigger.language, trigger) for trigger in _of(bot_id, "keyword") if (found := _rank(trigger, words))]
    if not fitting:
        return None
    (how, _off), _all, trigger = min(fitting, key=lambda one: one[:2])
    return _found(trigger, f"keyword “{trigger.pattern}”" + HOW[how] % {"said": words.said})


def by_deep_link(bot_id: int, payload: str) -> Found | None:
    fitting = [
        (found, trigger) for trigger in _of(bot_id, "deep_link") if (found := rank(trigger.match, word=trigger.pattern, said=payload))
    ]
    return _found(best, f"deep link “{best.pattern}”") if (best := min(fitting, key=lambda one: one[0])[1] if fitting else None) else None


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


def passed_over(bot_id: int, words: Heard, taken: Found | None) -> list[str]:
    """Why the bot's other keywords did not start anything, those that came nearest first: for the trace."""
    others = [trigger for trigger in _of(bot_id, "keyword") if words.said and not (taken and trigger.pk == taken.trigger_id)]
    told = sorted(((*_why_not(trigger, words), place) for place, trigger in enumerate(others)), key=lambda one: (one[0], one[2]))
    lines = [f"{line} (scenario {others[place].scenario.key})" for _near, line, place in told[:MOST_OTHERS]]
    return [*lines, *([f"and {len(told) - MOST_OTHERS} more keywords"] if len(told) > MOST_OTHERS else [])]


def renewed() -> bool:
    """Ask the database whether triggers were published since they were last read here; for whoever found none that fits."""
    return _table.renew()


def forget() -> None:
    """After a publication in this process."""
    _table.forget()


def _of(bot_id: int, kind: str) -> Iterator[Trigger]:
    return (trigger for trigger in _table.get().get(bot_id, []) if trigger.kind == kind)


@lru_cache(maxsize=4096)
def _word(pattern: str) -> str:
    return heard(pattern)


def _rank(trigger: Trigger, words: Heard) -> Rank | None:
    word = _word(trigger.pattern)
    return rank(trigger.match, word=word, said=words.said) if word and speaks(words.language, trigger.language) else None


def _why_not(trigger: Trigger, words: Heard) -> tuple[int, str]:
    """How near it was (the smaller the nearer), and the reason."""
    word = _word(trigger.pattern)
    fits = rank(trigger.match, word=word, said=words.said) if word else None
    if fits and not speaks(words.language, trigger.language):
        return 0, f"keyword “{trigger.pattern}” is for the language {trigger.language}, the person's is {words.language or 'not known'}"
    if fits:
        return 0, f"keyword “{trigger.pattern}” ({trigger.match}) fits too; another fits more exactly or stands before it"
    if trigger.match != "fuzzy" and is_slip(word, words.said):
        return 1, f"keyword “{trigger.pattern}” ({trigger.match}) forgives no slip of the fingers"
    return 2, f"keyword “{trigger.pattern}” ({trigger.match}) is not what was written"


def _found(trigger: Trigger, reason: str) -> Found:
    return Found(
        scenario_id=trigger.scenario_id,
        version_id=trigger.scenario.published_id or 0,
        entry=trigger.entry,
        reason=reason,
        trigger_id=trigger.pk,
    )
