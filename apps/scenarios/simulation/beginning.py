"""How a simulated chat begins by what a person writes: by the scenario's own triggers, in the order in which the product asks them. Pure.

Other scenarios and the bot's global commands are not asked: a simulation knows one definition.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.scenarios.engine.contract import Start
from apps.scenarios.engine.flow import Flow
from apps.scenarios.matching import Rank, heard, rank, speaks

OPENING = "/start"


@dataclass(frozen=True)
class Begun:
    """`reason` is told as the trace tells it."""

    start: Start
    reason: str


def by_keyword(flow: Flow, text: str, *, language: str) -> Begun | None:
    """The word that fits most exactly; of two alike one for the person's language, then the one that stands first."""
    fitting = list(_fitting(flow, heard(text), language))
    if not fitting:
        return None
    _rank, _all, _place, word, trigger = min(fitting, key=lambda one: one[:3])
    return _begun(trigger, text, f"keyword “{word}”")


def by_opening(flow: Flow, text: str, *, first: bool) -> Begun | None:
    """What takes a message that is no keyword: a deep link's payload, the opening of the chat, then whatever takes any message."""
    command, _space, payload = text.strip().partition(" ")
    opens = command == OPENING
    if opens and payload:
        fitting = [
            (found, place, trigger)
            for place, trigger in enumerate(_of(flow, "deep_link"))
            if (found := rank(trigger.match, word=trigger.payload, said=payload.strip()))
        ]
        if fitting:
            _rank, _place, trigger = min(fitting, key=lambda one: one[:2])
            return _begun(trigger, text, f"deep link “{trigger.payload}”")
    kinds = ("new_chat", "any_message") if first or opens else ("any_message",)
    return next((_begun(trigger, text, kind.replace("_", " ")) for kind in kinds for trigger in _of(flow, kind)), None)


def _fitting(flow: Flow, said: str, language: str) -> Iterator[tuple[Rank, bool, int, str, Any]]:
    for place, trigger in enumerate(_of(flow, "keyword")):
        for word in trigger.words if speaks(language, trigger.language or "") else ():
            if heard(word) and (found := rank(trigger.match, word=heard(word), said=said)):
                yield found, not trigger.language, place, word, trigger


def _of(flow: Flow, kind: str) -> list[Any]:
    return [trigger for trigger in flow.definition.triggers if trigger.kind == kind]


def _begun(trigger: Any, text: str, reason: str) -> Begun:
    return Begun(Start(entry=trigger.entry or None, section=None, params={}, user_input=text), reason)
