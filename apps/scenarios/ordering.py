"""A definition in the order in which people read it. The database keeps JSON without the order of its keys."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.scenarios.engine.definition import Definition, Node, Section
from apps.scenarios.registry import blocks

LAST = ("triggers", "sections", "nodes")


def readable(definition: Any) -> Any:
    """The same values: names and settings first, then triggers and sections; in blocks id, kind, parameters, exits."""
    ordered = _ordered(definition, list(Definition.model_fields))
    if isinstance(ordered, dict) and isinstance(ordered.get("sections"), list):
        ordered["sections"] = [_section(section) for section in ordered["sections"]]
    return ordered


def _section(section: Any) -> Any:
    ordered = _ordered(section, list(Section.model_fields))
    if isinstance(ordered, dict) and isinstance(ordered.get("nodes"), list):
        ordered["nodes"] = [_node(node) for node in ordered["nodes"]]
    return ordered


def _node(node: Any) -> Any:
    ordered = _ordered(node, list(Node.model_fields))
    kind = ordered.get("kind") if isinstance(ordered, dict) else None
    if isinstance(kind, str) and kind in blocks and "params" in ordered:
        ordered["params"] = _ordered(ordered["params"], list(blocks[kind].Params.model_fields))
    return ordered


def _ordered(data: Any, names: Sequence[str]) -> Any:
    if not isinstance(data, Mapping):
        return data
    places = {name: place for place, name in enumerate(name for name in names if name not in LAST)}
    places |= {name: len(names) + place for place, name in enumerate(LAST)}
    return {key: data[key] for key in sorted(data, key=lambda key: places.get(key, len(names) - len(LAST)))}
