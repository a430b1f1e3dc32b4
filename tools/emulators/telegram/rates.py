"""Telegram's published rates, enforced on request: 30 messages a second a bot, 1 a second a chat with a short burst, 20 a minute a group."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.emulators.telegram.refusals import flood
from tools.emulators.telegram.state import Bot

BOT_PER_SECOND = 30
CHAT_BURST = 3
CHAT_WINDOW = 3.0
GROUP_PER_MINUTE = 20
COUNTED = {
    "sendMessage",
    "sendPhoto",
    "sendVideo",
    "sendAudio",
    "sendVoice",
    "sendDocument",
    "sendAnimation",
    "sendVideoNote",
    "sendSticker",
    "sendMediaGroup",
    "sendLocation",
    "sendVenue",
    "sendContact",
}


@dataclass
class Rates:
    """Times of the accepted messages, and until when a bot is refused after it was too fast."""

    clock: Callable[[], float] = time.monotonic
    sent: dict[tuple[int, int], deque[float]] = field(default_factory=dict)
    refused_until: dict[int, float] = field(default_factory=dict)
    violations: int = 0

    def admit(self, bot: Bot, chat_id: int | None, method: str) -> None:
        """Refuse a message over a rate; count those that come although a refusal still holds."""
        if method not in COUNTED:
            return
        now = self.clock()
        if now < self.refused_until.get(bot.id, 0):
            self.violations += 1
            raise flood(max(1, round(self.refused_until[bot.id] - now)))
        windows = self.windows(chat_id or 0)
        if any(len(self.recent(bot.id, key, now - seconds)) >= limit for key, seconds, limit in windows):
            self.violations += 1
            self.refused_until[bot.id] = now + 1
            raise flood(1)
        for key, _, _ in windows:
            self.sent[bot.id, key].append(now)

    @staticmethod
    def windows(chat_id: int) -> list[tuple[int, float, int]]:
        """The limits of one message as (key, seconds, count); key 0 is the whole bot."""
        chat = (chat_id, 60.0, GROUP_PER_MINUTE) if chat_id < 0 else (chat_id, CHAT_WINDOW, CHAT_BURST)
        return [(0, 1.0, BOT_PER_SECOND), chat]

    def recent(self, bot: int, key: int, since: float) -> deque[float]:
        """Times after `since`."""
        times = self.sent.setdefault((bot, key), deque())
        while times and times[0] <= since:
            times.popleft()
        return times
