"""Names of a block's fields for people: `params.buttons.ok.label` → “Buttons › ok › Label”, from the titles that the forms use."""

from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from apps.scenarios.engine.definition import Definition
from apps.scenarios.registry import blocks

SEPARATOR = " › "
Json = dict[str, Any]


def label_of(path: str, *, kind: str = "") -> str:
    """`kind` is the block's; without it the path is one of the scenario's own settings."""
    first, _dot, rest = path.partition(".")
    if kind and first == "exits":
        return _("Exit “%(name)s”") % {"name": rest}
    known = {"title": _("Title"), "note": _("Note"), "kind": _("Kind"), "section": _("Section"), "exits": _("Exits")} if kind else {}
    if path in known:
        return known[path]
    schema = _of_block(kind) if kind else _of_scenario()
    words = _words(rest if kind and first == "params" else path, schema)
    return SEPARATOR.join(words) or path


def _words(path: str, schema: Json) -> list[str]:
    words, current = [], schema
    for part in path.split(".") if path else ():
        current = _resolved(current, schema)
        found = current.get("properties", {}).get(part)
        words.append(
            part if not isinstance(found, dict) else _(found["title"]) if found.get("title") else part.replace("_", " ").capitalize()
        )
        current = found if isinstance(found, dict) else _items(current)
    return words


def _items(schema: Json) -> Json:
    """What one item of a list or of a mapping is."""
    found = schema.get("items") or schema.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def _resolved(prop: Json, root: Json) -> Json:
    for option in prop.get("anyOf", ()):
        if option.get("type") != "null":
            return _resolved(option, root)
    name = str(prop.get("$ref", "")).rpartition("/")[2]
    found = root.get("$defs", {}).get(name) if name else None
    return found if isinstance(found, dict) else prop


@lru_cache(maxsize=200)
def _of_block(kind: str) -> Json:
    return blocks[kind].Params.model_json_schema() if kind in blocks else {}


@lru_cache(maxsize=1)
def _of_scenario() -> Json:
    return Definition.model_json_schema()
