"""The addresses of the integration API: calls of endpoints, the external messenger, the mapping table."""

from abc import abstractmethod
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema

from apps.core.trace import current_trace_id
from apps.gateway import apispec, calling, endpoints, external, mapping, noting
from apps.gateway.answers import Answer, RefusedError
from apps.gateway.machine import MachineView
from apps.gateway.noting import Attempt

logger = structlog.get_logger(__name__)


class NotedView(MachineView):
    """A view each of whose requests leaves one row in the event log, whatever became of it."""

    authentication_classes = [apispec.TokenAuthentication]

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        attempt = noting.begin(request, self.endpoint_name(**kwargs))
        answer = self._safely(request, attempt, **kwargs)
        noting.note(attempt, answer)
        return answer.response()

    @abstractmethod
    def endpoint_name(self, **kwargs: Any) -> str:
        """How the log names what was called."""

    @abstractmethod
    def work(self, request: HttpRequest, attempt: Attempt, **kwargs: Any) -> Answer:
        """Do it, or raise `RefusedError`; what becomes known is put into `attempt`."""

    def _safely(self, request: HttpRequest, attempt: Attempt, **kwargs: Any) -> Answer:
        try:
            return self.work(request, attempt, **kwargs)
        except RefusedError as refusal:
            return refusal.answer()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("a call failed", endpoint=attempt.alias)
            return RefusedError("internal_error").answer()


class CallView(NotedView):
    """`POST /bots/{botId}/call/{alias}`. It tells a wrong method last, so that the address and the token are checked before."""

    def endpoint_name(self, **kwargs: Any) -> str:
        return str(kwargs["alias"])

    def work(self, request: HttpRequest, attempt: Attempt, **kwargs: Any) -> Answer:
        return calling.answer(request, attempt, bot_id=kwargs["bot_id"], alias=kwargs["alias"])

    @extend_schema(**apispec.CALL)
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(request, **kwargs)


class ExternalMessageView(NotedView):
    """`POST /api/1.1/wf/send_message_external` (product row IN-10)."""

    def endpoint_name(self, **_kwargs: Any) -> str:
        return external.SCOPE

    def work(self, request: HttpRequest, attempt: Attempt, **_kwargs: Any) -> Answer:
        self.check_method(request)
        return external.message(request, attempt)

    @extend_schema(**apispec.MESSAGE)
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(request, **kwargs)


class ExternalStatusView(NotedView):
    """`POST /api/v1/channels/{task_id}/statuses`: delivery reports of an external messenger."""

    def endpoint_name(self, **_kwargs: Any) -> str:
        return f"{external.SCOPE}/statuses"

    def work(self, request: HttpRequest, attempt: Attempt, **kwargs: Any) -> Answer:
        self.check_method(request)
        return external.status(request, attempt, task_id=kwargs["task_id"])

    @extend_schema(**apispec.STATUS)
    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(request, **kwargs)


class ReadingView(MachineView):
    """Ground of views that a token may read with: admitted, within its rate, of this bot. Successful reading is not an event."""

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
