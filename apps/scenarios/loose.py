"""Reading a draft that may be anything: only what has the form of sections and blocks is given out."""

from typing import Any

Json = dict[str, Any]


def sections(definition: Any) -> list[Json]:
    return _dicts(definition, "sections")


def nodes(definition: Any) -> list[Json]:
    """Every block that has an id as blocks have them, in order."""
    return [node for section in sections(definition) for node in _dicts(section, "nodes") if isinstance(node.get("id"), str)]


def names(definition: Any) -> list[tuple[str, str]]:
    """Pairs of id and name of every block."""
    return [(str(node["id"]), str(node.get("title") or node["id"])) for node in nodes(definition)]


def params(node: Json) -> Json:
    found = node.get("params")
    return found if isinstance(found, dict) else {}


def languages(definition: Any) -> list[str]:
    """The base language first, each once."""
    data = definition if isinstance(definition, dict) else {}
    own = data.get("languages")
    return list(
        dict.fromkeys([str(data.get("default_language") or "en"), *(str(code) for code in (own if isinstance(own, list) else ()) if code)])
    )


def _dicts(data: Any, key: str) -> list[Json]:
    found = data.get(key) if isinstance(data, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
