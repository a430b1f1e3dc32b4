"""What is different between two definitions, in words: per block and per field, whatever the order in the file."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _

from apps.scenarios.ordering import readable
from apps.scenarios.versions.naming import label_of

Json = Mapping[str, Any]
PLACE_SEPARATOR = " › "


@dataclass(frozen=True)
class FieldChange:
    """`old` or `new` is None where there was or is nothing; `label` is the field's name for people."""

    path: str
    old: str | None
    new: str | None
    label: str = ""


@dataclass(frozen=True)
class Change:
    """One block, section or the scenario itself. `fields` tells what changed in it, or what an added or removed one holds."""

    kind: Literal["added", "removed", "changed"]
    place: str
    fields: tuple[FieldChange, ...]
    node: str = ""


def compare(old: Json, new: Json) -> list[Change]:
    """The scenario's own settings first, then its sections and blocks in the order of the new definition, then what is gone."""
    return [*_one(_("Scenario"), _outside(old), _outside(new)), *_sections(old, new), *_nodes(old, new)]


def text_difference(old: Json, new: Json) -> list[str]:
    """The lines of a unified difference of both as JSON."""
    before, after = (json.dumps(readable(data), indent=2, ensure_ascii=False).splitlines() for data in (old, new))
    return list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]


def _outside(definition: Json) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key != "sections"} if isinstance(definition, Mapping) else {}


def _sections(old: Json, new: Json) -> Iterator[Change]:
    before, after = ({section["id"]: section for section in _list(data, "sections")} for data in (old, new))
    for name in [*after, *(name for name in before if name not in after)]:
        own = [{key: value for key, value in (found.get(name) or {}).items() if key not in ("id", "nodes")} for found in (before, after)]
        place = _("Section “%(name)s”") % {"name": (after.get(name) or before[name]).get("name") or name}
        yield from _one(place, own[0] if name in before else None, own[1] if name in after else None)


def _nodes(old: Json, new: Json) -> Iterator[Change]:
    before, after = _by_id(old), _by_id(new)
    for name in [*after, *(name for name in before if name not in after)]:
        place = (after.get(name) or before[name])[0]
        yield from _one(place, before[name][1] if name in before else None, after[name][1] if name in after else None, node=name)


def _by_id(definition: Json) -> dict[str, tuple[str, dict[str, Any]]]:
    """Node id → (its place in words, its content with the section that it lies in)."""
    found = {}
    for section in _list(definition, "sections"):
        for node in _list(section, "nodes"):
            place = PLACE_SEPARATOR.join((str(section.get("name") or section["id"]), str(node.get("title") or node["id"])))
            found[node["id"]] = (
                f"{place} ({node.get('kind', '')})",
                {**{key: node[key] for key in node if key != "id"}, "section": section["id"]},
            )
    return found


def _one(place: str, old: Json | None, new: Json | None, *, node: str = "") -> Iterator[Change]:
    before, after = (_flat(data) if data else {} for data in (old, new))
    kind = str((new or old or {}).get("kind", "")) if node else ""
    fields = tuple(
        FieldChange(path, before.get(path), after.get(path), label_of(path, kind=kind)) for path in [*after, *(path for path in before if path not in after)]
        if before.get(path) != after.get(path)
    )  # fmt: skip
    if old is None or new is None:
        yield Change("added" if old is None else "removed", place, fields, node)
    elif fields:
        yield Change("changed", place, fields, node)


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Paths to leaves; an item of a list is named by its id where it has one, so that a moved item is not a changed one."""
    if isinstance(value, Mapping) and value:
        return {key: leaf for name, item in value.items() for key, leaf in _flat(item, f"{path}.{name}" if path else str(name)).items()}
    if isinstance(value, list) and value:
        named = ((item.get("id") if isinstance(item, Mapping) else None, place, item) for place, item in enumerate(value))
        return {key: leaf for name, place, item in named for key, leaf in _flat(item, f"{path}.{name or place + 1}").items()}
    return {path: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


def _list(data: Any, key: str) -> list[dict[str, Any]]:
    """Tolerant of drafts that are not valid: only what can be named is compared."""
    found = data.get(key) if isinstance(data, Mapping) else None
    return [item for item in found if isinstance(item, dict) and isinstance(item.get("id"), str)] if isinstance(found, list | tuple) else []
