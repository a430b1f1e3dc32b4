"""The OpenAPI 3.1 description of one model's records, made from its fields, and the page with it."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from apps.customdata import access, structure
from apps.customdata.filtering import OPERATORS, target
from apps.customdata.models import Field, Table
from apps.gateway import apispec, tokens
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.docs import QUERY, docs_page
from apps.gateway.machine import MachineView
from apps.gateway.records.admitting import sees
from apps.gateway.records.answering import MOST_ROWS
from apps.gateway.records.asking import LIMIT, MOST, SYSTEM
from apps.gateway.tokens import Caller

_ERRORS = (400, 401, 403, 404, 405, 409, 412, 413, 415, 429, 500, 503)
# By the column's type in PostgreSQL, so that a new kind of field is described without a change here.
_TYPES: dict[str, Json] = {
    "numeric": {"type": ["number", "string", "null"]},
    "bigint": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "timestamptz": {"type": ["string", "null"], "format": "date-time"},
    "jsonb": {},
    "text[]": {"type": ["array", "null"], "items": {"type": "string"}},
}
_ABOUT = """Every answer has one form: `success`, `trace_id`, for errors also `message`, `code` and, where places are known, `errors`.

Filters are written `filter[field][operator]=value`; without an operator “is”. Numbers are exact: give those that JSON would round as texts.
A list goes on at `next`, given as `cursor`. `If-Match` with a record's version (`ETag`) refuses a change when somebody else was faster (412).
Personal values are masked unless the token has the right “personal”; they are found by exact value only."""


def document(table: Table, *, origin: str, caller: Caller | None = None, hidden: frozenset[str] = frozenset()) -> Json:
    """What `caller` may do with the records of `table`; everything for staff, without the fields that are hidden from them."""
    base = f"/api/v1/data/{table.alias}"
    fields = [field for field in table.fields if field.alias not in hidden]
    paths: Json = {
        f"{base}/records": {"get": _list(table, fields), "post": _write("create", "Make a record", 201)},
        f"{base}/records/{{id}}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": _one("get", "One record"),
            "patch": _write("update", "Change fields of a record", 200, extra=[_MATCH]),
            "delete": _one("delete", "Delete a record", extra=[_MATCH]),
        },
        f"{base}/upsert": {"post": _write("upsert", "Change the record with this key, or make it", 200, extra=[_key(fields)])},
        f"{base}/bulk": {"post": _bulk()},
        f"{base}/search": {"get": _search()},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": table.name, "version": str(table.version), "description": "\n\n".join(filter(None, [table.description, _ABOUT]))},
        "servers": [{"url": origin}],
        "security": [{"token": []}],
        "paths": {address: _allowed(methods, table, caller) for address, methods in paths.items()},
        "components": {
            "schemas": {"Error": apispec.ERROR, **_schemas(fields)},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token made in the admin under Integration, with a right for this model.",
                }
            },
        },
    }


def _allowed(methods: Json, table: Table, caller: Caller | None) -> Json:
    needs = {"get": "read", "delete": "delete"}
    return {
        name: value
        for name, value in methods.items()
        if caller is None or name == "parameters" or caller.may_data(table.alias, needs.get(name, "write"))
    }


def _schemas(fields: list[Field]) -> Json:
    written = {field.alias: field_schema(field) for field in fields}
    required = [field.alias for field in fields if field.required and field.default is None]
    system: Json = {
        "id": {"type": "integer"},
        "version": {"type": "integer"},
        "created_at": {"type": "string", "format": "date-time"},
        "updated_at": {"type": "string", "format": "date-time"},
    }
    return {
        "NewRecord": {"type": "object", "properties": written, "required": required, "additionalProperties": False},
        "Changes": {"type": "object", "properties": written, "additionalProperties": False},
        "Record": {"type": "object", "properties": {**system, **written}, "required": list(system)},
    }


def field_schema(field: Field) -> Json:
    """The JSON Schema of a field's value."""
    schema = dict(_TYPES.get(field.type.column, {"type": ["string", "null"]}))
    told = " ".join(filter(None, [field.help_text, "Unique." if field.unique else "", "Personal data." if field.personal else ""]))
    choices = [one["value"] for one in field.options.get("choices", [])] if isinstance(field.options, dict) else []
    if choices and field.type.column == "text[]":
        schema["items"] = {"type": "string", "enum": choices}
    elif choices:
        schema["enum"] = [*choices, None]
    for name, key in (("minimum", "minimum"), ("maximum", "maximum"), ("max_length", "maxLength")):
        bound = field.options.get(name)
        if bound is not None:
            schema[key] = float(bound) if key != "maxLength" else bound
    if field.default is not None:
        schema["default"] = field.default
    return {**schema, "title": field.name, **({"description": told} if told else {})}


def _list(table: Table, fields: list[Field]) -> Json:
    shown = [
        {
            "name": f"filter[{alias}][{op}]",
            "in": "query",
            "schema": {"type": "string"},
            "description": f"{alias} {OPERATORS[op]} …" + (" (divided by commas)" if op in ("in", "has_any", "has_all") else ""),
        }
        for alias in [*(field.alias for field in fields), *(name for name in SYSTEM if name != "version")]
        for op in target(table, alias).operators
    ]
    sortable = [*(field.alias for field in fields if field.type.sortable and not field.personal), "id", "created_at", "updated_at"]
    return {
        "operationId": "list_records",
        "summary": "A page of records",
        "parameters": [
            *shown,
            _query("sort", {"type": "string", "enum": [sign + name for name in sortable for sign in ("", "-")], "default": "-id"}),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}),
            _query("cursor", {"type": "string"}, "`next` of the page before."),
            _query("fields", {"type": "string"}, "Only these fields, divided by commas."),
            _query("count", {"type": "boolean"}, "Also how many there are, counted up to 10,000."),
        ],
        "responses": _responses(
            200, {"results": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}}, "next": {"type": ["string", "null"]}}
        ),
    }


