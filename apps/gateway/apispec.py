"""Pieces of OpenAPI that the platform's description and each bot's share: the form of answers, headers, error answers."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_serializer
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication

from apps.gateway.answers import REASONS, Json

ERROR: Json = {
    "type": "object",
    "required": ["success", "message", "trace_id", "code"],
    "properties": {
        "success": {"type": "boolean"},
        "message": {"type": "string"},
        "trace_id": {"type": "string"},
        "code": {"type": "string", "enum": sorted(REASONS)},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
}
TRACE_HEADER: Json = {"description": "The id of this request's chain in the event log.", "schema": {"type": "string"}}
RETRY_HEADER: Json = {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}
_SENT: Json = {
    "type": "object",
    "required": ["success", "message", "trace_id"],
    "properties": {"success": {"type": "boolean"}, "message": {"type": "string"}, "trace_id": {"type": "string"}, "data": {}},
}


@extend_schema_serializer(component_name="Error")
class ErrorAnswer(serializers.Serializer[Any]):
    """The one form of every refusal. `errors` names places: fields that do not fit, or the node of a scenario."""

    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    trace_id = serializers.CharField(help_text="The chain of this request in the event log; also in the header X-Trace-Id.")
    code = serializers.CharField(help_text=", ".join(sorted(REASONS)))
    errors = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]


class TokenAuthentication(BaseAuthentication):
    """Names our tokens in the description; the check itself is `tokens.authenticate`."""


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer tokens in the platform's OpenAPI."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, _auto_schema: Any) -> Json:
        return {"type": "http", "scheme": "bearer", "description": "A token made in the admin under Integration, `dbt_…`."}


def statuses(*codes: int) -> dict[int, str]:
    """For each status what its codes and messages are, for people who read the description."""
    return {
        status: "; ".join(f"`{code}`: {reason.message}" for code, reason in REASONS.items() if reason.status == status) for status in codes
    }


def responses(
    *codes: int, good: Json | type[serializers.Serializer[Any]] = _SENT, good_status: int = 200, description: str = "Done"
) -> dict[int, OpenApiResponse]:
    """The good answer and our error answers."""
    errors = {status: OpenApiResponse(response=ErrorAnswer, description=text) for status, text in statuses(*codes).items()}
    return {good_status: OpenApiResponse(response=good, description=description), **errors}


def header(name: str, description: str, kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description)


def query(name: str, description: str, kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)


def path(name: str, description: str, kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description)


_ANYTHING: Json = {"type": "object", "additionalProperties": True}
_ID: Json = {"oneOf": [{"type": "integer"}, {"type": "string"}]}
_ROW: Json = {
    "type": "object",
    "properties": {
        "userId": {**_ID, "nullable": True},
        "leadId": {"type": "string"},
        "chatId": _ID,
        "isActive": {"type": "boolean"},
        "source": {"type": "string"},
        "connected_at": {"type": "string", "format": "date-time", "nullable": True},
    },
}

CALL: dict[str, Any] = {
    "operation_id": "call_endpoint",
    "tags": ["Endpoints"],
    "summary": "Call an integration point: start its scenario for one or more people",
    "description": "The description of one bot, with the schema of each of its endpoints, is at /docs/{bot_id}.",
    "parameters": [
        path("bot_id", "Id of the bot."),
        path("alias", "Alias of the endpoint; may hold slashes."),
        header("X-Dry-Run", "`true`: check everything, tell what would happen, change nothing."),
        header("Idempotency-Key", "The same key and request within 24 hours get the same answer and no second effect."),
        header("Prefer", "`respond-async`: answer as soon as the call is accepted."),
        query("dry_run", "As the header X-Dry-Run.", OpenApiTypes.BOOL),
        query("async", "As `Prefer: respond-async`.", OpenApiTypes.BOOL),
    ],
    "request": {"application/json": _ANYTHING},
    "responses": responses(400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503, description="Communication sent")
    | {202: OpenApiResponse(response=_SENT, description="Communication accepted")},
}
WEBHOOK: dict[str, Any] = {
    "operation_id": "receive_webhook",
    "tags": ["Webhooks"],
    "summary": "Where a messenger posts its updates to",
    "description": "Verified by the messenger's own signature over the raw body, stored once, answered at once.",
    "parameters": [path("kind", "Type of the channel."), path("public_id", "Public id of the channel.", OpenApiTypes.UUID)],
    "request": {"application/json": _ANYTHING},
    "responses": responses(401, 404, 405, 413, 503, description="Stored"),
    "auth": [],
}
CALLBACK: dict[str, Any] = {
    "operation_id": "receive_callback",
    "tags": ["Callbacks"],
    "summary": "The later answer to a call of a scenario",
    "description": (
        "The address was given to you with the call (`X-Callback-Url`); it is signed and good for one answer. 202: taken, the dialogue goes on. "
        "200: it was taken before. 410: nobody waits for it any more. JSON or text, at most 1 MB."
    ),
    "parameters": [path("token", "From the address that you were given.")],
    "request": {"application/json": _ANYTHING, "text/plain": {"type": "string"}},
    "responses": {
        202: OpenApiResponse(description="Taken"),
        **responses(400, 404, 405, 410, 413, 503, description="Taken before"),
    },
    "auth": [],
}
MESSAGE: dict[str, Any] = {
    "operation_id": "send_message_external",
    "tags": ["External messenger"],
    "summary": "A message of a user of an external messenger",
    "description": "`chat_id` merges the dialogue. The answer names the message and its thread as our webhooks do; null while a worker has the chat.",
    "parameters": [header("Idempotency-Key", "Makes a repeated request harmless; as `client_message_id` in the body.")],
    "request": {
        "application/json": {
            "type": "object",
            "required": ["task_id", "chat_id", "message"],
            "properties": {
                "task_id": {"type": "string", "description": "Public id of the channel."},
                "chat_id": {"type": "string", "description": "Id of the user in the external system; merges the dialogue."},
                "message": {"type": "string"},
                "client_message_id": {"type": "string"},
                "name": {"type": "string"},
                "username": {"type": "string"},
                "phone": {"type": "string"},
                "email": {"type": "string"},
                "language": {"type": "string"},
                "action_id": {"type": "string", "description": "Id of a pressed button."},
                "start": {"type": "string", "description": "Payload of a deep link that opened the chat."},
                "attachments": {"type": "array", "items": _ANYTHING},
            },
        },
    },
    "responses": responses(
        400,
        401,
        403,
        404,
        405,
        409,
        413,
        415,
        429,
        503,
        description="Message accepted",
        good={
            "type": "object",
            "properties": {
                "success": {"type": "boolean"},
                "message_id": {"type": "string"},
                "thread_id": {"type": "string", "nullable": True},
                "trace_id": {"type": "string"},
            },
        },
    ),
}
STATUS: dict[str, Any] = {
    "operation_id": "report_status",
    "tags": ["External messenger"],
    "summary": "Delivery report of the external messenger",
    "description": "`message_id` is the one that our webhook gave.",
    "parameters": [path("task_id", "Public id of the channel.")],
    "request": {
        "application/json": {
            "type": "object",
            "required": ["message_id", "status"],
            "properties": {
                "message_id": {"type": "string"},
                "status": {"type": "string", "enum": ["delivered", "read", "failed"]},
                "reason": {"type": "string"},
            },
        },
    },
    "responses": responses(400, 401, 403, 404, 405, 413, 415, 429, 503, description="Noted"),
}
MAPPING: dict[str, Any] = {
    "operation_id": "list_mapping",
    "tags": ["Mapping"],
    "summary": "The mapping table userId, leadId, chatId, page by page",
    "description": "In the order in which leads came. `userId` is the id in the system that the token names, null until the chat is connected.",
    "parameters": [
        path("bot_id", "Id of the bot."),
        query("cursor", "`next` of the page before; the first page without it."),
        query("limit", "Rows a page, 1 to 500.", OpenApiTypes.INT),
    ],
    "responses": responses(
        400,
        401,
        403,
        404,
        405,
        429,
        503,
        description="A page",
        good={
            "type": "object",
            "properties": {
                "success": {"type": "boolean"},
                "trace_id": {"type": "string"},
                "results": {"type": "array", "items": _ROW},
                "next": {"type": "string", "nullable": True},
            },
        },
    ),
}
MAPPING_OF_USER: dict[str, Any] = {
    "operation_id": "get_mapping",
    "tags": ["Mapping"],
    "summary": "The chats of one user",
    "description": "One row for each chat of the user.",
    "parameters": [path("bot_id", "Id of the bot."), path("user_id", "The user's id in the calling system.")],
    "responses": responses(
        401,
        403,
        404,
        405,
        429,
        503,
        description="The user's chats",
        good={
            "type": "object",
            "properties": {"success": {"type": "boolean"}, "trace_id": {"type": "string"}, "results": {"type": "array", "items": _ROW}},
        },
    ),
}
