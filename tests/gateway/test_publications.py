"""Versions, tests and publishing over the API of our own pages."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.models import AuditEntry
from apps.scenarios import publishing
from apps.scenarios.models import PlannedPublication, SavedTest, Scenario
from tests.admin.world import make_staff
from tests.making import make_bot
from tests.scenarios.definitions import thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.simulation.making import CONFIRMS, changed, keep

pytestmark = pytest.mark.django_db
Call = Callable[..., Any]


@pytest.fixture
def scenario() -> Scenario:
    return make_scenario(make_bot(name="Shop"), thank_you(), key="thank-you")


@pytest.fixture
def call(client: Client, scenario: Scenario) -> Call:
    client.force_login(User.objects.create_superuser("owner", password="x", first_name="Irina"))

    def send(what: str, body: Any = None) -> Any:
        address = f"/api/scenarios/{scenario.pk}/{what}"
        return client.get(address) if body is None else client.post(address, json.dumps(body), content_type="application/json")

    return send


def test_versions_are_listed_with_who_when_and_why(call: Call, scenario: Scenario) -> None:
    publishing.publish(scenario, user=User.objects.get(), note="simpler words", people="at_wait", mapping={"a": "b"})
    found = call("versions").json()
    assert [(row["number"], row["published_by"], row["note"], row["people"], row["current"]) for row in found["versions"]] == [
        (2, "Irina", "simpler words", "at_wait", True), (1, "", "", "stay", False),
    ]  # fmt: skip
    assert found["versions"][0]["mapping"] == {"a": "b"}


def test_people_of_a_removed_block_cannot_be_sent_to_one_that_is_not_there(call: Call, scenario: Scenario) -> None:
    answer = call("publication", {"based_on": scenario.draft_version, "people": "now", "mapping": {"gone": "nowhere", "old": "thanks"}})
    assert (answer.status_code, answer.json()["errors"]) == (
        400, [{"field": "mapping.gone", "message": "There will be no such block. Name one at which these people go on."}],
    )  # fmt: skip
    assert scenario.versions.count() == 1


def test_going_back_says_why_and_takes_people_along(call: Call, scenario: Scenario) -> None:
    changed(scenario, "done", text="Other words")
    publishing.publish(scenario)
    answer = call("rollback", {"version": 1, "note": "clearer", "people": "now", "mapping": {"gone": "thanks"}})
    assert (answer.status_code, answer.json()["version"]["number"], answer.json()["version"]["current"]) == (201, 3, True)
    newest = scenario.versions.get(number=3)
    assert (newest.definition, newest.note, newest.people, newest.mapping) == (
        scenario.versions.get(number=1).definition, "Rolled back to version 1: clearer", "now", {"gone": "thanks"},
    )  # fmt: skip
    assert AuditEntry.objects.filter(action="scenarios.scenario.rollback").count() == 1
    for wrong, status in (({"version": 9}, 404), ({}, 400), ({"version": 0}, 400), ({"version": 1, "mapping": {"a": "nowhere"}}, 400)):
        assert call("rollback", wrong).status_code == status
    assert call("rollback").status_code == 405


def test_the_impact_tells_problems_tests_and_where_people_stand(call: Call, scenario: Scenario) -> None:
    keep(scenario)
    changed(scenario, "done", text="Other words")
    found = call("publication").json()
    assert (found["based_on"], [(row["level"], row["code"], row["node"]) for row in found["problems"]]) == (
        2,
        [("warning", "unknown_name", "thanks")],
    )
    assert found["standing"] == []
    assert found["tests"][0]["failures"] == [{"turn": 2, "message": "It should say “Confirmed.”, and says “Other words”."}]
    assert found["coverage"]["missing_exits"] == [{"node": "thanks", "exit": "later"}, {"node": "bye", "exit": "next"}]


def test_publishing_refuses_what_is_stale_broken_or_fails(call: Call, scenario: Scenario) -> None:
    keep(scenario)
    changed(scenario, "done", text="Other words")
    stale = call("publication", {"based_on": 1})
    assert (stale.status_code, stale.json()["code"], stale.json()["based_on"]) == (412, "stale", 2)
    failing = call("publication", {"based_on": 2})
    assert (failing.status_code, failing.json()["errors"][0]["code"]) == (400, "test_failed")
    assert scenario.versions.count() == 1
    done = call("publication", {"based_on": 2, "note": "urgent", "override": "the sale begins"})
    assert (done.status_code, done.json()["version"]["number"]) == (201, 2)
    assert AuditEntry.objects.get(action="scenarios.scenario.publish").changes == {"version": 2, "override": "the sale begins"}
    scenario.refresh_from_db()
    scenario.draft = {"sections": []}
    scenario.save()
    broken = call("publication", {"based_on": 2})
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid_definition")


def test_a_publication_is_planned(call: Call) -> None:
    due_at = timezone.now() + timedelta(hours=1)
    answer = call("publication", {"based_on": 1, "due_at": due_at.isoformat(), "people": "now"})
    planned = PlannedPublication.objects.get()
    assert (answer.status_code, answer.json()["planned"]["id"], planned.people, planned.due_at) == (202, planned.pk, "now", due_at)
    assert [row["state"] for row in call("versions").json()["planned"]] == ["planned"]
    past = call("publication", {"based_on": 1, "due_at": "2020-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "body", [{}, {"based_on": "x"}, {"based_on": 1, "people": "away"}, {"based_on": 1, "due_at": "2030-01-01"}, {"based_on": 1, "x": 1}]
)
def test_what_does_not_fit_is_refused(call: Call, body: Any) -> None:
    answer = call("publication", body)
    assert (answer.status_code, answer.json()["code"], len(answer.json()["errors"])) == (400, "bad_request", 1)


def test_a_chat_is_kept_and_run(call: Call) -> None:
    kept = call("tests", {"name": "Confirms", "world": {"person": {"name": "Anna"}}, "inputs": CONFIRMS})
    test = SavedTest.objects.get()
    assert (kept.status_code, kept.json()["id"]) == (201, test.pk)
    assert call("tests").json()["tests"] == [{"id": test.pk, "name": "Confirms", "active": True, "passed": True, "failures": []}]
    again = call("tests", {"name": "Confirms", "inputs": CONFIRMS})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "name")
    test.refresh_from_db()
    assert test.last_run_at is None


@pytest.mark.parametrize(("role", "reads", "writes"), [("integrator", 200, 201), ("analyst", 200, 403), ("operator", 404, 404)])
def test_who_may(client: Client, scenario: Scenario, role: str, reads: int, writes: int) -> None:
    client.force_login(make_staff(role, bots=[scenario.bot]))
    base = f"/api/scenarios/{scenario.pk}"
    assert {client.get(f"{base}/{what}").status_code for what in ("versions", "tests")} == {reads}
    assert client.post(f"{base}/publication", {"based_on": 1}, content_type="application/json").status_code == writes
    assert client.post(f"{base}/tests", {"name": "x", "inputs": CONFIRMS}, content_type="application/json").status_code == writes
    foreign = make_scenario(make_bot(), thank_you())
    assert client.get(f"/api/scenarios/{foreign.pk}/versions").status_code == 404
