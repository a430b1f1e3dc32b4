"""The ground of the web chat's API: who asks, from which page, how often; and one form for every answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from apps.bots.models import Channel
from apps.core import ratelimit
from apps.core.strictjson import StrictJsonError, loads
from apps.core.trace import current_trace_id
from apps.panel import visitors
from apps.panel.models import WidgetVisitor
from apps.panel.origins import allowed_origin

logger = structlog.get_logger(__name__)
P = ParamSpec("P")

MAX_BODY_BYTES = 128 * 1024
PREFLIGHT_SECONDS = 600
Json = dict[str, Any]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class RefusedError(Exception):
    """The call is answered with this status; the text is for people and says what to do."""

    def __init__(self, status: int, code: str, text: str, *, retry_after: float = 0) -> None:
        super().__init__(text)
        self.status, self.code, self.retry_after = status, code, retry_after


@dataclass(frozen=True)
class Limit:
    """`count` calls per `seconds`, as one burst or spread out. `name` keeps limits apart."""

    name: str
    count: int
    seconds: float


def api(*methods: str) -> Callable[[View[P]], View[P]]:
    """A view of the API: only these methods, JSON out, errors in one form, readable by the pages that may show the chat.

    No cookie is used, so that there is nothing to forge across sites.
    """

    def decorate(view: View[P]) -> View[P]:
        @csrf_exempt
        @wraps(view)
        def answered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            response = _answer(view, methods, request, *args, **kwargs)
            return _readable(request, response, methods)

        return answered

    return decorate


def _answer(view: View[P], methods: tuple[str, ...], request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
    try:
        if request.method == "OPTIONS":
            return HttpResponse(status=204)
        _check_method(request, methods)
        return view(request, *args, **kwargs)
    except RefusedError as refusal:
        return _refusal(refusal)
    except (OperationalError, InterfaceError) as error:
        logger.warning("the database is away", error=type(error).__name__)
        return _refusal(RefusedError(503, "unavailable", _("Temporarily unavailable. Try again."), retry_after=2))


def _check_method(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise RefusedError(405, "method_not_allowed", _("This address takes %(methods)s.") % {"methods": ", ".join(methods)})


def _refusal(refusal: RefusedError) -> HttpResponse:
    response = JsonResponse(
        {"success": False, "code": refusal.code, "message": str(refusal), "trace_id": current_trace_id()},
        status=refusal.status,
    )
    if refusal.retry_after:
        response["Retry-After"] = str(max(1, round(refusal.retry_after)))
    return response


def _readable(request: HttpRequest, response: HttpResponse, methods: tuple[str, ...]) -> HttpResponse:
    """CORS: only the origin that a view has checked may read the answer. A preflight has no key yet; it opens nothing by itself."""
    response.headers.setdefault("Cache-Control", "no-store")
    patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin", "")
    if origin and (request.method == "OPTIONS" or getattr(request, "allowed_origin", "") == origin):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = "Retry-After, X-Trace-Id"
    if request.method == "OPTIONS":
        response["Access-Control-Allow-Methods"] = ", ".join(methods)
        response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept-Language"
        response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def visitor_of(request: HttpRequest) -> WidgetVisitor:
    """The visitor whose token the call carries, if the page may show this channel's chat."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    visitor = visitors.find(token.strip()) if scheme.lower() == "bearer" else None
    if visitor is None:
        raise RefusedError(401, "invalid_token", _("This chat session has ended. Open the chat again."))
    check_origin(request, visitor.channel)
    return visitor


def check_origin(request: HttpRequest, channel: Channel) -> None:
    """Refuses pages that are neither ours nor an allowed host's; remembers the one that may read the answer."""
    origin = allowed_origin(request, channel.config.get("allowed_hosts") or [])
    if origin is None:
        raise RefusedError(403, "origin_not_allowed", _("This page may not show the chat. Add its host to the channel's allowed hosts."))
    request.allowed_origin = origin  # type: ignore[attr-defined]


def within(limit: Limit, key: str) -> None:
    decision = ratelimit.allow(f"widget:{limit.name}:{key}", limit=limit.count, per_seconds=limit.seconds)
    if not decision.allowed:
        raise RefusedError(429, "rate_limited", _("Too many at once. Wait a moment and try again."), retry_after=decision.retry_after)


def body(request: HttpRequest) -> Json:
    """The call's JSON object."""
    try:
        value = loads(request.read(MAX_BODY_BYTES + 1), max_bytes=MAX_BODY_BYTES)
    except StrictJsonError as error:
        raise RefusedError(413 if error.too_large else 400, "too_large" if error.too_large else "bad_json", error.reason) from error
    if not isinstance(value, dict):
        raise RefusedError(400, "bad_request", _("A JSON object is expected."))
    return value


def text(data: Mapping[str, Any], key: str, *, limit: int, needed: bool = False) -> str:
    """A text of at most `limit` characters; absent or null is "" unless `needed`."""
    value = data.get(key)
    if value is None or value == "":
        if needed:
            raise RefusedError(400, "bad_request", _("“%(key)s” is missing.") % {"key": key})
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise RefusedError(
            400, "bad_request", _("“%(key)s” must be a text of at most %(limit)s characters.") % {"key": key, "limit": limit}
        )
    return value
