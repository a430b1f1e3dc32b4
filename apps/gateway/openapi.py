"""The OpenAPI 3.1 description of one bot's endpoints, made from their records (product row IN-8)."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from apps.bots.models import Bot
from apps.gateway import apispec, provided
from apps.gateway.answers import Json
from apps.gateway.models import Endpoint
from apps.gateway.tokens import Caller

_ID: Json = {"type": ["integer", "string"]}
_ANY_PARAMS: Json = {
    "type": "object",
    "properties": {
        "userId": {**_ID, "description": "Recipient by the user id of your system; userIds for several."},
        "leadId": {"type": "string", "description": "Recipient by lead id, e.g. TG-9072612."},
        "chatId": {**_ID, "description": "Recipient by the messenger's chat id."},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "additionalProperties": True,
}
_ABOUT = """Every answer has one form: `success`, `message`, `trace_id`, for errors also `code` and, where places are known, `errors`.
The header `X-Trace-Id` names the chain of a request in the event log.

The parameters may stand bare in the body or inside `script_request_params`. The recipient is `userId`, `leadId`, `chatId`, `phone` or `email`
(also in snake case, and in the plural with a list: everyone gets it)."""
_ERRORS = (400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503)
_PARAMETERS: Json = {
    "DryRun": {
        "name": "X-Dry-Run",
        "in": "header",
        "schema": {"type": "boolean"},
        "description": "`true`: every check is made and the answer tells what would be said and called; nothing happens.",
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 255},
        "description": "The same key and request within 24 hours get the same answer and no second effect; another request gets 409.",
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "schema": {"type": "string", "enum": ["respond-async"]},
        "description": "`respond-async`: answer 202 as soon as the call is accepted, without waiting for the scenario's first stop.",
    },
}
_SIGNATURE: list[Json] = [
    {"name": "webhook-id", "in": "header", "required": True, "schema": {"type": "string"}, "description": "Unique id of this request."},
    {"name": "webhook-timestamp", "in": "header", "required": True, "schema": {"type": "string"}, "description": "Unix time in seconds."},
    {
        "name": "webhook-signature",
        "in": "header",
        "required": True,
        "schema": {"type": "string"},
        "description": "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` with the endpoint's signing secret.",
    },
]


def document(bot: Bot, *, origin: str, caller: Caller | None = None) -> Json:
    """The description of every endpoint that may be called, for `caller` of those that its token covers. `origin`: scheme and host."""
    endpoints = [item for item in listed(bot) if caller is None or caller.may_call(item.alias, isolated=item.own_key)]
    names = dict(zip([item.alias for item in endpoints], _names(endpoints), strict=True))
    schemas: Json = {"Error": apispec.ERROR}
    paths: Json = {}
    for item in endpoints:
        schemas.update(_schemas(item, names[item.alias]))
        paths[f"/bots/{bot.pk}/call/{quote(item.alias, safe='/')}"] = {"post": _operation(item, names[item.alias])}
    return {
        "openapi": "3.1.0",
        "info": {"title": bot.name, "version": "1", "description": _ABOUT},
        "servers": [{"url": origin}],
        "security": [{"token": []}],
        "paths": paths,
        "webhooks": {item.alias: {item.method.lower(): _outbound(item)} for item in outbound(bot)},
        "components": {
            "schemas": schemas,
            "parameters": _PARAMETERS,
            "responses": _error_responses(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token made in the admin under Integration."}
            },
        },
    }


def listed(bot: Bot) -> list[Endpoint]:
    """The bot's endpoints that systems call, and the product's own that none of them replaces."""
    own = list(Endpoint.objects.filter(bot=bot, is_active=True).exclude(direction=Endpoint.Direction.OUTBOUND).order_by("alias"))
    taken = set(Endpoint.objects.filter(bot=bot).values_list("alias", flat=True))
    return [*own, *(item for item in provided.endpoints(bot) if item.alias not in taken)]


def outbound(bot: Bot) -> list[Endpoint]:
    """What scenarios of the bot call in other systems, as far as somebody wrote it down."""
    return list(Endpoint.objects.filter(bot=bot, is_active=True).exclude(direction=Endpoint.Direction.INBOUND).order_by("alias"))


def _operation(item: Endpoint, name: str) -> Json:
    good = {
        "headers": {"X-Trace-Id": apispec.TRACE_HEADER},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}Answer"}}},
    }
    return {
        "operationId": re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(),
        "summary": item.name or item.alias,
        "description": _description(item),
        "tags": [item.alias.partition("/")[0]],
        "parameters": [*({"$ref": f"#/components/parameters/{key}"} for key in _PARAMETERS), *(_SIGNATURE if item.signing_secret else [])],
        "requestBody": {"required": True, "content": {"application/json": _body(item, name)}},
        "responses": {
            "200": {"description": "Communication sent; with a dry run, what would happen.", **good},
            "202": {"description": "Communication accepted; it goes on without the caller.", **good},
            **{str(status): {"$ref": f"#/components/responses/Error{status}"} for status in _ERRORS},
        },
    }


def _description(item: Endpoint) -> str:
    lines = [item.purpose, f"Owner: {item.owner}" if item.owner else ""]
    lines += ["This endpoint is isolated: the token must name its alias." if item.own_key else ""]
    lines += ["Requests must be signed." if item.signing_secret else ""]
    return "\n\n".join(line for line in lines if line)


def _body(item: Endpoint, name: str) -> Json:
    shown = item.request_example or (None if item.request_schema else {"userId": 125})
    example = {"example": shown} if shown else {}
    return {"schema": {"$ref": f"#/components/schemas/{name}Request"}, **example}


def _outbound(item: Endpoint) -> Json:
    content = {
        "schema": _described(item.request_schema, f"{item.alias} request"),
        **({"example": item.request_example} if item.request_example else {}),
    }
    described = "\n\n".join(line for line in (item.purpose, f"Scenarios call {item.method} {item.url}" if item.url else "") if line)
    answer: Json = {"description": "Done"}
    if item.response_schema:
        answer["content"] = {"application/json": {"schema": item.response_schema}}
    body = {} if item.method == "GET" else {"requestBody": {"content": {"application/json": content}}}
    return {
        "summary": item.name or item.alias,
        "description": described,
        "tags": ["Calls to your system"],
        **body,
        "responses": {"200": answer},
    }


def _schemas(item: Endpoint, name: str) -> Json:
    """The request, the answer and what their schemas define, each under a name of its own that references can reach."""
    data = item.response_schema or {}
    answer: Json = {
        "type": "object",
        "required": ["success", "message", "trace_id"],
        "properties": {
            "success": {"type": "boolean"},
            "message": {"type": "string"},
            "trace_id": {"type": "string"},
            "data": _hoisted(data, f"{name}Data"),
            "results": {
                "type": "array",
                "items": {"type": "object", "additionalProperties": True},
                "description": "One for each recipient of a list.",
            },
            "dry_run": {"type": "boolean"},
            "would": {"type": "object", "additionalProperties": True, "description": "Of a dry run: say, call, set, emit, path."},
        },
    }
    request = _described(item.request_schema, name)
    return {
        f"{name}Request": _hoisted(request, f"{name}Request"),
        f"{name}Answer": answer,
        **_definitions(request, f"{name}Request"),
        **_definitions(data, f"{name}Data"),
    }


def _described(schema: Json, title: str) -> Json:
    if not schema:
        return _ANY_PARAMS
    return {"type": "object", **schema} if "properties" in schema else {"title": title, **schema}


def _definitions(schema: Json, name: str) -> Json:
    found = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    return {name + _name(key): _hoisted(value, name) for key, value in found.items()}


def _hoisted(schema: Any, name: str) -> Any:
    """The schema with `#/$defs/x` turned into the component that `x` becomes, and without the definitions themselves."""
    if isinstance(schema, list):
        return [_hoisted(item, name) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _hoisted(value, name) for key, value in schema.items() if key not in {"$defs", "definitions", "$schema", "$id"}}
    if isinstance(ref := schema.get("$ref"), str):
        match = re.fullmatch(r"#/(?:\$defs|definitions)/([^/]+)", ref)
        plain["$ref"] = f"#/components/schemas/{name}{_name(match[1]) if match else ''}"
    return plain


def _error_responses() -> Json:
    headers: Json = {"X-Trace-Id": apispec.TRACE_HEADER}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        f"Error{status}": {
            "description": text,
            "content": content,
            "headers": {**headers, "Retry-After": apispec.RETRY_HEADER} if status in {429, 503} else headers,
        }
        for status, text in apispec.statuses(*_ERRORS).items()
    }


def _names(endpoints: Iterable[Endpoint]) -> Iterator[str]:
    """A name for each that is good in any programming language: `order/thank-you` is `OrderThankYou`."""
    taken: set[str] = set()
    for number, item in enumerate(endpoints, start=1):
        name = _name(item.alias) or f"Endpoint{number}"
        name = name if name not in taken else f"{name}{number}"
        taken.add(name)
        yield name


def _name(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return f"N{name}" if name[:1].isdigit() else name
