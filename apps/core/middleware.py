"""Puts each request into its chain."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.trace import HEADER, META_KEY, accepted_trace_id, trace

GetResponse = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class TraceMiddleware:
    """Takes the caller's `X-Trace-Id` or W3C `traceparent` when valid, else begins a chain; answers with `X-Trace-Id`.

    Must be first, so that every other line and event of the request is in the chain. Works under WSGI and ASGI.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self._answer_async(request) if self.is_async else self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        with trace(_asked(request)) as trace_id:
            request.META[META_KEY] = trace_id
            response = self.get_response(request)
            assert isinstance(response, HttpResponseBase)  # noqa: S101  tells the type; the async way is below
            response.headers[HEADER] = trace_id
            return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with trace(_asked(request)) as trace_id:
            request.META[META_KEY] = trace_id
            response = self.get_response(request)
            assert not isinstance(response, HttpResponseBase)  # noqa: S101
            answer = await response
            answer.headers[HEADER] = trace_id
            return answer


def _asked(request: HttpRequest) -> str:
    return accepted_trace_id(request.headers.get(HEADER), request.headers.get("traceparent"))
