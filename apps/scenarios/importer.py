"""The contract of an importer: one class in one file of `apps/scenarios/importers/` reads the files of one other system.

An importer draws scenarios in our form and says of everything that it met whether it came over exactly, nearly, or not at all. What has no
counterpart is kept as a note beside the block where it stood: nothing of the file is lost silently, and nothing of it is ever run.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from apps.scenarios.engine.contract import Json

Verdict = Literal["exact", "approximated", "unsupported"]


class ForeignFileError(Exception):
    """The file is not what the importer reads; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Line:
    """What became of one thing of the file: `scenario` and `place` as its author named them, `what` it was in the other system's words."""

    scenario: str
    place: str
    what: str
    verdict: Verdict
    message: str = ""


@dataclass
class Drawn:
    """A scenario as it was drawn: a definition in our form with its layout."""

    key: str
    name: str
    definition: Json
    layout: Json
    description: str = ""


@dataclass
class Imported:
    """`fields`: attributes of people that the file declares, as key → (label, type of a client field); `constants`: key → value."""

    scenarios: list[Drawn] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)

    def count(self, verdict: Verdict) -> int:
        return sum(line.verdict == verdict for line in self.lines)


class Importer(ABC):
    """Reads one format. Instances hold no state."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    words: ClassVar[Mapping[str, Any]] = {}  # what a line calls a thing of the file → what its authors know it by

    @abstractmethod
    def recognises(self, data: Any) -> bool:
        """Whether this parsed JSON looks like a file of this format. Never raises."""

    @abstractmethod
    def convert(self, data: Any) -> Imported:
        """What the file holds, in our form. Raises `ForeignFileError`, and nothing else, whatever the file is."""
