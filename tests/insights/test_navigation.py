from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from apps.accounts.models import User
from apps.bots.models import Channel
from apps.insights.navigation import TASKS, navigation
from tests.admin.world import World, make_staff

pytestmark = pytest.mark.django_db
GROUPS = ["Bots", "Scenarios", "People", "Data", "Integration", "Operations", "Settings"]


def shown(user: User) -> dict[str, list[str]]:
    """Titles by group as Unfold gets them."""
    request = RequestFactory().get("/admin/")
    request.user = user
    return {str(group.get("title", "")): [str(item["title"]) for item in group["items"]] for group in navigation(request)}


def badges(user: User) -> dict[str, str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    items: list[dict[str, Any]] = [item for group in navigation(request) for item in group["items"]]
    return {str(item["title"]): item["badge"] for item in items if "badge" in item}


def test_the_owner_sees_every_task(owner: User) -> None:
    assert list(shown(owner)) == ["", *GROUPS]


def test_every_page_of_the_side_bar_is_registered() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert {page.label for _title, pages in TASKS for page in pages} - registered == set()


def test_an_analyst_sees_only_what_there_is_to_read() -> None:
    found = shown(make_staff("analyst"))
    assert found == {
        "": ["Start page"], "Bots": ["Bots", "Channels"], "Scenarios": ["Scenarios", "Global commands", "Published versions", "Scenario tests"], "Operations": ["Event log"],
    }  # fmt: skip


def test_someone_without_a_role_sees_the_start_page_alone() -> None:
    assert shown(make_staff()) == {"": ["Start page"]}


def test_what_needs_a_person_is_counted(owner: User, shop: World, bank: World) -> None:
    Channel.objects.filter(pk=bank.channel.pk).update(health=Channel.Health.FAILING)
    assert badges(owner) == {"Needs attention": "2", "Channels": "1"}
    assert badges(make_staff("admin", bots=[shop.bot])) == {"Needs attention": "1"}
    assert badges(make_staff("analyst")) == {"Channels": "1"}


def test_the_side_bar_marks_where_one_is(page: Client, shop: World) -> None:
    text = page.get("/admin/bots/channel/").content.decode()
    assert text.count("text-primary-600 dark:bg-white/[.06] dark:text-primary-500 active") == 1


def test_links_of_the_side_bar_answer(signed_in: Callable[..., Client], shop: World) -> None:
    browser = signed_in("integrator")
    request = browser.get("/admin/").wsgi_request
    links = [item["link"] for group in navigation(request) for item in group["items"]]
    assert {browser.get(link).status_code for link in links} == {200}
