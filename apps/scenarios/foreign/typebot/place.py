"""Where a block of Typebot stands, what it became, and how it is reported: shared by the files that make blocks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import Drawing, Section, differing
from apps.scenarios.foreign.reading import obj
from apps.scenarios.foreign.typebot.texts import Variables, rich
from apps.scenarios.importer import Verdict


@dataclass
class Place:
    """Where a block stands: drawing and section, its group's title, where it is drawn, the file's variables."""

    drawing: Drawing
    section: Section
    title: str
    at: tuple[float, float]
    known: Variables
    said: list[str] = field(default_factory=list)

    def node(self, kind: str, params: Json) -> Json:
        found = self.drawing.node(self.section, kind, params, title=self.title, place=self.at)
        self.at = (self.at[0], self.at[1] + 150)
        return found

    def tell(self, what: str, verdict: Verdict, message: str = "", *, node: Json | None = None) -> None:
        self.drawing.tell(self.title, what, verdict, message, node=node, section=self.section)


@dataclass
class Made:
    """A block of ours: where the way goes on (`onward`), and exits that an item of theirs leads out of (`ways`: exit → item)."""

    node: Json
    onward: tuple[str, ...] = ("next",)
    ways: dict[str, Json] = field(default_factory=dict)


Maker = Callable[[Place, Json], Made | None]


def done(place: Place, made: Made, what: str, lost: Sequence[str], near: str = "") -> Made:
    message = differing(lost, near)
    place.tell(what, "approximated" if message else "exact", message, node=made.node)
    return made


def says(place: Place, block: Json) -> Json:
    """Parameters of what a text block says, and the formulas that were lost on the way."""
    found = rich(obj(block.get("content")), place.known)
    place.said = found.lost
    return {"text": found.text, **({"format": "html"} if found.html else {})}
