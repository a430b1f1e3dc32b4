"""`/health/`: all parts, for monitoring and load balancers. `/health/live`: this process only, for a supervisor."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.health import report


@require_safe
@never_cache
def health(_request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503; the body names each part either way."""
    parts = report()
    well = all(part.ok for part in parts.values())
    body = {"status": "ok" if well else "failing", "parts": {name: part.as_json() for name, part in parts.items()}}
    return JsonResponse(body, status=200 if well else 503)


@require_safe
@never_cache
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all."""
    return JsonResponse({"status": "ok"})