def _query(name: str, schema: Json, description: str = "") -> Json:
    return {"name": name, "in": "query", "schema": schema, **({"description": description} if description else {})}


_MATCH: Json = {"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": 'The version that you saw, e.g. "3".'}
_IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key and request within 24 hours get the same answer and no second effect.",
}


def _key(fields: list[Field]) -> Json:
    return {
        **_query("key", {"type": "string", "enum": [field.alias for field in fields if field.unique] or ["id"]}, "A unique field."),
        "required": True,
    }


def _one(name: str, summary: str, *, extra: list[Json] | None = None) -> Json:
    good: Json = {"id": {"type": "integer"}} if name == "delete" else {"record": {"$ref": "#/components/schemas/Record"}}
    return {"operationId": f"{name}_record", "summary": summary, "parameters": extra or [], "responses": _responses(200, good)}


def _write(name: str, summary: str, status: int, *, extra: list[Json] | None = None) -> Json:
    schema = "Changes" if name == "update" else "NewRecord"
    return {
        **_one(name, summary, extra=[*(extra or []), *([] if name == "update" else [_IDEMPOTENCY])]),
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}},
        "responses": _responses(status, {"record": {"$ref": "#/components/schemas/Record"}}),
    }


def _bulk() -> Json:
    rows: Json = {"type": "array", "maxItems": MOST_ROWS, "items": {"oneOf": [{"type": "object"}, {"type": "integer"}]}}
    body: Json = {
        "type": "object",
        "required": ["operation", "records"],
        "properties": {
            "operation": {"type": "string", "enum": ["create", "update", "upsert", "delete"]},
            "key": {"type": "string", "description": "For upsert: a unique field."},
            "records": {**rows, "description": "Objects; for update with their id and, if wanted, version; for delete ids alone."},
            "all_or_nothing": {"type": "boolean", "default": False},
        },
    }
    line: Json = {
        "type": "object",
        "properties": {"row": {"type": "integer"}, "result": {"type": "string"}, "id": {"type": ["integer", "null"]}},
        "additionalProperties": True,
    }
    good: Json = {"written": {"type": "integer"}, "refused": {"type": "integer"}, "results": {"type": "array", "items": line}}
    return {
        "operationId": "bulk_records",
        "summary": f"Up to {MOST_ROWS} rows at once, with a report for each",
        "parameters": [_IDEMPOTENCY],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": _responses(200, good),
    }


def _search() -> Json:
    found: Json = {"results": {"type": "array", "items": {"$ref": "#/components/schemas/Record"}}, "matched_by": {"type": "string"}}
    return {
        "operationId": "search_records",
        "summary": "Search, also while somebody is typing",
        "parameters": [_query("q", {"type": "string"}), _query("limit", {"type": "integer", "minimum": 1, "maximum": 50, "default": 10})],
        "responses": _responses(200, found),
    }


def _responses(status: int, good: Json) -> Json:
    schema: Json = {
        "type": "object",
        "required": ["success", "trace_id"],
        "properties": {"success": {"type": "boolean"}, "trace_id": {"type": "string"}, **good},
    }
    errors = {
        str(code): {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        for code, text in apispec.statuses(*_ERRORS).items()
    }
    return {str(status): {"description": "Done", "content": {"application/json": {"schema": schema}}}, **errors}


# --- pages -----------------------------------------------------------------------------------------------------------


def reader(request: HttpRequest, alias: str) -> tuple[Table, Caller | None, frozenset[str]] | None:
    """Who may read the description: a token that reaches the model, or staff who see its records. None: nobody whom we know."""
    table = structure.by_alias(alias)
    clear = request.GET.get(QUERY, "") or request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if clear:
        caller = tokens.recognise(clear, at=timezone.now())
        if caller is None:
            return None
        if table is None or not sees(caller, table):
            raise RefusedError("not_found", "Model not found")
        return table, caller, frozenset()
    if not request.user.is_authenticated:
        return None
    rights: Any = access.rights(request.user, table) if table else None
    if table is None or not rights.view:
        raise RefusedError("not_found", "Model not found")
    return table, None, rights.hidden


class ModelOpenApiView(MachineView):
    """The description as JSON, for generators of clients."""

    methods = ("GET",)
    schema = None

    def get(self, request: HttpRequest, alias: str) -> HttpResponse:
        known = reader(request, alias)
        if known is None:
            raise RefusedError("invalid_token", headers={"WWW-Authenticate": "Bearer"})
        table, caller, hidden = known
        return Answer(200, document(table, origin=f"{request.scheme}://{request.get_host()}", caller=caller, hidden=hidden)).response()


class ModelDocsView(MachineView):
    """Swagger UI of a model's records."""

    methods = ("GET",)
    schema = None

    def get(self, request: HttpRequest, alias: str) -> HttpResponse:
        known = reader(request, alias)
        if known is None:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        token = request.GET.get(QUERY, "") if known[1] else ""
        return docs_page(request, title=known[0].name, url=reverse("gateway:model-openapi", args=[alias]), token=token)
