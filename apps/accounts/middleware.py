"""Shows each member of staff the pages in their own language and time zone."""

import zoneinfo
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from apps.accounts.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class PersonalMiddleware:
    """Stands after authentication. Without a choice of their own the browser's language and the server's zone remain."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        with _as_chosen(request.user):
            return self.get_response(request)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with _as_chosen(await request.auser()):
            answer = self.get_response(request)
            return answer if isinstance(answer, HttpResponseBase) else await answer


@contextmanager
def _as_chosen(user: User | AnonymousUser) -> Iterator[None]:
    if not isinstance(user, User):
        yield
        return
    known = user.timezone in zoneinfo.available_timezones()
    with timezone.override(zoneinfo.ZoneInfo(user.timezone) if known else timezone.get_current_timezone()):
        if not user.language:
            yield
            return
        with translation.override(user.language):
            yield
