"""The structure of a definition at a glance: sections, their blocks, and where each exit leads. Works on drafts that are not valid too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.scenarios.registry import blocks

PREVIEW_CHARS = 70


@dataclass(frozen=True)
class Way:
    """An exit: its name and the block that it leads to; `lost` when there is no such block."""

    name: str
    to: str
    title: str
    lost: bool = False


@dataclass(frozen=True)
class Item:
    id: str
    title: str
    kind: str
    icon: str
    preview: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Group:
    id: str
    name: str
    items: tuple[Item, ...]


def outline(definition: Any) -> list[Group]:
    return [_group(section) for section in _dicts(definition, "sections")]


def _group(section: Mapping[str, Any]) -> Group:
    nodes = list(_dicts(section, "nodes"))
    titles = {str(node.get("id", "")): str(node.get("title") or node.get("id", "")) for node in nodes}
    return Group(
        id=str(section.get("id", "")),
        name=str(section.get("name") or section.get("id", "")),
        items=tuple(_item(node, titles) for node in nodes),
    )


def _item(node: Mapping[str, Any], titles: Mapping[str, str]) -> Item:
    kind = str(node.get("kind", ""))
    exits = node.get("exits")
    ways = exits.items() if isinstance(exits, Mapping) else ()
    return Item(
        id=str(node.get("id", "")), title=str(node.get("title") or node.get("id", "")), kind=str(blocks[kind].label) if kind in blocks else kind,
        icon=blocks[kind].icon if kind in blocks else "help", preview=_preview(node.get("params")),
        ways=tuple(Way(str(name), str(to), titles.get(str(to), str(to)), lost=str(to) not in titles) for name, to in ways),
    )  # fmt: skip


def _preview(params: Any) -> str:
    """The first words of what the block says, names or calls."""
    if not isinstance(params, Mapping):
        return ""
    for key in ("text", "question", "alias", "action", "name", "url", "save_as"):
        value = params.get(key)
        text = next(iter(value.values()), "") if isinstance(value, Mapping) else value
        if isinstance(text, str) and text.strip():
            return text if len(text) <= PREVIEW_CHARS else f"{text[:PREVIEW_CHARS]}…"
    return ""


def _dicts(data: Any, key: str) -> Iterator[Mapping[str, Any]]:
    found = data.get(key) if isinstance(data, Mapping) else None
    yield from (item for item in found if isinstance(item, Mapping)) if isinstance(found, list | tuple) else ()
