"""The addresses of the integration API: calls of endpoints and the mapping table."""

from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema

from apps.core.trace import current_trace_id
from apps.gateway import apispec, calling, endpoints, mapping, noting
from apps.gateway.answers import Answer, RefusedError
from apps.gateway.machine import MachineView
from apps.gateway.noting import Attempt

logger = structlog.get_logger(__name__)


class CallView(MachineView):
    """`POST /bots/{botId}/call/{alias}`. Every call leaves one row in the event log, whatever became of it."""

    authentication_classes = [apispec.TokenAuthentication]

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        attempt = noting.begin(request, kwargs["alias"])
        answer = self._answer(request, attempt, **kwargs)
        noting.note(attempt, answer)
        return answer.response()

    @extend_schema(**apispec.CALL)
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(request, **kwargs)

    def _answer(self, request: HttpRequest, attempt: Attempt, **kwargs: Any) -> Answer:
        try:
            return calling.answer(request, attempt, bot_id=kwargs["bot_id"], alias=kwargs["alias"])
        except RefusedError as refusal:
            return refusal.answer()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("a call failed", alias=attempt.alias)
            return RefusedError("internal_error").answer()


class ReadingView(MachineView):
    """Ground of views that a token may read with: admitted, within its rate, of this bot."""

    methods = ("GET",)
    authentication_classes = [apispec.TokenAuthentication]
    scope = ""

    def admitted(self, request: HttpRequest, bot_id: str) -> Attempt:
        attempt = noting.begin(request, self.scope)
        caller = calling.admitted(request, attempt)
        bot = endpoints.find_bot(bot_id, caller, code="not_found")
        attempt.endpoint = endpoints.internal(bot, self.scope)
        endpoints.check_scope(attempt.endpoint, caller, dry_run=False)
        return attempt


class MappingView(ReadingView):
    """The mapping table as JSON, with the field names of the sources (product row ID-1)."""

    scope = "mapping"

    @extend_schema(**apispec.MAPPING)
    def get(self, request: HttpRequest, bot_id: str) -> HttpResponse:
        attempt = self.admitted(request, bot_id)
        page = mapping.page(attempt, cursor=request.GET.get("cursor", ""), limit=request.GET.get("limit", ""))
        return Answer(200, {"success": True, "trace_id": current_trace_id(), **page}).response()


class UserMappingView(ReadingView):
    """The rows of one user."""

    scope = "mapping"

    @extend_schema(**apispec.MAPPING_OF_USER)
    def get(self, request: HttpRequest, bot_id: str, user_id: str) -> HttpResponse:
        attempt = self.admitted(request, bot_id)
        rows = mapping.of_user(attempt, user_id)
        return Answer(200, {"success": True, "trace_id": current_trace_id(), "results": rows}).response()
