"""What Django answers by itself: JSON where a machine asked, a page where a person did."""

import json

import pytest
from django.core.exceptions import DisallowedHost
from django.http import Http404
from django.test import RequestFactory

from apps.core.trace import trace
from apps.gateway import faults

FAULTS = [
    (faults.bad_request, (DisallowedHost(),), 400, "bad_request"),
    (faults.not_found, (Http404(),), 404, "not_found"),
    (faults.server_error, (), 500, "internal_error"),
]


@pytest.mark.parametrize(("view", "given", "status", "code"), FAULTS)
@pytest.mark.parametrize("path", ["/bots/1/call/x", "/webhooks/x", "/api/v1/x", "/bots"])
def test_a_machine_gets_our_form(view: object, given: tuple[object, ...], status: int, code: str, path: str) -> None:
    assert callable(view)
    with trace("t-12345678"):
        answer = view(RequestFactory().post(path), *given)
    body = json.loads(answer.content)
    assert (answer.status_code, answer.headers["Content-Type"], body["code"], body["trace_id"]) == (
        status,
        "application/json",
        code,
        "t-12345678",
    )


@pytest.mark.parametrize(("view", "given", "status", "code"), FAULTS)
def test_a_person_gets_a_page(view: object, given: tuple[object, ...], status: int, code: str) -> None:
    assert callable(view)
    answer = view(RequestFactory().get("/about/"), *given)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (status, "text/html")
