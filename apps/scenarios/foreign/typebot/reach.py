"""Where the ways of a Typebot file lead: over edges, over jumps, and into groups that are called and come back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from apps.scenarios.engine.contract import Json
from apps.scenarios.foreign.reading import obj, objects, text
from apps.scenarios.foreign.typebot.texts import option


@dataclass(frozen=True)
class Target:
    """Where a way leads: a group of theirs, or one of its blocks."""

    group: str = ""
    block: str = ""


@dataclass(frozen=True)
class Call:
    """Groups that come back to where they were called: from their loose ends as well (`ends`), or only from a Return block."""

    target: Target
    ends: bool


@dataclass
class Ways:
    groups: dict[str, Json]
    edges: dict[str, Target] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Json) -> "Ways":
        found = cls({text(group.get("id")): group for group in objects(data.get("groups"))})
        for edge in objects(data.get("edges")):
            to, key = obj(edge.get("to")), text(edge.get("id"))
            if key:
                found.edges.setdefault(key, Target(text(to.get("groupId")), text(to.get("blockId") or to.get("stepId"))))
        return found

    def along(self, edge: object) -> Target | None:
        return self.edges.get(text(edge))

    def jump(self, block: Json) -> Target | None:
        """Where a block leads that does nothing else: a jump, or a link to a group of the same bot."""
        kind = text(block.get("type"))
        if kind == "Jump" or (kind == "Typebot link" and text(option(block, "typebotId")) == "current"):
            return Target(text(option(block, "groupId")), text(option(block, "blockId")))
        return None

    def call(self, block: Json, *, last: bool) -> Call | None:
        """The call that a jump is: a link with something after it, or a jump to where a Return stands. `last`: nothing comes after it."""
        to = self.jump(block)
        if to is None or to.group not in self.groups:
            return None
        if block.get("type") == "Jump":
            return Call(to, ends=False) if self._returns(to.group) else None
        return None if last else Call(to, ends=True)

    def reached(self, begins: Iterable[str]) -> tuple[dict[str, None], list[Call]]:
        """Groups to which ways lead from these, in order; and the calls that are met there."""
        found: dict[str, None] = {}
        calls: dict[Call, None] = {}
        waiting = [group for group in begins if group in self.groups]
        while waiting:
            group = waiting.pop(0)
            if group in found:
                continue
            found[group] = None
            for block, last in self._blocks(group):
                call = self.call(block, last=last)
                to = None if call else self.jump(block)
                calls |= {call: None} if call else {}
                waiting += [target.group for target in (*self._out_of(block), *((to,) if to else ())) if target.group in self.groups]
        return found, list(calls)

    def _returns(self, group: str) -> bool:
        seen: set[str] = set()
        waiting = [group]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            for block, _last in self._blocks(one):
                if block.get("type") == "Return":
                    return True
                waiting += [target.group for target in self._out_of(block) if target.group in self.groups]
        return False

    def _blocks(self, group: str) -> Iterator[tuple[Json, bool]]:
        listed = objects(self.groups[group].get("blocks"))
        for index, block in enumerate(listed):
            yield block, index == len(listed) - 1 and self.along(block.get("outgoingEdgeId")) is None

    def _out_of(self, block: Json) -> Iterator[Target]:
        items = objects(block.get("items"))
        for one in (block, *items, *(path for item in items for path in objects(item.get("paths")))):
            target = self.along(one.get("outgoingEdgeId"))
            if target:
                yield target
