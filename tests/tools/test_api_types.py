"""The types of the front end are those of our OpenAPI schema."""

from tools import api_types


def test_the_committed_types_are_those_of_the_schema() -> None:
    assert api_types.TARGET.read_text() == api_types.written(api_types.document()), "Run: python -m tools.api_types"


def test_forms_of_schemas_become_types() -> None:
    schema = {
        "paths": {
            "/x": {"get": {"tags": ["Builder"], "responses": {"200": {"$ref": "#/components/schemas/A"}}}, "post": {"tags": ["Other"]}}
        },
        "components": {
            "schemas": {
                "A": {
                    "type": "object",
                    "required": ["one"],
                    "properties": {
                        "one": {"type": "string", "enum": ["a", "b"]},
                        "two": {"type": "integer", "nullable": True, "description": "how many"},
                        "three": {"type": "array", "items": {"$ref": "#/components/schemas/B"}},
                        "four": {"type": "object", "additionalProperties": {"type": "number"}},
                        "five": {"oneOf": [{"type": "boolean"}, {"type": "object", "additionalProperties": {}}]},
                    },
                },
                "B": {},
                "Unused": {"type": "string"},
            }
        },
    }
    assert api_types.written(schema).removeprefix(api_types.HEAD) == (
        '\nexport type A = {\n  one: "a" | "b";\n  /** how many */\n  two?: number | null;\n  three?: Array<B>;\n  four?: Record<string, number>;\n'
        "  five?: boolean | Record<string, unknown>;\n};\n\nexport type B = unknown;\n"
    )
