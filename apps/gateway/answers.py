"""The one form of every answer to a machine (product rows IN-1, IN-2): what went right, what was refused and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import JsonResponse

from apps.core.trace import current_trace_id

Json = dict[str, Any]


@dataclass(frozen=True)
class Reason:
    """A code of the API: its HTTP status and its message. Not translated: programs and their authors read it."""

    status: int
    message: str


REASONS: Mapping[str, Reason] = {
    "invalid_token": Reason(401, "Invalid token"),
    "invalid_signature": Reason(401, "Invalid signature"),
    "not_signed_in": Reason(401, "Sign in to the admin first"),
    "forged": Reason(403, "The request does not come from our own pages. Send the CSRF token in the header X-CSRFToken."),
    "forbidden": Reason(403, "Your role does not allow this"),
    "not_allowed": Reason(403, "This token may not call this endpoint"),
    "dry_run_only": Reason(403, "This token may only make dry runs. Send the header X-Dry-Run: true."),
    "endpoint_not_found": Reason(404, "Endpoint not found"),
    "not_found": Reason(404, "Not found"),
    "method_not_allowed": Reason(405, "Method not allowed"),
    "too_large": Reason(413, "The body is too large"),
    "not_json": Reason(415, "The body must be JSON in UTF-8. Send Content-Type: application/json."),
    "bad_json": Reason(400, "The body is not valid JSON"),
    "invalid_definition": Reason(400, "The definition has errors"),
    "bad_request": Reason(400, "The request is not valid"),
    "schema_mismatch": Reason(400, "The parameters do not fit the endpoint's schema"),
    "recipient_required": Reason(400, "Recipient is required. Send userId, leadId, chatId, phone or email."),
    "recipient_not_found": Reason(400, "Recipient not found"),
    "recipient_unreachable": Reason(409, "Recipient is not reachable"),
    "not_published": Reason(409, "The endpoint has no published scenario"),
    "endpoint_misconfigured": Reason(409, "The endpoint's request schema cannot be used. Correct it in the admin."),
    "key_reused": Reason(409, "This Idempotency-Key was used with another request. Use a new key for a new request."),
    "invalid_record": Reason(400, "The record is not valid"),
    "too_slow": Reason(400, "The question takes too long. Filter by an indexed field or search for longer words."),
    "version_conflict": Reason(412, "The record has another version. Read it again and repeat your change."),
    "record_in_use": Reason(409, "Other records point at this one"),
    "already_linked": Reason(409, "The chat or the user is linked otherwise already"),
    "no_longer_awaited": Reason(410, "Nobody waits for this answer any more: its time is over or the dialogue has ended"),
    "replayed": Reason(409, "A request with this webhook-id was already accepted"),
    "stale": Reason(412, "Somebody else has saved it since you read it"),
    "precondition_required": Reason(428, "Send the number of the draft that you have changed in the header If-Match"),
    "rate_limited": Reason(429, "Too many calls"),
    "script_error": Reason(500, "Script error"),
    "internal_error": Reason(500, "Internal error. Give the trace_id to the administrator."),
    "unavailable": Reason(503, "Temporarily unavailable. Nothing was accepted; try again."),
}


@dataclass(frozen=True)
class Answer:
    """What goes back: status, body and headers beside the usual ones."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JsonResponse:
        response = JsonResponse(self.body, status=self.status, headers=dict(self.headers), json_dumps_params={"ensure_ascii": False})
        response.headers["Cache-Control"] = "no-store"
        return response


class RefusedError(Exception):
    """The request is answered with this code. `message` replaces the code's own; `errors` lists places; `extra` adds keys to the answer."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        errors: Sequence[Json] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message or REASONS[code].message)
        self.code = code
        self.errors = list(errors)
        self.headers = headers or {}
        self.extra = extra

    def answer(self) -> Answer:
        body: Json = {"success": False, "message": str(self), "trace_id": current_trace_id(), "code": self.code, **self.extra}
        if self.errors:
            body["errors"] = self.errors
        return Answer(REASONS[self.code].status, body, self.headers)


def success(message: str, *, status: int = 200, trace_id: str = "", **extra: Any) -> Answer:
    return Answer(status, {"success": True, "message": message, "trace_id": trace_id or current_trace_id(), **extra})


def unavailable() -> Answer:
    """The database is away. The answer never says more: nothing was stored, so the caller may simply repeat."""
    return RefusedError("unavailable", headers={"Retry-After": "1"}).answer()
