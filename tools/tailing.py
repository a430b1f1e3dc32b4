"""What of the programs' logs a person at the terminal should see: warnings and errors, each with the program's name."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

LEVEL = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|\[(warning|error|critical)\]", re.IGNORECASE)
LOUD = {"warning", "error", "critical"}
# True, and of no use to a person at the terminal: our number of threads is chosen (tools/programs.py), a health page that fails is read by whoever asks for it.
IGNORED = re.compile(r"Configuration allows spawning up to|Service Unavailable: /health/")
TRACEBACK = "Traceback (most recent call last):"


@dataclass
class Tail:
    """Reads what was added to one log since the last look."""

    name: str
    path: Path
    position: int = field(default=0, init=False)
    rest: str = field(default="", init=False)
    in_traceback: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.position = self.path.stat().st_size if self.path.exists() else 0

    def news(self) -> list[str]:
        """Lines worth showing. Of a traceback the last line is shown, the file has the whole."""
        *lines, self.rest = (self.rest + self._added()).split("\n")
        return [f"{self.name:>8} | {text}" for line in lines if (text := self._worth_showing(line))]

    def _added(self) -> str:
        if not self.path.exists():
            return ""
        size = self.path.stat().st_size
        if size < self.position:  # begun anew
            self.position = 0
        with self.path.open("rb") as stream:
            stream.seek(self.position)
            added = stream.read()
        self.position += len(added)
        return added.decode(errors="replace")

    def _worth_showing(self, line: str) -> str:
        if line.startswith(TRACEBACK):
            self.in_traceback = True
            return ""
        if self.in_traceback:
            self.in_traceback = not line.strip() or line[0].isspace()
            return "" if self.in_traceback else line
        if IGNORED.search(line):
            return ""
        if line.startswith("{"):
            return _from_json(line)
        return line if LEVEL.search(line) else ""


def _from_json(line: str) -> str:
    """A structured line as a short sentence; its trace id leads to the rest."""
    try:
        row = json.loads(line)
    except ValueError:
        return line if LEVEL.search(line) else ""
    level = str(row.get("level", "")).lower()
    if level not in LOUD or (
        level == "warning" and row.get("logger") == "django.request"
    ):  # the latter: a caller's mistake, told to the caller
        return ""
    details = " ".join(f"{key}={row[key]}" for key in ("error", "exc", "trace_id", "logger") if row.get(key))
    return f"{row['level']}: {row.get('event', '')} {details}".rstrip()
