"""Every page of every registered model answers, with rows and without."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from apps.gateway import tokens
from apps.identity.models import ClientField
from tests.admin.world import World

pytestmark = pytest.mark.django_db
LABELS = sorted(model._meta.label for model in admin.site._registry)


def name_of(label: str, page: str) -> str:
    return f"admin:{label.lower().replace('.', '_')}_{page}"


@pytest.fixture
def world(shop: World) -> World:
    for label, row in (
        ("gateway.ApiToken", tokens.issue(name="CRM")[0]),
        ("identity.ClientField", ClientField.objects.create(key="city", label="City")),
    ):
        shop.rows[label] = row
    return shop


@pytest.mark.parametrize("label", LABELS)
def test_an_empty_list_answers(label: str, page: Client) -> None:
    assert page.get(reverse(name_of(label, "changelist"))).status_code == 200


@pytest.mark.parametrize("label", LABELS)
def test_the_page_for_a_new_row_answers_or_is_not_there(label: str, page: Client) -> None:
    may_add = admin.site._registry[apps.get_model(label)].has_add_permission(_request(page))
    assert page.get(reverse(name_of(label, "add"))).status_code == (200 if may_add else 403)


def test_lists_pages_and_histories_of_stored_rows_answer(page: Client, world: World) -> None:
    for label, row in world.rows.items():
        for address in (
            reverse(name_of(label, "changelist")), reverse(name_of(label, "change"), args=[row.pk]), reverse(name_of(label, "history"), args=[row.pk]),
        ):  # fmt: skip
            assert (address, page.get(address).status_code) == (address, 200)


MADE_UP = "bot=9999999999999999999999&person=x&conversation=-1&session=1e9&since=x&before=x&after=~&source=x&linked=x&answer=x&status__exact=x&state__exact=x&p=0"


@pytest.mark.parametrize("label", LABELS)
def test_made_up_addresses_are_no_errors(label: str, page: Client, shop: World) -> None:
    address = reverse(name_of(label, "changelist"))
    queries = [
        *MADE_UP.split("&"),
        "q=%00",
        "kind=%00",
        "trace=%00",
        "bot=%00",
        "%00=1",
        "q=%FF",
        "o=99",
        "nonsense=1",
        "source_system=%27%3B--",
    ]
    answers = {query: page.get(f"{address}?{query}").status_code for query in queries}
    assert {query: status for query, status in answers.items() if status not in (200, 302)} == {}


def test_every_registered_model_belongs_to_a_module_of_rights() -> None:
    open_to_nobody = [model for model in admin.site._registry if not getattr(model, "access_module", "")]
    assert [model._meta.label for model in open_to_nobody if model._meta.app_label not in THIRD_PARTY] == []


THIRD_PARTY = {"auth", "axes"}


def test_models_without_history_have_no_link_to_it(page: Client, world: World) -> None:
    assert "/history/" not in page.get(reverse("admin:scenarios_session_change", args=[world.session.pk])).content.decode()


def test_pages_hold_no_inline_script(page: Client, world: World) -> None:
    """The content security policy would stop it (security.md 14)."""
    rows: list[Model] = [*world.rows.values()]
    for row in rows:
        text = page.get(reverse(name_of(row._meta.label, "change"), args=[row.pk])).content.decode()
        assert "<script>" not in text
        assert "onclick=" not in text


def _request(page: Client) -> HttpRequest:
    return page.get(reverse("admin:index")).wsgi_request
