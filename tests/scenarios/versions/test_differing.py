"""What differs between two versions: in words, per block, edge and field; and for the canvas."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.scenarios import publishing
from apps.scenarios.models import Scenario
from apps.scenarios.versions.naming import label_of
from tests.admin.world import make_staff
from tests.making import make_bot
from tests.scenarios.definitions import node, thank_you
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenario() -> Scenario:
    return make_scenario(make_bot(name="Shop"), thank_you(), key="thank-you")


def edited(scenario: Scenario) -> None:
    """A text changed, a block removed, another added, an edge led elsewhere, a block moved on the canvas."""
    draft = json.loads(json.dumps(scenario.draft))
    nodes = draft["sections"][0]["nodes"]
    nodes[1]["params"]["buttons"][0][0]["label"] = "Yes, right"
    nodes[1]["exits"]["later"] = "call"
    nodes[3:4] = [node("call", "message", {"text": "We will call."}, next="end")]
    scenario.draft, scenario.layout = draft, {"nodes": {"start": [0, 0], "done": [300, 10], "call": [1, 1]}}
    scenario.save()


def ask(client: Client, scenario: Scenario, query: str = "") -> Any:
    client.force_login(User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("owner", password="x"))
    return client.get(f"/api/scenarios/{scenario.pk}/differences{query}")


def test_the_canvas_is_told_what_was_added_changed_and_removed(client: Client, scenario: Scenario) -> None:
    scenario.published.layout = {"nodes": {"start": [0, 0], "done": [0, 10]}}  # type: ignore[union-attr]
    scenario.published.save()  # type: ignore[union-attr]
    edited(scenario)
    found = ask(client, scenario).json()
    assert (found["old"], found["new"]) == ("1", "draft")
    assert found["nodes"] == {"thanks": "changed", "call": "added", "bye": "removed"}
    assert found["edges"] == [
        {"node": "thanks", "exit": "later", "old": "bye", "new": "call"},
        {"node": "call", "exit": "next", "old": None, "new": "end"},
        {"node": "bye", "exit": "next", "old": "end", "new": None},
    ]
    assert sorted(found["changes"][0]["fields"], key=lambda field: field["path"]) == [
        {"path": "exits.later", "label": "Exit “later”", "old": "bye", "new": "call"},
        {"path": "params.buttons.1.confirm.label", "label": "Buttons › 1 › confirm › Label", "old": "Confirm", "new": "Yes, right"},
    ]
    assert found["moved"] == ["done"]


def test_the_canvas_gets_both_sides_when_it_asks_for_them(client: Client, scenario: Scenario) -> None:
    edited(scenario)
    assert ask(client, scenario).json()["drawn"] is None
    drawn = ask(client, scenario, "?old=1&new=draft&drawn=1").json()["drawn"]
    assert scenario.published
    assert drawn["old"] == {"definition": scenario.published.definition, "layout": scenario.published.layout}
    assert drawn["new"] == {"definition": scenario.draft, "layout": scenario.layout}


def test_a_mere_move_is_no_change(client: Client, scenario: Scenario) -> None:
    scenario.layout = {"nodes": {"start": [5, 5]}}
    scenario.save()
    found = ask(client, scenario).json()
    assert (found["nodes"], found["changes"], found["edges"], found["moved"]) == ({}, [], [], ["start"])


def test_any_two_versions_can_be_compared(client: Client, scenario: Scenario) -> None:
    edited(scenario)
    publishing.publish(scenario)
    assert ask(client, scenario, "?old=2&new=1").json()["nodes"] == {"thanks": "changed", "bye": "added", "call": "removed"}
    assert ask(client, scenario).json()["nodes"] == {}
    for wrong in ("?old=9", "?old=x", "?new=99999999999999999999", "?new=-1"):
        assert ask(client, scenario, wrong).status_code == 404


def test_fields_are_named_as_the_forms_name_them() -> None:
    assert label_of("params.text", kind="message") == "Text"
    assert label_of("params.timeout.amount", kind="input").split(" › ")[-1] == "Amount"
    assert label_of("params.own.field", kind="no_such_kind") == "own › field"
    assert label_of("title", kind="message") == "Title"
    assert label_of("policies.error_text.en").startswith("Policies › ")


@pytest.mark.parametrize(("role", "status"), [("analyst", 200), ("operator", 404)])
def test_who_may_see_the_scenario_may_compare(client: Client, scenario: Scenario, role: str, status: int) -> None:
    client.force_login(make_staff(role, bots=[scenario.bot]))
    assert client.get(f"/api/scenarios/{scenario.pk}/differences").status_code == status
    foreign = make_scenario(make_bot(), thank_you())
    assert client.get(f"/api/scenarios/{foreign.pk}/differences").status_code == 404


def test_the_page_says_what_only_moved(client: Client, scenario: Scenario) -> None:
    scenario.layout = {"nodes": {"start": [5, 5]}}
    scenario.save()
    ask(client, scenario)
    text = client.get(f"/admin/scenarios/scenario/{scenario.pk}/compare/").content.decode()
    assert "1 block only lies elsewhere on the canvas. start" in text
