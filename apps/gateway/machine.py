"""The ground of every view that programs call: whatever happens, the answer is JSON in our one form."""

from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from rest_framework.views import APIView

from apps.gateway.answers import RefusedError, unavailable

logger = structlog.get_logger(__name__)


class MachineView(APIView):
    """A view that is described like any DRF view but answers the plain request: no content negotiation, parsers or serializers on the way,
    which cost as much as the work itself (measured: half of DRF's time).
    """

    methods: ClassVar[tuple[str, ...]] = ("POST",)

    def language(self) -> str:
        """Of the answers; programs and their authors read English."""
        return "en"

    def dispatch(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(self.language()):
            try:
                return self.answer(request, **kwargs)
            except RefusedError as refusal:
                return refusal.answer().response()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is away", error=type(error).__name__)
                return unavailable().response()
            except Exception:
                logger.exception("a request failed", path=request.path)
                return RefusedError("internal_error").answer().response()

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Hand the request to the method of its name; views whose checks have an order of their own replace this."""
        self.check_method(request)
        handler: Callable[..., HttpResponse] = getattr(self, str(request.method).lower())
        return handler(request, **kwargs)

    def check_method(self, request: HttpRequest) -> None:
        if request.method not in self.methods:
            raise RefusedError("method_not_allowed", headers={"Allow": ", ".join(self.methods)})


class UnknownPathView(MachineView):
    """An address below the machine-facing ones that leads nowhere."""

    schema = None

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ARG002  the contract's arguments
        raise RefusedError("not_found")
