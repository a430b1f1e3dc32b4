"""Calls and webhooks pass what concerns people, not what concerns everybody."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db


def test_a_call_is_answered_in_its_chain_without_session_or_cookie() -> None:
    response = Client().post("/bots/1/call/order", data="{}", content_type="application/json", headers={"X-Trace-Id": "a-callers-own-id"})
    assert response.status_code == 401
    assert response.headers["X-Trace-Id"] == "a-callers-own-id"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_an_unknown_host_is_refused(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    response = Client().post("/bots/1/call/order", data="{}", content_type="application/json", headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"


def test_plain_http_is_sent_to_https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client().post("/webhooks/telegram/6b3f2c1e-0000-4000-8000-000000000000", data="{}", content_type="application/json")
    assert response.status_code == 301


def test_an_address_that_leads_nowhere_is_answered_as_a_machine_expects() -> None:
    response = Client().get("/webhooks/telegram/a/b/c")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
