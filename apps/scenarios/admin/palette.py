"""Help beside the editor, made from the engine's own models: blocks, actions, placeholders, each with an example to insert."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from apps.scenarios.action import Action
from apps.scenarios.block import Exit
from apps.scenarios.engine import described
from apps.scenarios.registry import actions, actions_for, blocks

GROUPS = {"talk": _("Talk"), "logic": _("Logic"), "data": _("Data and systems"), "flow": _("Flow")}
ROLES = {
    "text": _("text with placeholders"), "template": _("text with placeholders"), "value": _("any value, placeholders allowed"),
    "expression": _("condition"), "reference": _("name of a value"), "variable": _("name of a variable"),
}  # fmt: skip
DEPTH = 3
Schema = dict[str, Any]


@dataclass(frozen=True)
class Param:
    name: str
    title: str
    type: str
    required: bool
    help: str
    inner: tuple["Param", ...] = ()


@dataclass(frozen=True)
class Kind:
    """A block or action: what it is, its parameters and exits, and a block of it to insert."""

    kind: str
    label: str
    help: str
    icon: str
    params: tuple[Param, ...]
    exits: tuple[Exit, ...]
    example: str


@dataclass(frozen=True)
class Palette:
    groups: tuple[tuple[str, tuple[Kind, ...]], ...]
    actions: tuple[Kind, ...]
    filters: tuple[dict[str, Any], ...]
    operators: tuple[dict[str, Any], ...]
    names: tuple[str, ...]


def palette(bot_id: int | None = None) -> Palette:
    """In the language of the request; made once per language and process, because kinds do not change while it runs. The bot's published custom
    actions do, and are added each time.
    """
    made = _palette(get_language() or "en")
    custom = {kind: action for kind, action in actions_for(bot_id).items() if kind not in actions}
    return replace(made, actions=(*made.actions, *(_action(kind, action) for kind, action in custom.items())))


@lru_cache(maxsize=8)
def _palette(_language: str) -> Palette:
    kinds = {kind: _block(kind) for kind in blocks}
    names = {**GROUPS, **{block.group: block.group for block in blocks.values() if block.group not in GROUPS}}
    return Palette(
        groups=tuple((str(label), tuple(kinds[kind] for kind in blocks if blocks[kind].group == group)) for group, label in names.items()),
        actions=tuple(_action(kind, action) for kind, action in actions.items()),
        filters=tuple(described.filters(gettext)), operators=tuple(described.operators(gettext)), names=tuple(described.world_names()),
    )  # fmt: skip


def _block(kind: str) -> Kind:
    block = blocks[kind]
    schema = block.Params.model_json_schema()
    exits = _exits(block)
    example: Schema = {
        "id": f"{kind}_1",
        "kind": kind,
        **_with("params", _example(schema)),
        **_with("exits", {spec.name: "…" for spec in exits if spec.required}),
    }
    return Kind(kind, str(block.label), str(block.help), block.icon, tuple(_params(schema)), exits, _text(example))


def _action(kind: str, action: Action[Any]) -> Kind:
    schema = action.Params.model_json_schema()
    params = {"action": kind, **_with("params", _example(schema))}
    example = {"id": "action_1", "kind": "action", "params": params, "exits": {spec.name: "…" for spec in action.exits}}
    return Kind(
        kind,
        str(getattr(action, "label", kind)),
        str(getattr(action, "help", "")),
        "bolt",
        tuple(_params(schema)),
        tuple(action.exits),
        _text(example),
    )


def _exits(block: Any) -> tuple[Exit, ...]:
    """Those of a block with nothing but defaults; some kinds have theirs only once they are filled in."""
    try:
        return tuple(block.exits(block.Params.model_construct()))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ()


def _params(schema: Schema, root: Schema | None = None, depth: int = 1) -> Iterator[Param]:
    root = root or schema
    for name, prop in schema.get("properties", {}).items():
        inner = _inner(prop, root) if depth < DEPTH else None
        yield Param(
            name=name, title=gettext(prop.get("title", "")) or name, type=_type(prop, root), required=name in schema.get("required", ()),
            help=gettext(prop["description"]) if prop.get("description") else "", inner=tuple(_params(inner, root, depth + 1)) if inner else (),
        )  # fmt: skip


def _inner(prop: Schema, root: Schema) -> Schema | None:
    """The object that a parameter, or each item of a list, consists of."""
    found = _resolved(prop, root)
    while found.get("type") == "array" and isinstance(found.get("items"), dict):
        found = _resolved(found["items"], root)
    return found if found.get("properties") else None


def _resolved(prop: Schema, root: Schema) -> Schema:
    options = [option for option in prop.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        prop = {**prop, **options[0]}
    reference = str(prop.get("$ref", "")).rpartition("/")[2]
    return {**prop, **root.get("$defs", {}).get(reference, {})} if reference else prop


def _type(prop: Schema, root: Schema) -> str:
    found = _resolved(prop, root)
    role = found.get("x-role", "")
    if role in ROLES:
        return str(ROLES[role])
    if "enum" in found or "const" in found:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in found.get("enum", [found.get("const")]))
    if found.get("type") == "array":
        return gettext("list of: %(what)s") % {"what": _type(found.get("items", {}), root)}
    names = {
        "string": gettext("text"),
        "integer": gettext("whole number"),
        "number": gettext("number"),
        "boolean": gettext("yes/no"),
        "object": gettext("object"),
    }
    return names.get(str(found.get("type", "")), gettext("any"))


def _example(schema: Schema) -> Schema:
    """The parameters that must be given, and the text where there is one."""
    properties = schema.get("properties", {})
    wanted = [name for name in properties if name in schema.get("required", ()) or name == "text"]
    return {name: _sample(properties[name], schema) for name in wanted}


def _sample(prop: Schema, root: Schema) -> Any:
    found = _resolved(prop, root)
    for key in ("examples", "enum"):
        if found.get(key):
            return found[key][0]
    if found.get("properties"):
        return {name: _sample(found["properties"][name], root) for name in found.get("required", ())}
    return {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(str(found.get("type", "")), "…")


def _with(name: str, value: Schema) -> Schema:
    return {name: value} if value else {}


def _text(data: Schema) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
