"""What the loopback messenger wrote down: when the message of each request arrived."""

import json
import re
from pathlib import Path

NUMBER = re.compile(r"#(\d+)")


class Arrivals:
    """Reads the ledger as it grows. `at` is the wall clock of a request's first message, `times` how often its message came."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self.at: dict[int, float] = {}
        self.times: dict[int, int] = {}
        self._read = 0
        self._rest = b""

    def look(self) -> int:
        """Take in what is new; how many requests have had their message."""
        with self.ledger.open("rb") as file:
            file.seek(self._read)
            grown = file.read()
        self._read += len(grown)
        *lines, self._rest = (self._rest + grown).split(b"\n")
        for line in lines:
            self._note(json.loads(line))
        return len(self.at)

    def _note(self, entry: dict[str, object]) -> None:
        params = entry["params"]
        found = NUMBER.search(str(params.get("text", ""))) if isinstance(params, dict) else None
        if found:
            number = int(found[1])
            self.at.setdefault(number, float(str(entry["time"])))
            self.times[number] = self.times.get(number, 0) + 1

    def of(self, first: int, count: int) -> int:
        """How many of these requests have had their message."""
        self.look()
        return sum(number in self.at for number in range(first, first + count))
