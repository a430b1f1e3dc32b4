"""OpenAPI of the addresses that author scenarios; the forms of requests come from the models that read them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from pydantic import BaseModel

from apps.gateway import authoring_forms as forms
from apps.gateway.answers import Json
from apps.gateway.apispec import path, query, responses
from apps.scenarios.simulation.asking import Ask, State
from apps.scenarios.simulation.keeping import Chat


def inlined(model: type[BaseModel]) -> Json:
    """The model's JSON Schema without references, for use inside an operation."""
    schema = model.model_json_schema()
    found = _resolved(schema, schema.get("$defs", {}))
    return {key: value for key, value in found.items() if key != "$defs"}


def _resolved(value: Any, definitions: Json) -> Any:
    if isinstance(value, list):
        return [_resolved(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).rpartition("/")[2]
    if name:
        return _resolved({**definitions[name], **{key: item for key, item in value.items() if key != "$ref"}}, definitions)
    kept = {key: item for key, item in value.items() if key not in {"$defs", "discriminator"}}
    return _of_version_3({key: _resolved(item, definitions) for key, item in kept.items()})


def _of_version_3(schema: Json) -> Json:
    """OpenAPI 3.0 knows neither `null` as a type nor `const`."""
    options = schema.get("anyOf", [])
    left = [option for option in options if option.get("type") != "null"] if isinstance(options, list) else []
    if left and len(left) < len(options):
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        schema = {**left[0], **rest, "nullable": True} if len(left) == 1 else {**rest, "anyOf": left, "nullable": True}
    if "const" in schema:
        schema = {**{key: value for key, value in schema.items() if key != "const"}, "enum": [schema["const"]]}
    return schema


ANYTHING: Json = {"type": "object", "additionalProperties": True}
LIST: Json = {"type": "array", "items": ANYTHING}
TAGS = ["Authoring"]
STAFF = "For signed-in staff; not for tokens of other systems."
_TURN: Json = {
    "type": "object",
    "required": ["success", "events", "effects", "path", "status", "handled", "state"],
    "properties": {
        "success": {"type": "boolean"},
        "trace_id": {"type": "string"},
        "events": {**LIST, "description": "What happened, in order: kind, node, section, visit, exit, details."},
        "effects": {**LIST, "description": "What the product would do: say, act, wait_until, emit, respond. Secrets are masked."},
        "path": {"type": "array", "items": {"type": "string"}, "description": "The nodes that were entered."},
        "status": {"type": "string", "enum": ["waiting", "calling", "ended", "failed"]},
        "handled": {"type": "boolean", "description": "False: the input does not concern the open question; nothing changed."},
        "started_by": {"type": "string", "description": "The trigger by which a message began the scenario; else empty."},
        "outcome": {"type": "string"},
        "failure": {**ANYTHING, "nullable": True},
        "waits_for": {**ANYTHING, "nullable": True},
        "variables": ANYTHING,
        "state": {**inlined(State), "description": "Post it back to go on."},
        "now": {"type": "string", "format": "date-time", "nullable": True},
    },
}

SIMULATE: Json = {
    "operation_id": "simulate_scenario",
    "tags": TAGS,
    "summary": "One turn of a chat with a scenario, without any effect",
    "description": "Runs over the pure core: no message, no call, no row, whatever is posted. Actions are answered by `mocks`. "
    f"Needs the right to edit scenarios of the bot. {STAFF}",
    "request": {"application/json": inlined(Ask)},
    "responses": responses(400, 401, 403, 404, 405, 413, 415, 429, 503, description="The turn", good=_TURN),
}

SCENARIO = path("pk", "Number of the scenario.", OpenApiTypes.INT)
DIFFERENCES: Json = {
    "operation_id": "compare_versions",
    "tags": TAGS,
    "summary": "What differs between two versions, per block, edge and field; places on the canvas apart",
    "description": f"Needs the right to see scenarios of the bot. {STAFF}",
    "parameters": [
        SCENARIO,
        query("old", "Number of a version, or `draft`; without it the published one."),
        query("new", "The same; without it the draft."),
        query("drawn", "`1`: with definition and layout of both sides, as the canvas needs them."),
    ],
    "responses": responses(401, 404, 405, 429, 503, description="The difference", good=forms.DifferencesSerializer),
}

_COUNT: Json = {"type": "integer"}
_TEXT: Json = {"type": "string"}
WINDOW = [
    query("since", "Only visits that began then or later.", OpenApiTypes.DATETIME),
    query("until", "Only visits that began before.", OpenApiTypes.DATETIME),
    query("version", "Number of a version.", OpenApiTypes.INT),
    query("language", "Language of the people."),
]
ANALYTICS: Json = {
    "operation_id": "measure_scenario",
    "tags": TAGS,
    "summary": "Figures per block and exit: visits, people, drop-off, times, errors",
    "description": "A visit was left by an exit, ended the scenario, still waits, or was dropped. Times are of visits that were left. "
    f"Needs the right to see analytics of the bot. {STAFF}",
    "parameters": [SCENARIO, *WINDOW],
    "responses": responses(400, 401, 403, 404, 405, 429, 503, description="The figures", good=forms.FiguresSerializer),
}
VISITS: Json = {
    "operation_id": "list_visits",
    "tags": TAGS,
    "summary": "The people behind a figure: the visits that it counts, page by page",
    "description": "Names need the right to see people of the bot, transcripts that to see operations; without them they are left out. "
    f"Needs the right to see analytics of the bot. {STAFF}",
    "parameters": [
        SCENARIO,
        query("node", "The block."),
        query("exit", "Only visits that left by this exit."),
        query("to", "Only those whose exit led to this block."),
        query("counted", f"Which figure: {forms.NUMBERS}. `people` shows each person once, `slowest` the longest first."),
        *WINDOW,
        query("page", "From 1.", OpenApiTypes.INT),
    ],
    "responses": responses(400, 401, 403, 404, 405, 429, 503, description="The visits", good=forms.VisitsSerializer),
}

_TESTS: Json = {
    "type": "object",
    "required": ["tests", "coverage"],
    "properties": {"success": {"type": "boolean"}, "trace_id": _TEXT, "tests": LIST, "coverage": ANYTHING},
}
_PUBLICATION: Json = {
    "type": "object",
    "required": ["based_on"],
    "properties": {
        "based_on": {"type": "integer", "description": "The draft's revision that was looked at."},
        "note": {"type": "string", "maxLength": 500},
        "override": {"type": "string", "maxLength": 500, "description": "Why it is published although tests fail; logged."},
        "people": {"type": "string", "enum": ["stay", "at_wait", "now"], "default": "stay"},
        "mapping": {"type": "object", "additionalProperties": _TEXT, "description": "Removed block → where its people go on."},
        "due_at": {"type": "string", "format": "date-time", "description": "Plans the publication for that moment instead."},
    },
}
_READ_ERRORS = (401, 403, 404, 405, 429, 503)
_WRITE_ERRORS = (400, 401, 403, 404, 405, 412, 413, 415, 429, 503)


def _answer(**properties: Json) -> Json:
    return {"type": "object", "properties": {"success": {"type": "boolean"}, "trace_id": _TEXT, **properties}}


VERSIONS: Json = {
    "operation_id": "list_versions",
    "tags": TAGS,
    "summary": "Published versions with who, when and why, and planned publications",
    "description": f"Needs the right to see scenarios of the bot. {STAFF}",
    "parameters": [SCENARIO],
    "responses": responses(*_READ_ERRORS, description="Newest first", good=_answer(versions=LIST, planned=LIST)),
}
IMPACT: Json = {
    "operation_id": "preview_publication",
    "tags": TAGS,
    "summary": "What publishing the draft would mean: problems, tests, where people stand",
    "description": f"Needs the right to edit scenarios of the bot. {STAFF}",
    "parameters": [SCENARIO],
    "responses": responses(
        *_READ_ERRORS,
        description="The impact",
        good=_answer(based_on=_COUNT, problems=LIST, standing=LIST, tests=LIST, coverage=ANYTHING),
    ),
}
PUBLISH: Json = {
    "operation_id": "publish_scenario",
    "tags": TAGS,
    "summary": "Publish the draft, now or at a moment",
    "description": f"Refused while the draft has errors or a test fails without a reason given. Needs the right to edit scenarios of the bot. {STAFF}",
    "parameters": [SCENARIO],
    "request": {"application/json": _PUBLICATION},
    "responses": responses(*_WRITE_ERRORS, good_status=201, description="Published", good=_answer(version=ANYTHING))
    | {202: OpenApiResponse(response=_answer(planned=ANYTHING), description="Planned")},
}
_ROLLBACK: Json = {
    "type": "object",
    "required": ["version"],
    "properties": {
        "version": {"type": "integer", "description": "Number of the version to go back to."},
        "note": {"type": "string", "maxLength": 400, "description": "Why."},
        "people": _PUBLICATION["properties"]["people"],
        "mapping": _PUBLICATION["properties"]["mapping"],
    },
}
ROLL_BACK: Json = {
    "operation_id": "roll_back",
    "tags": TAGS,
    "summary": "Make an old version the draft and publish it as a new one",
    "description": f"Waits for no test; history is never rewritten. Needs the right to edit scenarios of the bot. {STAFF}",
    "parameters": [SCENARIO],
    "request": {"application/json": _ROLLBACK},
    "responses": responses(*_WRITE_ERRORS, good_status=201, description="Rolled back", good=_answer(version=ANYTHING)),
}
RUN_TESTS: Json = {
    "operation_id": "run_tests",
    "tags": TAGS,
    "summary": "Run the saved tests on the draft and tell what they go through; nothing is stored",
    "description": f"Needs the right to see scenarios of the bot. {STAFF}",
    "parameters": [SCENARIO],
    "responses": responses(*_READ_ERRORS, description="The outcome", good=_TESTS),
}
KEEP_TEST: Json = {
    "operation_id": "keep_test",
    "tags": TAGS,
    "summary": "Keep a chat as a test; it expects what the draft does now",
    "description": f"Needs the right to edit scenarios of the bot. {STAFF}",
    "parameters": [SCENARIO],
    "request": {"application/json": inlined(Chat)},
    "responses": responses(*_WRITE_ERRORS, good_status=201, description="Kept", good=_answer(id=_COUNT, name=_TEXT)),
}
