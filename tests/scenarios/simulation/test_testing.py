"""Chats kept as tests: what they expect, when they fail, what they cover, and how they stand before publishing."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.events.models import Event
from apps.scenarios import publishing
from apps.scenarios.models import SavedTest, Scenario
from apps.scenarios.simulation import testing
from apps.scenarios.simulation.asking import AskError
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import question, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.simulation.making import changed, keep

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenario() -> Scenario:
    return make_scenario(make_bot(name="Shop"), thank_you(), key="thank-you")


def failures(scenario: Scenario) -> list[tuple[str, int, str]]:
    return [(result.test.name, found.turn, found.message) for result in testing.run_all(scenario).failed for found in result.failures]


def test_a_kept_chat_expects_what_the_draft_did(scenario: Scenario) -> None:
    test = keep(scenario)
    assert [turn["expect"] for turn in test.recording["turns"]] == [
        {
            "said": [{"text": "Thank you, Anna! Amount 3500", "buttons": ["confirm", "later"]}],
            "path": ["start", "thanks"],
            "status": "waiting",
            "calls": [],
        },
        {"said": [{"text": "Confirmed."}], "path": ["done", "end"], "status": "ended", "calls": []},
    ]
    assert failures(scenario) == []


def test_a_kept_chat_goes_on_by_the_clock_of_the_day_on_which_it_was_kept(scenario: Scenario) -> None:
    changed(scenario, "thanks", text="{{ now | date: '%Y-%m-%d %H:%M' }}")
    test = keep(scenario, now=None)
    assert test.recording["world"]["now"]
    test.recording["world"]["now"] = "2020-02-29T10:00:00Z"
    test.recording["turns"][0]["expect"]["said"][0]["text"] = "2020-02-29 10:00"
    test.save()
    assert failures(scenario) == []


def test_a_change_is_told_in_words(scenario: Scenario) -> None:
    keep(scenario)
    changed(scenario, "done", text="Thank you, noted.")
    assert failures(scenario) == [("Confirms", 2, "It should say “Confirmed.”, and says “Thank you, noted.”.")]


def test_what_is_not_expected_may_be_anything(scenario: Scenario) -> None:
    test = keep(scenario)
    for turn in test.recording["turns"]:
        turn["expect"] = {"path": turn["expect"]["path"]}
    test.save()
    changed(scenario, "done", text="Other words")
    assert failures(scenario) == []


def test_a_copied_persons_facts_are_taken_in(scenario: Scenario) -> None:
    lead = make_lead(make_channel(scenario.bot), name="Boris", language="ru")
    keep(scenario, person={"lead": lead.code})
    lead.person.name = "Somebody else"
    lead.person.save()
    assert failures(scenario) == []
    test = SavedTest.objects.get()
    person = test.recording["world"]["person"]
    assert (person["attributes"]["user_name"], "id" in person, "lead" in person) == ("Boris", False, False)
    raw = SavedTest.objects.extra(select={"raw": "recording"}).values_list("raw", flat=True).get()
    assert "Boris" not in raw


def test_time_and_wrong_answers_can_be_part_of_a_test(scenario: Scenario) -> None:
    asks = make_scenario(scenario.bot, question())
    keep(asks, [{"kind": "start"}, {"kind": "said", "text": "many"}, {"kind": "later", "seconds": 120}], name="Too late")
    assert failures(asks) == []
    changed(asks, "ask", timeout={"amount": 1, "unit": "hours"})
    assert [found[1] for found in failures(asks)] == [3, 3, 3]


def test_coverage_names_what_no_test_goes_through(scenario: Scenario) -> None:
    keep(scenario)
    coverage = testing.run_all(scenario).coverage
    assert (coverage.nodes, coverage.exits, coverage.missing_nodes) == (5, 5, ["bye"])
    assert coverage.missing_exits == [("thanks", "later"), ("bye", "next")]
    assert (coverage.node_percent, coverage.exit_percent) == (80, 60)
    keep(scenario, [{"kind": "start"}, {"kind": "pressed", "button": "later"}], name="Later")
    assert testing.run_all(scenario).coverage.exit_percent == 100


def test_a_draft_that_does_not_run_fails_every_test(scenario: Scenario) -> None:
    keep(scenario)
    scenario.draft = {"sections": []}
    scenario.save()
    assert [found[1] for found in failures(scenario)] == [0]


@pytest.mark.parametrize("recording", [{}, {"turns": []}, {"turns": [{"input": {"kind": "?"}}]}, {"turns": 5}])
def test_a_broken_recording_is_a_failed_test(scenario: Scenario, recording: Any) -> None:
    SavedTest.objects.create(scenario=scenario, name="Broken", recording=recording)
    assert [found[:2] for found in failures(scenario)] == [("Broken", 0)]


def test_a_name_is_used_once_unless_the_test_is_replaced(scenario: Scenario) -> None:
    keep(scenario)
    with pytest.raises(AskError):
        keep(scenario)


# --- before publishing -----------------------------------------------------------------------------------------------


def test_a_failing_test_refuses_publishing(scenario: Scenario) -> None:
    keep(scenario)
    changed(scenario, "done", text="Other words")
    with pytest.raises(publishing.TestsFailedError) as refused:
        publishing.publish(scenario)
    assert [problem.message for problem in refused.value.problems] == [
        "Test “Confirms”: It should say “Confirmed.”, and says “Other words”."
    ]
    assert (scenario.versions.count(), SavedTest.objects.get().last_passed) == (1, False)


def test_a_reason_overrides_and_is_logged(scenario: Scenario) -> None:
    user = User.objects.create_superuser("irina", password="x")
    keep(scenario)
    changed(scenario, "done", text="Other words")
    publishing.publish(scenario, user=user, note="urgent", override="the sale begins today")
    details = Event.objects.filter(kind="scenario.published").latest("pk").details
    assert (details["override"], details["failed_tests"]) == ("the sale begins today", ["Confirms"])


def test_a_test_that_is_switched_off_gates_nothing(scenario: Scenario) -> None:
    keep(scenario)
    SavedTest.objects.update(is_active=False)
    changed(scenario, "done", text="Other words")
    assert publishing.publish(scenario).number == 2


def test_going_back_waits_for_no_test(scenario: Scenario) -> None:
    first = scenario.published
    assert first is not None
    changed(scenario, "done", text="New words")
    publishing.publish(scenario)
    keep(scenario)
    first.refresh_from_db()
    back = publishing.rollback(first)
    assert (back.number, back.logic_hash) == (3, first.logic_hash)


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_each_test_and_ends_with_1_when_one_fails(scenario: Scenario) -> None:
    keep(scenario)
    out = StringIO()
    call_command("test_scenarios", stdout=out)
    assert out.getvalue().splitlines() == ["Shop / thank-you: 1 tests, blocks 80 %, exits 60 %", "  ok   Confirms"]
    changed(scenario, "done", text="Other words")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("test_scenarios", "--bot", str(scenario.bot_id), "--scenario", "thank-you", stdout=out, stderr=StringIO())
    assert (ended.value.code, out.getvalue().splitlines()[1:]) == (
        1,
        ["  FAIL Confirms", "       turn 2: It should say “Confirmed.”, and says “Other words”."],
    )
    with pytest.raises(CommandError):
        call_command("test_scenarios", "--scenario", "nothing")
