"""Draws a scenario block by block: distinct ids, edges, places on the canvas, and notes for what has no counterpart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.naming import Distinct, slug
from apps.scenarios.importer import Drawn, Line, Verdict

STEP_Y = 160
LONGEST_NOTE = 2_000
OWN_EXITS = ("ok", "no_match", "attempts", "timeout", "cancelled", "next", "other", "else")


@dataclass
class Section:
    """A section while it is drawn.

    `end`: the block where its loose ends lead, made when one is needed. `outputs`: other ways to end when it is called, each with its block.
    """

    id: str
    name: str
    nodes: list[Json] = field(default_factory=list)
    note: str = ""
    end: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Drawing:
    """One scenario. `scenario` is the name under which its lines are reported."""

    scenario: str
    language: str = "en"
    languages: tuple[str, ...] = ()
    sections: list[Section] = field(default_factory=list)
    triggers: list[Json] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    policies: Json = field(default_factory=dict)
    quiet: bool = False  # while something is drawn that was reported already
    _ids: Distinct = field(default_factory=Distinct)

    def section(self, name: str, *, key: str = "") -> Section:
        found = Section(self._ids(slug(key or name, sign="-", empty="section")), name[:200])
        self.sections.append(found)
        return found

    def node(
        self,
        section: Section,
        kind: str,
        params: Mapping[str, Any] | None = None,
        *,
        title: str = "",
        place: tuple[float, float] | None = None,
    ) -> Json:
        """A new block at the end of the section; connect it by `join`."""
        found: Json = {"id": self._ids(slug(title, sign="-", empty=kind)), "kind": kind, "params": dict(params or {}), "exits": {}}
        if title:
            found["title"] = title[:200]
        section.nodes.append(found)
        x, y = place or self._next_place(section)
        self.places[found["id"]] = [round(x), round(y)]
        return found

    def _next_place(self, section: Section) -> tuple[float, float]:
        """Under the block before."""
        before = self.places.get(section.nodes[-2]["id"]) if len(section.nodes) > 1 else None
        return (before[0], before[1] + STEP_Y) if before else (0, 0)

    def ended(self, section: Section) -> str:
        """Where a way ends that must lead somewhere: the end of the scenario, or back to the section that called this one."""
        if not section.end:
            first = section is self.sections[0]
            node = self.node(section, "end" if first else "exit", {} if first else {"mode": "return"})
            section.end = node["id"]
        return section.end

    def ended_by(self, section: Section, output: str) -> str:
        """Where such a way ends: back to the caller by the output of this name; the end of the scenario where nothing calls."""
        if output not in section.outputs:
            return self.ended(section)
        if not section.outputs[output]:
            section.outputs[output] = self.node(section, "exit", {"mode": "return", "output": output})["id"]
        return section.outputs[output]

    def tell(
        self, place: str, what: str, verdict: Verdict, message: str = "", *, node: Json | None = None, section: Section | None = None
    ) -> None:
        """Report; what did not come over exactly is noted as well: on its block, or on the section when it became none."""
        if not self.quiet:
            self.lines.append(Line(self.scenario, place, what, verdict, message))
        if verdict == "exact":
            return
        note = f"{what}: {message}" if message else what
        if node is not None:
            node["note"] = _noted(node.get("note", ""), note)
        elif section is not None:
            section.note = _noted(section.note, f"{place}: {note}")

    def drawn(self, *, key: str, description: str = "") -> Drawn:
        sections = [
            _tidy(
                {
                    "id": section.id,
                    "name": section.name,
                    "note": section.note,
                    "outputs": [{"name": name} for name in section.outputs],
                    "nodes": [_tidy(node) for node in section.nodes],
                }
            )
            for section in self.sections
        ]
        definition: Json = {
            "schema_version": 1,
            "name": self.scenario[:200],
            "default_language": self.language,
            "sections": sections,
        }
        if len(self.languages) > 1:
            definition["languages"] = list(self.languages)
        if self.policies:
            definition["policies"] = self.policies
        if self.triggers:
            definition["triggers"] = self.triggers
        return Drawn(key=key, name=self.scenario[:200], definition=definition, layout={"nodes": self.places}, description=description)


def join(node: Json, taken: str, target: str) -> None:
    """Connect an exit; an empty target leaves it open."""
    if target:
        node["exits"][taken] = target


def differing(lost: Sequence[str], near: str = "") -> str:
    """What is told of a block that is not the same: how it differs, and what was lost on the way; "" when it is exact."""
    return "; ".join(filter(None, (near, *dict.fromkeys(lost))))


def _noted(before: str, note: str) -> str:
    return "\n".join(filter(None, (before, note)))[:LONGEST_NOTE]


def _tidy(node: Json) -> Json:
    return {name: value for name, value in node.items() if value not in ({}, [], "")}


def translated(base: str, others: Mapping[str, str], *, language: str) -> str | Json:
    """A text for a definition: the bare text when there is one language."""
    given = {code: text for code, text in others.items() if text and code != language}
    return {language: base, **given} if given else base


def choices(labels: Sequence[str | Json], *, language: str) -> list[Json]:
    """Choices with distinct ids made from their labels; empty and repeated labels are left out."""
    ids, seen, found = Distinct(), set(), []
    for taken in OWN_EXITS:
        ids(taken)
    for label in labels:
        shown = label if isinstance(label, str) else str(label.get(language, ""))
        if shown.strip() and shown not in seen:
            seen.add(shown)
            found.append({"id": ids(slug(shown, sign="-", empty="choice")), "label": label})
    return found
