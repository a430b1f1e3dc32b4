"""Append-only record of calls, one JSON object a line, complete on disk before the caller gets its answer."""

import json
import os
import time
from pathlib import Path
from typing import Any


class Ledger:
    """Lines `{"time", "bot", "method", "chat_id", "message_ids", "params"}`; `time` is the wall clock in seconds.

    Without a path the lines are kept in `entries` only. A token is never written: `bot` is the bot's id.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if path else None

    def write(self, *, bot: int, method: str, params: dict[str, Any], **details: object) -> None:
        """Append one line and count it under its method."""
        entry = {"time": time.time(), "bot": bot, "method": method, **details, "params": params}
        self.counts[method] = self.counts.get(method, 0) + 1
        if self._file is None:
            self.entries.append(entry)
        else:
            os.write(self._file, json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    def close(self) -> None:
        """Close the file; later writes stay in memory."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
