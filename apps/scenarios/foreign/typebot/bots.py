"""A Typebot file as sections: what the start leads to as the first one, and one for each place that is called and comes back."""

from dataclasses import dataclass, field

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.drawing import Drawing, Section, join
from apps.scenarios.foreign.naming import slug
from apps.scenarios.foreign.reading import number, obj, objects, text
from apps.scenarios.foreign.typebot import blocks
from apps.scenarios.foreign.typebot.place import Made, Place, says
from apps.scenarios.foreign.typebot.questions import ASKED, ask
from apps.scenarios.foreign.typebot.reach import Call, Target, Ways
from apps.scenarios.foreign.typebot.texts import Variables, option

STEP_Y = 150
MOST_CALLED = 100
NOT_COMING_BACK = "starts when a customer writes the word; it does not come back to the question that was open"


@dataclass
class Bot:
    drawing: Drawing
    main: Section
    data: Json
    known: Variables
    sections: dict[Call, Section] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def draw(self) -> None:
        ways = Ways.of(self.data)
        begin = self._beginning(ways)
        commands = {text(option(event, "command")): ways.along(event.get("outgoingEdgeId")) for event in self._events("command")}
        first, calls = ways.reached([begin.group, *(target.group for target in commands.values() if target)])
        called: dict[str, None] = {}
        for call in calls:
            groups, more = ways.reached([call.target.group])
            called |= groups
            calls += [one for one in more if one not in calls]
        for call in calls[:MOST_CALLED]:
            name = text(ways.groups[call.target.group].get("title")) or "Called"
            self.sections[call] = self.drawing.section(name)
        loose = [group for group in ways.groups if group not in first and group not in called]
        main = Part(self, self.main, ways, [*first, *loose])
        main.begin(begin, initial=self.known.initial)
        for word, target in commands.items():
            main.command(word, target or Target())
        main.draw()
        for call, section in self.sections.items():
            part = Part(self, section, ways, list(ways.reached([call.target.group])[0]), call)
            part.begin(call.target)
            part.draw()
        self.drawing.quiet = False

    def _events(self, kind: str) -> list[Json]:
        return [event for event in objects(self.data.get("events")) if event.get("type") == kind]

    def _beginning(self, ways: Ways) -> Target:
        """The start event of version 6; the start block of older files; else the first group."""
        begins = self._events("start")
        begins += [block for group in ways.groups.values() for block in objects(group.get("blocks")) if block.get("type") == "start"]
        for begin in begins:
            found = ways.along(begin.get("outgoingEdgeId"))
            if found:
                return found
        return Target() if begins or not ways.groups else Target(next(iter(ways.groups)))


@dataclass
class Part:
    """Some groups of the file on their way into a section. `call`: how the section is called; None for the first one."""

    bot: Bot
    section: Section
    ways: Ways
    groups: list[str]
    call: Call | None = None
    loose: list[tuple[Json, str, Target]] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    passed: dict[str, Target] = field(default_factory=dict)

    @property
    def drawing(self) -> Drawing:
        return self.bot.drawing

    def begin(self, target: Target, *, initial: Json | None = None) -> None:
        last, taken = self.drawing.node(self.section, "start", place=(0, -2 * STEP_Y if initial else -STEP_Y)), "next"
        if initial:
            values = [{"name": name, "value": value} for name, value in list(initial.items())[:50]]
            kept = self.drawing.node(self.section, "set_variable", {"variables": values}, place=(0, -STEP_Y))
            join(last, "next", kept["id"])
            last = kept
        self.loose.append((last, taken, target))

    def command(self, word: str, target: Target) -> None:
        """A command of theirs is a word that starts the scenario at an entry of its own."""
        if not word.strip():
            return
        alias = f"command-{len(self.drawing.triggers) + 1}-{slug(word, sign='-')}"[:60].rstrip("-")
        entry = self.drawing.node(self.section, "entry", {"alias": alias}, place=(-400, STEP_Y * len(self.drawing.triggers)))
        self.loose.append((entry, "next", target))
        self.drawing.triggers.append({"kind": "keyword", "words": [word], "match": "exact", "entry": alias})
        self.drawing.tell(f"/{word}", "event command", "approximated", NOT_COMING_BACK, node=entry)

    def draw(self) -> None:
        for key in self.groups:
            self.drawing.quiet = key in self.bot.told
            self._group(key, self.ways.groups[key])
            self.bot.told.add(key)
        for node, taken, target in self.loose:
            join(node, taken, self._resolved(target) or self._end())

    def _end(self) -> str:
        """Where loose ends lead: back to the caller, unless only a Return leads there."""
        if not self.section.end and self.call and not self.call.ends:
            self.section.end = self.drawing.node(self.section, "end")["id"]
        return self.drawing.ended(self.section)

    # --- one group ----------------------------------------------------------------------------------------------------

    def _group(self, name: str, group: Json) -> None:
        listed = [block for block in objects(group.get("blocks")) if block.get("type") != "start"]
        at = obj(group.get("graphCoordinates"))
        where = ((number(at.get("x")) or 0), (number(at.get("y")) or 0))
        place = Place(self.drawing, self.section, text(group.get("title")), where, self.bot.known)
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
        onward = self.ways.along(block.get("outgoingEdgeId")) or after
        place.said = []
        jump = self._jump(place, block)
        if isinstance(jump, Target):
            self.passed[key] = jump
            return
        made = jump or self._question(place, block, before) or blocks.make(place, block)
        if made is None:
            self.passed[key] = onward
            return
        self.entries[key] = made.node["id"]
        self._lead_on(made, onward)

    def _is_asked(self, block: Json, following: Json) -> bool:
        """A text right before a question is the question's text, unless the way leaves between them."""
        return block.get("type") == "text" and text(following.get("type")) in ASKED and not self.ways.along(block.get("outgoingEdgeId"))

    def _question(self, place: Place, block: Json, before: Json) -> Made | None:
        if text(block.get("type")) not in ASKED or not before or not self._is_asked(before, block):
            return None
        said = says(place, before)
        return ask(place, block, said=said if said["text"].strip() else None)

    def _jump(self, place: Place, block: Json) -> Made | Target | None:
        """Blocks that only lead elsewhere: for good, with coming back, or back."""
        kind = text(block.get("type"))
        if kind == "Return" and self.call:
            place.tell(kind, "exact")
            return Made(place.node("exit", {"mode": "return"}), ())
        call = self.ways.call(block, last=False)
        section = self.bot.sections.get(call) if call else None
        if section is not None:
            place.tell(kind, "exact")
            return Made(place.node("exit", {"mode": "call", "section": section.id}))
        to = self.ways.jump(block)
        if to is None or to.group not in self.ways.groups:
            return None
        place.tell(kind, "exact")
        return to

    def _lead_on(self, made: Made, onward: Target) -> None:
        for taken in made.onward:
            self.loose.append((made.node, taken, onward))
        for taken, item in made.ways.items():
            target = self.ways.along(item.get("outgoingEdgeId"))
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
