"""What differs between two versions (or a version and the draft), for the canvas: per block, edge and field; layout apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from apps.scenarios import comparing, loose
from apps.scenarios.engine.contract import Json
from apps.scenarios.models import Scenario, ScenarioVersion
from apps.scenarios.ordering import readable

DRAFT = "draft"


@dataclass(frozen=True)
class Side:
    """One of the two: `name` is a version's number, or "draft"."""

    name: str
    definition: Json
    layout: Json


class NoSuchVersionError(Exception):
    """`name` is no version of this scenario."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def side(scenario: Scenario, name: str) -> Side:
    """A version by its number; "" or "draft" the draft. Raises `NoSuchVersionError`."""
    if name in {"", DRAFT}:
        return Side(DRAFT, scenario.draft, scenario.layout)
    number = int(name) if name.isdecimal() and len(name) < 9 else 0  # noqa: PLR2004  what fits the column
    version = ScenarioVersion.objects.filter(scenario=scenario, number=number).first()
    if version is None:
        raise NoSuchVersionError(name)
    return Side(str(version.number), version.definition, version.layout)


def difference(old: Side, new: Side) -> Json:
    """{"old", "new", "nodes": {id: added | changed | removed}, "edges": [{node, exit, old, new}], "changes": [{kind, place, node, fields:
    [{path, label, old, new}]}], "moved": [id]}. `moved` are blocks that only lie elsewhere on the canvas.
    """
    changes = comparing.compare(old.definition, new.definition)
    nodes = {change.node: change.kind for change in changes if change.node}
    return {
        "old": old.name,
        "new": new.name,
        "nodes": nodes,
        "edges": _edges(old.definition, new.definition),
        "changes": [{**asdict(change), "fields": [asdict(field) for field in change.fields]} for change in changes],
        "moved": moved(old, new),
    }


def drawn(found: Side) -> Json:
    """A side itself, for the canvas: {"definition", "layout"}."""
    definition = readable(found.definition) if isinstance(found.definition, dict) else {}
    return {"definition": definition, "layout": found.layout if isinstance(found.layout, dict) else {}}


def moved(old: Side, new: Side) -> list[str]:
    """Blocks of both sides whose place on the canvas differs, in the order of the new definition."""
    before, after = _places(old.layout), _places(new.layout)
    both = {node["id"] for node in loose.nodes(old.definition)}
    return [
        str(node["id"]) for node in loose.nodes(new.definition) if node["id"] in both and before.get(node["id"]) != after.get(node["id"])
    ]


def _places(layout: Any) -> Mapping[str, Any]:
    found = layout.get("nodes") if isinstance(layout, dict) else None
    return found if isinstance(found, dict) else {}


def _edges(old: Json, new: Json) -> list[Json]:
    before, after = _exits(old), _exits(new)
    ways = [*after, *(way for way in before if way not in after)]
    return [
        {"node": node, "exit": name, "old": before.get((node, name)), "new": after.get((node, name))}
        for node, name in ways
        if before.get((node, name)) != after.get((node, name))
    ]


def _exits(definition: Json) -> dict[tuple[str, str], str]:
    found = {}
    for node in loose.nodes(definition):
        exits = node.get("exits")
        for name, target in exits.items() if isinstance(exits, dict) else ():
            found[str(node["id"]), str(name)] = str(target)
    return found
