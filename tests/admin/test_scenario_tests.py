"""The pages of saved tests: keeping a chat, running, what fails before publishing."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.core.models import AuditEntry
from apps.scenarios.models import SavedTest
from tests.admin.conftest import act, change, told
from tests.admin.world import World
from tests.scenarios.simulation.making import CONFIRMS, changed, keep

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(shop: World) -> World:
    SavedTest.objects.all().delete()
    return shop


def address(shop: World, what: str) -> str:
    return f"/admin/scenarios/scenario/{shop.scenario.pk}/{what}/"


def test_a_chat_of_the_preview_becomes_a_test(page: Client, shop: World) -> None:
    body = {"name": "Confirms", "world": {"person": {"lead": shop.lead.code}, "channel": "widget"}, "inputs": CONFIRMS}
    answer = page.post(address(shop, "preview/keep"), body, content_type="application/json")
    test = SavedTest.objects.get()
    assert answer.json() == {"id": test.pk, "url": change(test)}
    assert test.recording["turns"][0]["expect"]["said"][0]["text"] == "Thank you, Anna of Shop! Amount 3500"
    again = page.post(address(shop, "preview/keep"), body, content_type="application/json")
    assert (again.status_code, "Choose another name" in again.json()["error"]) == (400, True)
    replaced = page.post(address(shop, "preview/keep"), {**body, "replace": True}, content_type="application/json")
    assert (replaced.status_code, SavedTest.objects.count()) == (200, 1)
    assert page.post(address(shop, "preview/keep"), {**body, "name": ""}, content_type="application/json").status_code == 400


def test_the_page_of_tests_runs_them_and_tells_their_coverage(page: Client, shop: World) -> None:
    keep(shop.scenario)
    assert "Blocks: 80 % of 5" in page.get(address(shop, "tests")).content.decode()
    assert told(page.post(address(shop, "tests"), follow=True)) == ["All 1 tests pass."]
    changed(shop.scenario, "done", text="Other words")
    answer = page.post(address(shop, "tests"), follow=True)
    assert told(answer) == ["1 of 1 tests fail."]
    assert "and says “Other words”" in answer.content.decode()
    assert SavedTest.objects.get().last_passed is False


def test_one_test_is_run_from_its_page(page: Client, shop: World) -> None:
    test = keep(shop.scenario)
    answer = page.post(act(test, "run"), follow=True)
    assert told(answer) == ["The test passes."]
    assert page.get(change(test)).status_code == 200


def test_a_recording_is_checked_when_it_is_edited(page: Client, shop: World) -> None:
    test = keep(shop.scenario)
    data = {"name": "Confirms", "description": "", "is_active": "on", "recording": '{"turns": [{"input": {"kind": "said", "text": 5}}]}'}
    answer = page.post(change(test), data)
    assert answer.context["adminform"].form.errors["recording"] == ["turns.0.input.text: Write a text in quotes."]


def test_publishing_shows_what_fails_and_asks_for_a_reason(page: Client, shop: World) -> None:
    keep(shop.scenario)
    changed(shop.scenario, "done", text="Other words")
    assert "Tests that fail" in page.get(address(shop, "publish")).content.decode()
    refused = page.post(address(shop, "publish"), {"note": ""})
    assert told(refused) == ["Not published: tests fail. Correct the draft or the tests, or say why it is published all the same."]
    page.post(address(shop, "publish"), {"note": "", "override": "urgent"})
    assert shop.scenario.versions.count() == 2
    assert AuditEntry.objects.get(action="scenarios.scenario.publish").changes == {"version": 2, "override": "urgent"}


@pytest.mark.parametrize(("role", "post"), [("integrator", 302), ("analyst", 200)])
def test_who_may_only_look_cannot_run(signed_in: Callable[..., Client], shop: World, role: str, post: int) -> None:
    keep(shop.scenario)
    browser = signed_in(role, bots=[shop.bot])
    assert browser.get(address(shop, "tests")).status_code == 200
    assert browser.post(address(shop, "tests")).status_code == post
    assert (SavedTest.objects.get().last_passed is not None) is (post == 302)
