"""The ground of addresses that our own pages call for a signed-in member of staff: the builder, the chat preview.

Tokens of other systems are no way in: they carry no person's right to edit, which trying out and saving need (security.md 7).
"""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from rest_framework.authentication import CSRFCheck, SessionAuthentication

from apps.accounts.models import User
from apps.core import ratelimit
from apps.gateway import bodies
from apps.gateway.answers import Json, RefusedError
from apps.gateway.machine import MachineView

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CALLS_PER_MINUTE = 1200


class StaffView(MachineView):
    """Session and CSRF token of the admin; answers in the reader's language."""

    authentication_classes = [SessionAuthentication]

    def language(self) -> str:
        return translation.get_language() or "en"

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        self.check_method(request)
        user = request.user
        if not user.is_authenticated or not user.is_active or not user.is_staff:
            raise RefusedError("not_signed_in")
        if request.method not in SAFE:
            _check_csrf(request)
        decision = ratelimit.allow(f"staff:{user.pk}", limit=CALLS_PER_MINUTE, per_seconds=60)
        if not decision.allowed:
            raise RefusedError("rate_limited", headers={"Retry-After": str(int(decision.retry_after) + 1)})
        return super().answer(request, **kwargs)


def body_of(request: HttpRequest) -> Json:
    """The JSON object that was posted; raises `RefusedError`."""
    raw = bodies.read(request)
    bodies.check_is_json(request)
    return bodies.parse_object(raw)


def reader(request: HttpRequest) -> User:
    """Who asks; `StaffView` has let nobody else in."""
    return cast("User", request.user)


def _check_csrf(request: HttpRequest) -> None:
    check = CSRFCheck(lambda _request: HttpResponse())
    check.process_request(request)
    if check.process_view(request, lambda *_args: HttpResponse(), (), {}):
        raise RefusedError("forged")
