"""A refused save tells who has saved meanwhile, what each side has changed in words, and where both have."""

from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.scenarios.models import Scenario
from tests.scenarios.builder.conftest import save
from tests.scenarios.definitions import node, thank_you

pytestmark = pytest.mark.django_db


def changed(definition: Any = None, /, **titles: str) -> Any:
    """The thank-you with other titles of blocks."""
    made = deepcopy(definition or thank_you())
    for found in made["sections"][0]["nodes"]:
        if found["id"] in titles:
            found["title"] = titles[found["id"]]
    return made


@pytest.fixture
def boris(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("boris", password="a long passphrase"))
    return browser


def short(changes: Any) -> list[tuple[Any, ...]]:
    return [
        (change["kind"], change["node"], [(found["label"], found["old"], found["new"]) for found in change["fields"]]) for change in changes
    ]


def test_both_sides_are_told_block_by_block_with_where_they_collide(page: Client, scenario: Scenario, boris: Client) -> None:
    theirs = changed(done="Of Anna", bye="Bye of Anna")
    theirs["sections"][0]["nodes"].append(node("extra", "end"))
    assert save(page, scenario, theirs).status_code == 200
    told = save(boris, scenario, changed(done="Of Boris", thanks="Thanks of Boris"), base=thank_you()).json()
    assert told["compared"] == "base"
    assert [who["by"] for who in told["saves"]] == ["Anna"]
    assert short(told["changes"])[:2] == [
        ("changed", "done", [("Title", None, "Of Anna")]),
        ("changed", "bye", [("Title", None, "Bye of Anna")]),
    ]
    assert short(told["changes"])[2][:2] == ("added", "extra")
    assert short(told["yours"]) == [
        ("changed", "thanks", [("Title", None, "Thanks of Boris")]),
        ("changed", "done", [("Title", None, "Of Boris")]),
    ]
    assert told["collides"] == ["done"]
    assert told["changes"][0]["place"] == "Main › Of Anna (message)"


def test_a_block_that_one_removed_and_the_other_changed_collides(page: Client, scenario: Scenario, boris: Client) -> None:
    theirs = thank_you()
    theirs["sections"][0]["nodes"] = [found for found in theirs["sections"][0]["nodes"] if found["id"] != "bye"]
    save(page, scenario, theirs)
    told = save(boris, scenario, changed(bye="Still here"), base=thank_you()).json()
    assert ([change["kind"] for change in told["changes"]], told["collides"]) == (["removed"], ["bye"])


def test_what_both_changed_alike_does_not_collide(page: Client, scenario: Scenario, boris: Client) -> None:
    save(page, scenario, changed(done="The same"))
    told = save(boris, scenario, changed(done="The same"), base=thank_you()).json()
    assert (len(told["changes"]), len(told["yours"]), told["collides"]) == (1, 1, [])


def test_without_a_base_the_history_gives_it(page: Client, scenario: Scenario, boris: Client) -> None:
    save(page, scenario, changed(done="Of Anna"))
    told = save(boris, scenario, changed(bye="Of Boris")).json()
    assert (told["compared"], [change["node"] for change in told["changes"]], [change["node"] for change in told["yours"]]) == (
        "base", ["done"], ["bye"],
    )  # fmt: skip


def test_a_ground_that_nobody_knows_leaves_the_difference_to_yours(page: Client, scenario: Scenario, boris: Client) -> None:
    for revision, title in enumerate(("One", "Two", "Three"), start=1):
        save(page, scenario, changed(done=title), revision=revision)  # one row of the history
    told = save(boris, scenario, changed(done="Of Boris"), revision=2).json()
    assert (told["compared"], told["yours"]) == ("yours", [])
    assert short(told["changes"]) == [("changed", "done", [("Title", "Of Boris", "Three")])]


@pytest.mark.parametrize("odd", [{"sections": "none"}, {"sections": [{"id": ["a"], "nodes": [{"id": {}}, 1]}]}, {"name": 1}])
def test_drafts_of_any_form_are_compared(page: Client, scenario: Scenario, boris: Client, odd: Any) -> None:
    assert save(page, scenario, odd).status_code == 200
    assert save(boris, scenario, odd | {"name": "x"}, base=odd | {"name": "y"}).status_code == 412
