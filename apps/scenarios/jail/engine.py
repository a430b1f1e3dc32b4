"""The contract of a script engine: one class in one file of `engines/`. It is used inside the jail's child only, so nothing of Django here.

An engine only evaluates text. Calls to the host, logs and results pass through `prelude.js` as JSON text, so that no object of ours is ever
within reach of a script.
"""

import json
import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from apps.scenarios.jail.limits import Limits

PREFIX = '__jail.run(async () => {"use strict"; '  # on the script's own first line, so that its lines keep their numbers
SUFFIX = "\n})"


class StoppedError(Exception):
    """The engine stopped the script at a limit: "cpu" or "memory"."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class UnreadableError(Exception):
    """The script is not JavaScript. `line` and `column` count from 1 as in the author's text; 0 = not known."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


class Context(ABC):
    """One fresh world for one script. Every call takes the seconds that it may compute; raises `StoppedError`."""

    @abstractmethod
    def begin(self, data: str, code: str, *, seconds: float) -> str:
        """Start the author's `code` with `data` (JSON of its input); what `__jail.take()` gives. Raises `UnreadableError`."""

    @abstractmethod
    def settle(self, reply: str, *, seconds: float) -> str:
        """Hand in the host's reply (JSON) and go on; what `__jail.take()` gives."""

    @abstractmethod
    def close(self) -> None:
        """Free everything."""


class Engine(ABC):
    """A kind of engine. `frame` finds a line and a column of the author's text in a stack trace (groups 1 and 2); `lead` is what the engine
    puts before `PREFIX`.

    `threads`: the engine needs threads of its own. `address_space`: its memory may be bounded by the size of the address space.
    """

    kind: ClassVar[str]
    label: ClassVar[Any]
    frame: ClassVar[re.Pattern[str]]
    lead: ClassVar[str] = ""
    threads: ClassVar[bool] = False
    address_space: ClassVar[bool] = True

    @abstractmethod
    def load(self, prelude: str) -> None:
        """Import the library and warm it up; the last moment at which files can be opened."""

    @abstractmethod
    def open(self, limits: Limits) -> Context:
        """A fresh context in which `prelude` has run."""

    def crashed(self, signal: int) -> str:  # noqa: ARG002
        """The limit that a death by this signal means for this engine; "" when it means nothing in particular."""
        return ""


def place_of(frame: re.Pattern[str], lead: str, stack: str) -> tuple[int, int]:
    """Line and column in the author's text of the innermost frame that lies in it; zeros when none does."""
    for found in frame.finditer(stack):
        line, column = int(found[1]), int(found[2])
        if line > 1:
            return line, column
        if column > len(lead + PREFIX):
            return line, column - len(lead + PREFIX)
    return 0, 0


def literal(data: str) -> str:
    """JSON text as a JavaScript string, so that the engine's own JSON reader reads it: keys such as __proto__ stay plain keys."""
    return json.dumps(data)
