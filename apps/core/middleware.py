"""Puts each request into its chain, and leads machines past what only people need."""

import re
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

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


_CALLED_BY_MACHINES = re.compile(r"/(?:bots/[^/]+/call/|webhooks/)")


class MachineMiddleware:
    """Calls of endpoints and webhooks of messengers go straight to their views: no session, user, language, static file, form token or message
    concerns them, and those middlewares cost as much as the call itself. Must stand behind what concerns everybody (chain, HTTPS).
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self.get_response) or not _CALLED_BY_MACHINES.match(request.path_info):
            return self.get_response(request)
        request.get_host()  # refuses names that are not ours
        try:
            found = request.resolver_match = resolve(request.path_info, settings.MACHINE_URLCONF)
        except Resolver404:
            return self.get_response(request)
        answer: HttpResponseBase = found.func(request, *found.args, **found.kwargs)
        return answer
