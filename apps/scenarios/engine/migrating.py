"""Forward migrations of a definition's form, one function per `schema_version`; each has before/after cases in the tests.

A migration gets what may be any JSON (an import, a hand-written file) and leaves alone what it does not know.
"""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def wrap_nodes(data: Json) -> Json:
    """0 → 1: a plain list of nodes, each with `next` or `exits`, becomes the section `main`."""
    nodes = data.pop("nodes", None)
    if isinstance(nodes, list) and "sections" not in data:
        data["sections"] = [{"id": "main", "name": data.get("name", ""), "nodes": [_with_exits(node) for node in nodes]}]
    return data


def _with_exits(node: Any) -> Any:
    if not isinstance(node, dict) or "next" not in node:
        return node
    kept = {key: value for key, value in node.items() if key != "next"}
    exits = kept.get("exits")
    return {**kept, "exits": {"next": node["next"], **(exits if isinstance(exits, dict) else {})}}


MIGRATIONS: dict[int, Callable[[Json], Json]] = {0: wrap_nodes}
SCHEMA_VERSION = 1


def migrate(data: Json) -> Json:
    """The definition in the newest form; the input is not changed. A version that is unknown is left for validation to refuse."""
    data = dict(data)
    version = data.get("schema_version", 0)
    while isinstance(version, int) and not isinstance(version, bool) and version in MIGRATIONS:
        data = MIGRATIONS[version](data)
        version += 1
        data["schema_version"] = version
    return data
