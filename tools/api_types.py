"""Writes the TypeScript types of the front end from our own OpenAPI schema: `python -m tools.api_types`.

The file is committed, so that building the front end needs neither Python's packages nor a database; a test compares it with the schema.
"""

import os
from pathlib import Path
from typing import Any

from tools.places import CLONE

TARGET = CLONE / "frontend" / "src" / "api" / "types.ts"
TAGS = frozenset({"Builder", "Authoring"})
HEAD = "// Made from the OpenAPI schema by `python -m tools.api_types`; do not edit.\n"
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
Schema = dict[str, Any]


def document() -> Schema:
    """Our OpenAPI schema, from the code alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come first

    django.setup()
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  needs the set-up

    generator: Any = SchemaGenerator
    return dict(generator().get_schema(request=None, public=True))


def written(schema: Schema) -> str:
    """One exported type for each component that the operations of our tags use."""
    components = schema["components"]["schemas"]
    wanted: dict[str, None] = {}
    for operation in _operations(schema):
        _collect(operation, components, wanted)
    return HEAD + "".join(f"\nexport type {name} = {_type(components[name])};\n" for name in sorted(wanted))


def _operations(schema: Schema) -> list[Schema]:
    found = [operation for methods in schema["paths"].values() for operation in methods.values() if isinstance(operation, dict)]
    return [operation for operation in found if TAGS & set(operation.get("tags", ()))]


def _collect(value: Any, components: Schema, wanted: dict[str, None]) -> None:
    if isinstance(value, dict):
        name = str(value.get("$ref", "")).rpartition("/")[2]
        if name and name not in wanted:
            wanted[name] = None
            _collect(components[name], components, wanted)
        for item in value.values():
            _collect(item, components, wanted)
    elif isinstance(value, list):
        for item in value:
            _collect(item, components, wanted)


def _type(schema: Schema, indent: str = "") -> str:
    text = _bare(schema, indent)
    return f"{text} | null" if schema.get("nullable") else text


def _bare(schema: Schema, indent: str) -> str:
    for key, joint in (("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")):
        if key in schema:
            return joint.join(_type(part, indent) for part in schema[key])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        return f"Array<{_type(schema.get('items', {}), indent)}>"
    if kind == "object" or "properties" in schema:
        return _object(schema, indent)
    return SIMPLE.get(str(kind), "unknown")


def _object(schema: Schema, indent: str) -> str:
    properties, inner = schema.get("properties"), indent + "  "
    if not properties:
        more = schema.get("additionalProperties")
        return f"Record<string, {_type(more, indent) if isinstance(more, dict) and more else 'unknown'}>"
    required = set(schema.get("required", ()))
    lines = []
    for name, part in properties.items():
        if part.get("description"):
            lines.append(f"{inner}/** {part['description']} */\n")
        lines.append(f"{inner}{name}{'' if name in required else '?'}: {_type(part, inner)};\n")
    return "{\n" + "".join(lines) + indent + "}"


def main(target: Path = TARGET) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(written(document()))


if __name__ == "__main__":
    main()
