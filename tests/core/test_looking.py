"""One statement says which sweeps have anything to do; each question means what its sweep looks for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.db.models.functions import Now
from django.utils import timezone

from apps.conversations import inbox, sweeping
from apps.conversations.models import Lane, Timer
from apps.core.looking import Looker, Question
from apps.core.models import Heartbeat
from apps.customdata import working
from apps.customdata.importing.models import ImportJob
from apps.customdata.models import Field, FieldChange, Table
from apps.identity.models import ProofCode
from apps.scenarios.models import PlannedPublication, Scenario
from apps.scenarios.scheduling.models import Schedule
from tests.making import make_bot, make_channel, make_lead, text

pytestmark = pytest.mark.django_db
SOON, AGO = timedelta(minutes=1), timedelta(minutes=-1)


def due() -> set[str]:
    return {one.task for one in Looker().look()}


def due_by_state(model: type[Model], field: str, states: list[str], *, task: str) -> set[str]:
    """In which states of the one row of `model` there is something to do."""
    found = set()
    for state in states:
        model._default_manager.update(**{field: state})
        found |= {state} if task in due() else set()
    return found


@pytest.fixture
def _idle_chat() -> None:
    make_lead()
    inbox.accept(make_channel(), [text("one")])
    Lane.objects.update(wake_at=None)


@pytest.fixture
def field() -> Field:
    table = Table.objects.create(name="Orders", alias="orders", bot=make_bot())
    return Field.objects.create(table=table, name="Number", alias="number", kind="text")


@pytest.fixture
def scenario() -> Scenario:
    return Scenario.objects.create(bot=make_bot(), name="Sale", key="sale")


@pytest.mark.usefixtures("_idle_chat")
def test_a_quiet_installation_starts_nothing() -> None:
    assert due() == set()


@pytest.mark.usefixtures("_idle_chat")
def test_an_item_whose_hint_was_lost_is_found() -> None:
    Lane.objects.update(wake_at=Now())
    assert due() == {"conversations.sweep"}


@pytest.mark.usefixtures("_idle_chat")
def test_a_timer_is_found_when_it_is_due_and_not_before() -> None:
    lane, channel = Lane.objects.get(), make_channel()
    timer = Timer.objects.create(
        lane=lane, bot=channel.bot, channel=channel, due_at=Now() + SOON, reason="test", session_id=1, visit=1, trace_id=""
    )
    assert due() == set()
    Timer.objects.filter(pk=timer.pk).update(due_at=Now() + AGO)
    assert due() == {"conversations.sweep"}
    sweeping.fire_timers(limit=10)
    Lane.objects.update(wake_at=None)
    assert due() == set()


def test_codes_that_wait_are_found_until_they_expire() -> None:
    ProofCode.objects.create(lead=make_lead(), way="phone", target_index="x", digest="x", expires_at=timezone.now() + SOON)
    assert due_by_state(ProofCode, "state", ProofCode.State.values, task="identity.send_codes") == {"pending"}
    ProofCode.objects.update(state="pending", expires_at=timezone.now() + AGO)
    assert due() == set()


def test_work_on_models_is_found_in_the_states_in_which_it_goes_on(field: Field) -> None:
    assert due_by_state(Field, "index_state", Field.Index.values, task="customdata.sweep") == set(working.BUILDING)
    Field.objects.update(index_state=Field.Index.NONE)
    FieldChange.objects.create(table=field.table, field=field, action="convert")
    assert due_by_state(FieldChange, "state", FieldChange.State.values, task="customdata.sweep") == set(working.WORKING)


def test_imports_are_found_in_the_states_in_which_they_go_on(field: Field) -> None:
    ImportJob.objects.create(table=field.table)
    assert due_by_state(ImportJob, "state", ImportJob.State.values, task="customdata.sweep_imports") == set(ImportJob.ACTIVE)


def test_schedules_are_found_when_their_scenario_is_published_and_on(scenario: Scenario) -> None:
    schedule = Schedule.objects.create(
        bot=scenario.bot, scenario=scenario, key="x", kind="schedule", since=timezone.now(), next_at=timezone.now() + AGO
    )
    assert due() == set()
    scenario.published = scenario.versions.create(number=1, definition={})
    scenario.save()
    assert due() == {"scenarios.schedules"}
    Scenario.objects.update(is_active=False)
    assert due() == set()
    Scenario.objects.update(is_active=True)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=timezone.now() + SOON)
    assert due() == set()


def test_publications_are_found_at_their_moment(scenario: Scenario) -> None:
    planned = PlannedPublication.objects.create(scenario=scenario, definition={}, due_at=timezone.now() + SOON)
    assert due() == set()
    PlannedPublication.objects.filter(pk=planned.pk).update(due_at=timezone.now() + AGO)
    assert due_by_state(PlannedPublication, "state", PlannedPublication.State.values, task="scenarios.publish_due") == {"planned"}


def test_what_still_has_something_to_do_is_started_again_at_its_pace() -> None:
    looker = Looker([Question("often", "true", 0.0), Question("seldom", "true", 60.0)])
    assert [[one.task for one in looker.look()] for _look in range(2)] == [["often", "seldom"], ["often"]]


def test_a_question_that_fails_starts_everything() -> None:
    looker = Looker([Question("one", "false", 1.0), Question("two", "EXISTS (SELECT 1 FROM no_such_table)", 1.0)])
    assert [one.task for one in looker.look()] == ["one", "two"]


@pytest.mark.django_db(transaction=True)
def test_a_session_that_breaks_costs_one_look() -> None:
    looker = Looker([Question("one", "true", 0.0)])
    assert [one.task for one in looker.look()] == ["one"]
    assert connection.connection is not None
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()
    assert [[one.task for one in looker.look()] for _look in range(2)] == [[], ["one"]]


def test_a_look_is_a_sign_of_life() -> None:
    looker = Looker([])
    looker.look()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["beat"]
