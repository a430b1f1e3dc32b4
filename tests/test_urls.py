"""The bare address, and pages that are not there or not allowed."""

import pytest
from django.test import Client

from apps.accounts.models import User

pytestmark = pytest.mark.django_db


def test_the_bare_address_leads_to_the_start_page(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_a_page_that_is_not_there_says_so_and_leads_on(client: Client) -> None:
    answer = client.get("/no/such/page")
    assert (answer.status_code, "There is nothing at this address" in answer.content.decode()) == (404, True)


def test_a_page_that_is_not_allowed_says_whom_to_ask(client: Client) -> None:
    client.force_login(User.objects.create_user("anna", is_staff=True))
    answer = client.get("/admin/bots/bot/")
    assert (answer.status_code, "Ask an administrator for the right." in answer.content.decode()) == (403, True)
