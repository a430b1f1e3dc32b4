"""Whether the vendor's rates were kept, by the times at which the messenger accepted (delivery.md, contract 9)."""

from collections.abc import Iterator, Sequence

from faults.ledgers import Sent

BOT_PER_SECOND = 30
CHAT_BURST = 3  # then one a second


def exceeded(messages: Sequence[Sent]) -> Iterator[str]:
    """Complaints about any second of any bot with more than 30 messages, and about chats that got more than a short burst."""
    by_bot: dict[int, list[float]] = {}
    by_chat: dict[tuple[int, int], list[float]] = {}
    for sent in messages:
        by_bot.setdefault(sent.bot, []).append(sent.time)
        by_chat.setdefault((sent.bot, sent.chat), []).append(sent.time)
    for bot, times in by_bot.items():
        most = busiest(times, 1.0)
        if most > BOT_PER_SECOND:
            yield f"bot {bot}: {most} messages within a second"
    for (_bot, chat), times in by_chat.items():
        ahead = most_ahead(times)
        if ahead > CHAT_BURST + 0.2:
            yield f"chat {chat}: {ahead:.1f} messages ahead of one a second"


def busiest(times: Sequence[float], seconds: float) -> int:
    """The largest number within any window of that length."""
    ordered, first, most = sorted(times), 0, 0
    for place, moment in enumerate(ordered):
        while ordered[first] <= moment - seconds:
            first += 1
        most = max(most, place - first + 1)
    return most


def most_ahead(times: Sequence[float], *, interval: float = 1.0) -> float:
    """How many messages a chat was ahead of an even pace at most (a burst of three at once is 3)."""
    due, most = 0.0, 0.0
    for moment in sorted(times):
        due = max(due, moment) + interval
        most = max(most, (due - moment) / interval)
    return most
