"""The body of a request, read within its limit and parsed strictly (security.md 11)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError

from apps.core import strictjson
from apps.gateway.answers import Json, RefusedError

_CHUNK = 1 << 16
_DRAIN_FACTOR = 8


def read(request: HttpRequest) -> bytes:
    """The raw bytes; raises `RefusedError` when there are more than `CALL_MAX_BYTES`."""
    limit = int(settings.CALL_MAX_BYTES)
    stream = _stream(request)
    try:
        if _declared_length(request) > limit:
            _drain(stream, limit * _DRAIN_FACTOR)
            raise _too_large(limit)
        body: bytes = stream.read(limit + 1)
    except (UnreadablePostError, OSError) as error:
        raise RefusedError("bad_request", "The body ended before its announced length.") from error
    if len(body) > limit:
        raise _too_large(limit)
    return body


def check_is_json(request: HttpRequest) -> None:
    """A missing Content-Type is taken for JSON; another one is refused rather than guessed."""
    kind, charset = request.content_type or "", (request.content_params or {}).get("charset", "utf-8")
    if (kind and kind != "application/json" and not kind.endswith("+json")) or charset.lower().replace("-", "") != "utf8":
        raise RefusedError("not_json")


def parse_object(body: bytes) -> Json:
    """The JSON object in `body`; raises `RefusedError` with the place of the mistake."""
    value = parse(body)
    if not isinstance(value, dict):
        raise RefusedError("bad_json", "The body must be a JSON object, {…}.")
    return value


def parse(body: bytes) -> Any:
    try:
        return strictjson.loads(body, max_bytes=int(settings.CALL_MAX_BYTES))
    except strictjson.StrictJsonError as error:
        raise RefusedError("too_large" if error.too_large else "bad_json", error.reason) from error


def _stream(request: HttpRequest) -> Any:
    """Django reads nothing when a body came in chunks without a length; the server below has unpacked it and ends it properly."""
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    environ = getattr(request, "environ", None)
    return environ["wsgi.input"] if chunked and environ and not request.META.get("CONTENT_LENGTH") else request


def _declared_length(request: HttpRequest) -> int:
    text = str(request.META.get("CONTENT_LENGTH") or "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _drain(stream: Any, most: int) -> None:
    """Take the body off the wire, so that a caller that is still sending sees our answer and not a broken connection."""
    taken = 0
    while taken < most:
        chunk = stream.read(_CHUNK)
        if not chunk:
            return
        taken += len(chunk)


def _too_large(limit: int) -> RefusedError:
    return RefusedError("too_large", f"The body is larger than {limit} bytes.")
