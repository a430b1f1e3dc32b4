"""The draft over the API: read with its revision, saved only on top of it, one row of history for one person's editing."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.scenarios import publishing
from apps.scenarios.builder import drafts
from apps.scenarios.models import Scenario
from tests.scenarios.builder.conftest import address, save
from tests.scenarios.definitions import says, thank_you

pytestmark = pytest.mark.django_db


def test_the_draft_comes_with_its_revision_and_the_right_to_edit(page: Client, scenario: Scenario) -> None:
    answer = page.get(address(scenario, "draft"))
    assert (answer.status_code, answer.headers["ETag"], answer.headers["Cache-Control"]) == (200, '"1"', "no-store")
    told = answer.json()
    assert told["definition"] == thank_you()
    assert {key: told[key] for key in ("id", "key", "bot", "revision", "layout", "published", "differs", "may_edit", "saved_by")} == {
        "id": scenario.pk, "key": "thank-you", "bot": "Shop", "revision": 1, "layout": {}, "published": None, "differs": True,
        "may_edit": True, "saved_by": "",
    }  # fmt: skip


def test_a_save_stores_both_and_counts_up(page: Client, scenario: Scenario) -> None:
    layout = {"nodes": {"start": [10, 20]}, "notes": []}
    answer = save(page, scenario, says("Hello"), layout=layout)
    assert (answer.status_code, answer.headers["ETag"], answer.json()["saved_by"]) == (200, '"2"', "Anna")
    scenario.refresh_from_db()
    assert (scenario.draft, scenario.layout, scenario.draft_version) == (says("Hello"), layout, 2)


def test_whether_the_draft_differs_from_what_runs(page: Client, scenario: Scenario) -> None:
    publishing.publish(scenario)
    told = page.get(address(scenario, "draft")).json()
    assert (told["published"], told["differs"]) == (1, False)
    assert save(page, scenario, says("Hello")).json()["differs"] is True


def test_a_save_over_somebody_elses_is_refused_and_shows_theirs(page: Client, scenario: Scenario, client: Client) -> None:
    assert save(page, scenario, says("Mine"), layout={"nodes": {"say": [1, 2]}}).status_code == 200
    boris = Client()
    boris.force_login(User.objects.create_superuser("boris", password="a long passphrase"))
    refused = save(boris, scenario, says("His"))
    assert (refused.status_code, refused.headers["ETag"]) == (412, '"2"')
    theirs = refused.json()["theirs"]
    assert (theirs["revision"], theirs["saved_by"], theirs["definition"], theirs["layout"]) == (
        2,
        "Anna",
        says("Mine"),
        {"nodes": {"say": [1, 2]}},
    )
    scenario.refresh_from_db()
    assert scenario.draft == says("Mine")
    assert save(boris, scenario, says("His"), revision=2).status_code == 200
    assert page.get(address(scenario, "draft")).json()["saved_by"] == "boris"


@pytest.mark.parametrize("revision", [None, "", "x", "-1", "1.5", "٣", "9" * 30])
def test_a_save_without_a_revision_is_refused(page: Client, scenario: Scenario, revision: Any) -> None:
    assert save(page, scenario, says("Hello"), revision=revision).status_code == 428
    scenario.refresh_from_db()
    assert scenario.draft_version == 1


def test_a_weak_or_bare_tag_is_understood(page: Client, scenario: Scenario) -> None:
    for number, tag in enumerate(('W/"1"', "2"), start=1):
        body = {"definition": says(str(number)), "layout": {}}
        answer = page.put(address(scenario, "draft"), body, content_type="application/json", headers={"If-Match": tag})
        assert answer.json()["revision"] == number + 1


def test_one_persons_editing_is_one_row_of_the_history(page: Client, scenario: Scenario) -> None:
    before = scenario.history.count()
    for revision in range(1, 6):
        save(page, scenario, says(f"Text {revision}"), revision=revision)
    rows = list(scenario.history.order_by("-history_id"))
    assert len(rows) == before + 1
    assert (rows[0].draft, rows[0].draft_version, rows[0].history_user.username) == (says("Text 5"), 6, "owner")


def test_another_person_or_a_later_time_begins_a_new_row(page: Client, scenario: Scenario) -> None:
    before = scenario.history.count()
    save(page, scenario, says("One"))
    boris = Client()
    boris.force_login(User.objects.create_superuser("boris", password="a long passphrase"))
    save(boris, scenario, says("Two"), revision=2)
    save(page, scenario, says("Three"), revision=3)
    assert scenario.history.count() == before + 3
    scenario.history.update(history_date=timezone.now() - drafts.ONE_ROW * 2)
    save(page, scenario, says("Four"), revision=4)
    assert scenario.history.count() == before + 4


# --- who may -------------------------------------------------------------------------------------------------------------


def test_rights_are_those_of_the_role(scenario: Scenario, staff: Any) -> None:
    analyst, manager, operator = (staff(role) for role in ("analyst", "communications_manager", "operator"))
    assert analyst.get(address(scenario, "draft")).json()["may_edit"] is False
    assert save(analyst, scenario, says("x")).status_code == 403
    assert manager.get(address(scenario, "draft")).json()["may_edit"] is True
    assert save(manager, scenario, says("x")).status_code == 200
    assert [operator.get(address(scenario, what)).status_code for what in ("draft", "builder")] == [404, 404]


def test_scenarios_of_other_bots_are_not_there(scenario: Scenario, staff: Any) -> None:
    stranger = staff("integrator", all_bots=False, bot_ids=[scenario.bot_id + 1])
    asked = {"definition": {}, "window": "window-123"}
    assert [stranger.get(address(scenario, what)).status_code for what in ("draft", "builder")] == [404, 404]
    assert [
        stranger.post(address(scenario, what), asked, content_type="application/json").status_code for what in ("lint", "presence")
    ] == [404, 404]
    assert save(stranger, scenario, says("x")).status_code == 404


def test_strangers_and_people_who_are_no_staff_are_refused(scenario: Scenario, staff: Any) -> None:
    assert Client().get(address(scenario, "draft")).status_code == 403
    outside = staff("integrator", is_staff=False)
    assert outside.get(address(scenario, "draft")).status_code == 403


def test_a_save_without_the_pages_token_is_refused(scenario: Scenario, owner: User) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(owner)
    assert save(forged, scenario, says("x")).status_code == 403


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_a_scenario_that_is_not_there(page: Client, pk: int) -> None:
    assert page.get(f"/api/scenarios/{pk}/draft").status_code == 404


# --- bad input --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"definition": {}}', b'{"definition": [], "layout": {}}', b'{"definition": null, "layout": {}}',
     b'{"definition": {"a": "\\u0000"}, "layout": {}}', b'{"definition": {"a": "\\ud800"}, "layout": {}}', b'{"definition": {"a": NaN}, "layout": {}}',
     b'{"definition": ' + b'{"a":' * 70 + b"1" + b"}" * 70 + b', "layout": {}}'],
)  # fmt: skip
def test_what_is_no_draft_is_refused(page: Client, scenario: Scenario, body: bytes) -> None:
    answer = page.put(address(scenario, "draft"), body, content_type="application/json", headers={"If-Match": '"1"'})
    assert answer.status_code == 400
    scenario.refresh_from_db()
    assert scenario.draft_version == 1


@pytest.mark.parametrize("megabytes", [3, 11])
def test_a_draft_of_many_megabytes_is_refused_with_a_word(page: Client, scenario: Scenario, megabytes: int) -> None:
    answer = save(page, scenario, says("x" * 1024 * 1024 * megabytes))
    assert answer.status_code == 413
    assert "MB" in answer.json()["detail"] or "larger" in answer.json()["detail"]
    scenario.refresh_from_db()
    assert scenario.draft_version == 1


def test_unfinished_drafts_are_stored_as_they_are(page: Client, scenario: Scenario) -> None:
    odd = {"sections": "none yet", "name": "<script>alert(1)</script>", "anything": [1, None, {"a": "й😀"}]}
    assert save(page, scenario, odd).status_code == 200
    scenario.refresh_from_db()
    assert json.loads(json.dumps(scenario.draft)) == odd
