"""A Typebot file as one section: its groups block by block, then the edges between them."""

from dataclasses import dataclass, field

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import Drawing, Section, join
from apps.scenarios.foreign.reading import number, obj, objects, text
from apps.scenarios.foreign.typebot import blocks
from apps.scenarios.foreign.typebot.blocks import Made, Place
from apps.scenarios.foreign.typebot.texts import Variables, option

STEP_Y = 150


@dataclass(frozen=True)
class Target:
    """Where a way leads: a group of theirs, or one of its blocks."""

    group: str = ""
    block: str = ""


@dataclass
class Bot:
    drawing: Drawing
    section: Section
    data: Json
    known: Variables
    loose: list[tuple[Json, str, Target]] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    passed: dict[str, Target] = field(default_factory=dict)

    def draw(self) -> None:
        groups = objects(self.data.get("groups"))
        start = self.drawing.node(self.section, "start", place=(0, -STEP_Y))
        self.loose.append((start, "next", self._beginning(groups)))
        for group in groups:
            self._group(group)
        for node, taken, target in self.loose:
            join(node, taken, self._resolved(target) or self.drawing.ended(self.section))

    def _beginning(self, groups: list[Json]) -> Target:
        """The start event of version 6; the start block of older files; else the first group."""
        begins = [event for event in objects(self.data.get("events")) if event.get("type") == "start"]
        begins += [block for group in groups for block in objects(group.get("blocks")) if block.get("type") == "start"]
        for begin in begins:
            found = self._along(text(begin.get("outgoingEdgeId")))
            if found:
                return found
        return Target() if begins or not groups else Target(text(groups[0].get("id")))

    def _along(self, edge_id: str) -> Target | None:
        edge = next((edge for edge in objects(self.data.get("edges")) if edge_id and text(edge.get("id")) == edge_id), None)
        if edge is None:
            return None
        to = obj(edge.get("to"))
        return Target(text(to.get("groupId")), text(to.get("blockId") or to.get("stepId")))

    # --- one group ----------------------------------------------------------------------------------------------------

    def _group(self, group: Json) -> None:
        listed = [block for block in objects(group.get("blocks")) if block.get("type") != "start"]
        at = obj(group.get("graphCoordinates"))
        place = Place(
            self.drawing, self.section, text(group.get("title")), ((number(at.get("x")) or 0), (number(at.get("y")) or 0)), self.known
        )
        name = text(group.get("id"))
        # Each block begins with what it became; one that became nothing passes on to the next.
        for index, block in enumerate(listed):
            after = Target(name, text(listed[index + 1].get("id"))) if index + 1 < len(listed) else Target()
            before = listed[index - 1] if index else {}
            self._block(place, block, after, before=before, following=listed[index + 1] if index + 1 < len(listed) else {})
        self.passed[f"group:{name}"] = Target(name, text(listed[0].get("id"))) if listed else Target()

    def _block(self, place: Place, block: Json, after: Target, *, before: Json, following: Json) -> None:
        key = text(block.get("id"))
        if self._is_asked(block, following):
            self.passed[key] = after
            return
        onward = self._along(text(block.get("outgoingEdgeId"))) or after
        jump = self._jump(place, block)
        if jump is not None:
            self.passed[key] = jump
            return
        place.said = []
        made = self._question(place, block, before) or blocks.make(place, block)
        if made is None:
            self.passed[key] = onward
            return
        self.entries[key] = made.node["id"]
        self._lead_on(made, onward)

    def _is_asked(self, block: Json, following: Json) -> bool:
        """A text right before a question is the question's text, unless the way leaves between them."""
        return (
            block.get("type") == "text"
            and text(following.get("type")) in blocks.ASKED
            and not self._along(text(block.get("outgoingEdgeId")))
        )

    def _question(self, place: Place, block: Json, before: Json) -> Made | None:
        if text(block.get("type")) not in blocks.ASKED or not before or not self._is_asked(before, block):
            return None
        said = blocks.says(place, before)
        return blocks.ask(place, block, said=said if said["text"].strip() else None)

    def _jump(self, place: Place, block: Json) -> Target | None:
        """Blocks that only lead elsewhere."""
        match text(block.get("type")):
            case "Jump":
                place.tell("Jump", "exact")
                return Target(text(option(block, "groupId")), text(option(block, "blockId")))
            case "Typebot link" if text(option(block, "typebotId")) == "current":
                place.tell("Typebot link", "exact")
                return Target(text(option(block, "groupId")))
        return None

    def _lead_on(self, made: Made, onward: Target) -> None:
        for taken in made.onward:
            self.loose.append((made.node, taken, onward))
        for taken, item in made.ways.items():
            target = self._along(text(item.get("outgoingEdgeId")))
            if target or made.node["kind"] == "router":
                self.loose.append((made.node, taken, target or Target()))

    def _resolved(self, target: Target) -> str:
        """The block where a way ends up; "" for the end, and for groups that only lead to each other."""
        seen: set[Target] = set()
        while target not in seen and (target.group or target.block):
            seen.add(target)
            found = self.entries.get(target.block, "")
            if found:
                return found
            key = target.block if target.block in self.passed else f"group:{target.group}"
            target = self.passed.get(key, Target())
        return ""
