"""What Django itself would answer with a page of HTML, in the form of machines where a machine asked; named in `config/urls.py`."""

import re

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from apps.gateway.answers import RefusedError

_MACHINE = re.compile(r"/(?:bots|webhooks|api)(?:/|$)")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 before any view is reached, such as an unknown host name."""
    if not _MACHINE.match(request.path_info):
        return defaults.bad_request(request, exception)
    return RefusedError("bad_request", "The request is not valid. Check the host name: ALLOWED_HOSTS must hold it.").answer().response()


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return (
        RefusedError("not_found").answer().response() if _MACHINE.match(request.path_info) else defaults.page_not_found(request, exception)
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return RefusedError("internal_error").answer().response() if _MACHINE.match(request.path_info) else defaults.server_error(request)
