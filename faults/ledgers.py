"""The ledgers: lines that the emulators append before they answer, and what the driver wrote down about its own requests."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
MESSAGE_METHODS = frozenset({"sendMessage"})


@dataclass(frozen=True)
class Sent:
    """A message that the messenger accepted at `time` (seconds, wall clock)."""

    time: float
    bot: int
    chat: int
    text: str
    message_id: int
    buttons: dict[str, str]


def lines(path: Path) -> Iterator[Json]:
    """Every complete line."""
    if path.exists():
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                if line.endswith("\n"):
                    yield json.loads(line)


@dataclass
class Messenger:
    """What the messenger has accepted so far, by bot and chat; `look` reads what was added. Safe to use from two threads."""

    path: Path
    by_chat: dict[tuple[int, int], list[Sent]] = field(default_factory=dict)
    _position: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> None:
        with self._lock:
            if not self.path.exists():
                return
            with self.path.open("rb") as stream:
                stream.seek(self._position)
                added = stream.read()
            whole = added.rpartition(b"\n")[0]
            if not whole:
                return
            self._position += len(whole) + 1
            for line in whole.split(b"\n"):
                self._take(json.loads(line))

    def _take(self, row: Json) -> None:
        if row["method"] in MESSAGE_METHODS and row.get("chat_id"):
            keyboard = _tree(row["params"].get("reply_markup")).get("inline_keyboard", [])
            buttons = {button["text"]: button.get("callback_data", "") for line in keyboard for button in line}
            sent = Sent(row["time"], row["bot"], row["chat_id"], row["params"].get("text", ""), row["message_ids"][0], buttons)
            self.by_chat.setdefault((sent.bot, sent.chat), []).append(sent)

    def of(self, bot: int, chat: int) -> list[Sent]:
        return list(self.by_chat.get((bot, chat), ()))

    def of_bots(self, bots: set[int]) -> list[Sent]:
        """All of these bots, by time."""
        found = [sent for (bot, _chat), rows in list(self.by_chat.items()) if bot in bots for sent in list(rows)]
        return sorted(found, key=lambda sent: sent.time)


def _tree(value: Any) -> Json:
    parsed = json.loads(value) if isinstance(value, str) and value else value
    return parsed if isinstance(parsed, dict) else {}
