"""Scenarios that start by the clock: each person once for each time, at the right hour of theirs, whatever is repeated or was down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.bots.models import Channel
from apps.conversations import advancing
from apps.conversations.models import Message, Update
from apps.events.models import Event
from apps.identity.models import ClientField, Lead, Person
from apps.scenarios import publishing, triggers
from apps.scenarios.models import Scenario, Schedule
from apps.scenarios.scheduling import sweeping
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db(transaction=True)
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 10:00 in Kyiv


@pytest.fixture
def channel() -> Channel:
    triggers.forget()
    channel = make_channel()
    channel.bot.timezone = "Europe/Kyiv"
    channel.bot.save()
    return channel


def person(channel: Channel, name: str, *, zone: str = "", **attributes: Any) -> Lead:
    lead = make_lead(channel, chat_id=name, name=name)
    Person.objects.filter(pk=lead.person_id).update(name=name, timezone=zone, attributes=attributes)
    return lead


def greeting(**trigger: Any) -> Json:
    made = definition(node("start", "start", next="hello"), node("hello", "message", {"text": "Hello, {{ user_name }}!"}))
    return {**made, "triggers": [trigger]}


def scheduled(channel: Channel, moment: datetime, /, **trigger: Any) -> Schedule:
    """Published a while before the moment."""
    schedule = Schedule.objects.get(scenario=make_scenario(channel.bot, greeting(**trigger)))
    schedule.since = moment - timedelta(minutes=20)
    schedule.next_at = moment - timedelta(minutes=1)
    schedule.save()
    return schedule


def greeted() -> list[str]:
    advancing.drain()
    return sorted(Message.objects.filter(direction="out").values_list("text", flat=True))


def test_everybody_is_written_to_once_at_the_hour(channel: Channel) -> None:
    person(channel, "Anna")
    person(channel, "Boris")
    gone = person(channel, "Gone")
    Lead.objects.filter(pk=gone.pk).update(is_active=False)
    schedule = scheduled(channel, MONDAY, kind="schedule", cron="0 10 * * 1")
    assert sweeping.sweep(MONDAY - timedelta(seconds=1)) == 0
    assert sweeping.sweep(MONDAY + timedelta(seconds=2)) == 2
    assert sweeping.sweep(MONDAY + timedelta(seconds=12)) == 0
    assert greeted() == ["Hello, Anna!", "Hello, Boris!"]
    schedule.refresh_from_db()
    assert (schedule.next_at, schedule.last_people) == (MONDAY + timedelta(days=7), 2)
    assert Event.objects.get(kind="schedule.started").details["people"] == 2
    assert Event.objects.filter(kind="session.started").values_list("details__why", flat=True)[0] == "schedule “0 10 * * 1”"


def test_a_sweep_that_died_is_done_again_without_doubles(channel: Channel) -> None:
    person(channel, "Anna")
    schedule = scheduled(channel, MONDAY, kind="schedule", cron="0 10 * * 1")
    since, next_at = schedule.since, schedule.next_at
    assert sweeping.sweep(MONDAY) == 1
    Schedule.objects.update(since=since, next_at=next_at)  # as if it had died before it noted that it was done
    assert sweeping.sweep(MONDAY + timedelta(seconds=9)) == 0
    assert (greeted(), Update.objects.filter(source="schedule").count()) == (["Hello, Anna!"], 1)


def test_after_a_night_down_the_newest_time_is_made_up_for_and_old_ones_are_not(channel: Channel) -> None:
    person(channel, "Anna")
    scheduled(channel, MONDAY - timedelta(days=3), kind="schedule", cron="*/30 * * * *")
    assert sweeping.sweep(MONDAY + timedelta(minutes=4)) == 1
    assert Update.objects.get(source="schedule").payload["params"] == {"scheduled_for": MONDAY.isoformat()}
    scheduled(channel, MONDAY - timedelta(days=9), kind="schedule", cron="0 10 * * 5")
    assert sweeping.sweep(MONDAY + timedelta(minutes=4)) == 0


def test_a_condition_chooses_the_people(channel: Channel) -> None:
    person(channel, "Anna", plan="gold")
    person(channel, "Boris", plan="free")
    scheduled(channel, MONDAY, kind="schedule", cron="0 10 * * *", when={"variable": "plan", "operator": "equals", "value": "gold"})
    assert sweeping.sweep(MONDAY) == 1
    assert greeted() == ["Hello, Anna!"]


def test_three_days_before_a_date_at_ten_o_clock_of_their_own(channel: Channel) -> None:
    person(channel, "Anna", contract_end="2026-11-26")
    person(channel, "Taro", zone="Asia/Tokyo", contract_end="2026-11-26")
    person(channel, "Olga", contract_end="2026-11-27")
    person(channel, "Nobody", contract_end="soon")
    scheduled(channel, MONDAY - timedelta(hours=8), kind="date", attribute="contract_end", days=-3, at="10:00")
    tokyo = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert sweeping.sweep(tokyo) == 1
    assert greeted() == ["Hello, Taro!"]
    assert Schedule.objects.get().next_at == tokyo + timedelta(minutes=15)
    assert sweeping.sweep(MONDAY) == 1
    assert greeted() == ["Hello, Anna!", "Hello, Taro!"]
    assert sweeping.sweep(MONDAY + timedelta(days=1)) == 1
    assert greeted()[-2:] == ["Hello, Olga!", "Hello, Taro!"]


def test_the_trace_says_for_which_day_and_where(channel: Channel) -> None:
    person(channel, "Anna", contract_end="2026-11-26")
    scheduled(channel, MONDAY, kind="date", attribute="contract_end", days=-3, at="10:00")
    assert (sweeping.sweep(MONDAY), greeted()) == (1, ["Hello, Anna!"])
    why = Event.objects.get(kind="session.started").details["why"]
    assert why == "schedule “contract_end -3 d 10:00”: 2026-11-23 in Europe/Kyiv"


def test_who_travels_is_written_to_once_although_ten_o_clock_comes_again(channel: Channel) -> None:
    anna = person(channel, "Anna", zone="Asia/Tokyo", contract_end="2026-11-26")
    tokyo = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    scheduled(channel, tokyo, kind="date", attribute="contract_end", days=-3, at="10:00")
    assert sweeping.sweep(tokyo) == 1
    Person.objects.filter(pk=anna.person_id).update(timezone="")
    assert (sweeping.sweep(MONDAY), greeted()) == (0, ["Hello, Anna!"])


def test_a_date_that_changed_is_kept_at_its_new_day_and_only_there(channel: Channel) -> None:
    anna = person(channel, "Anna", contract_end="2026-11-26")
    boris = person(channel, "Boris", contract_end="2026-11-26")
    scheduled(channel, MONDAY, kind="date", attribute="contract_end", days=-3, at="10:00")
    Person.objects.filter(pk=anna.person_id).update(attributes={"contract_end": "2026-11-28"})  # before its moment: two days later
    assert sweeping.sweep(MONDAY) == 1
    Person.objects.filter(pk=boris.person_id).update(attributes={"contract_end": "2026-11-28"})  # after it: once more, for the new date
    assert sweeping.sweep(MONDAY + timedelta(days=1)) == 0
    assert sweeping.sweep(MONDAY + timedelta(days=2)) == 2
    Person.objects.update(attributes={"contract_end": "2026-11-26"})  # what is over is over
    assert sweeping.sweep(MONDAY + timedelta(days=2, minutes=15)) == 0
    assert greeted() == ["Hello, Anna!", "Hello, Boris!", "Hello, Boris!"]


def test_the_nights_in_which_the_clock_changes(channel: Channel) -> None:
    person(channel, "Spring", trip="2027-03-28")
    person(channel, "Autumn", trip="2026-10-25")
    spring = datetime(2027, 3, 28, 1, 0, tzinfo=UTC)  # 03:00 becomes 04:00 in Kyiv: 03:30 does not exist
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of two 03:30
    for day, name in ((spring, "Spring"), (autumn, "Autumn")):
        scheduled(channel, day, kind="date", attribute="trip", at="03:30")
        assert (sweeping.sweep(day - timedelta(seconds=1)), sweeping.sweep(day)) == (0, 1), name
        assert (sweeping.sweep(day + timedelta(minutes=30)), sweeping.sweep(day + timedelta(minutes=60))) == (0, 0), name
        Schedule.objects.all().delete()


def test_birthdays_come_each_year_also_those_of_29_february(channel: Channel) -> None:
    person(channel, "Anna", born="1990-02-28")
    person(channel, "Leap", born="1992-02-29")
    person(channel, "May", born="1990-05-28")
    day = datetime(2027, 2, 28, 8, 0, tzinfo=UTC)
    scheduled(channel, day, kind="date", attribute="born", at="10:00", yearly=True)
    assert sweeping.sweep(day) == 2
    assert greeted() == ["Hello, Anna!", "Hello, Leap!"]


def test_publishing_anew_keeps_the_place_in_time_and_drops_what_is_gone(channel: Channel) -> None:
    schedule = scheduled(channel, MONDAY, kind="schedule", cron="0 10 * * 1")
    scenario = Scenario.objects.get()
    publishing.publish(scenario)
    assert Schedule.objects.get().since == schedule.since
    scenario.draft = greeting(kind="schedule", cron="0 11 * * 1")
    scenario.save()
    publishing.publish(scenario)
    assert [str(row) for row in Schedule.objects.all()] == ["0 11 * * 1"]


def test_a_switched_off_scenario_does_not_start(channel: Channel) -> None:
    person(channel, "Anna")
    scheduled(channel, MONDAY, kind="schedule", cron="0 10 * * 1")
    Scenario.objects.update(is_active=False)
    assert sweeping.sweep(MONDAY) == 0


def test_a_date_that_is_no_date_field_is_told(channel: Channel) -> None:
    def told(name: str) -> list[tuple[str, str, str]]:
        found = publishing.check(greeting(kind="date", attribute=name), bot=channel.bot)
        return [(problem.level, problem.code, problem.field) for problem in found]

    ClientField.objects.create(key="contract_end", label="Contract end", type="date")
    ClientField.objects.create(key="shop", label="Shop", type="text")
    assert (told("contract_end"), told("shop")) == ([], [("warning", "undeclared_date", "triggers.0.attribute")])
    assert told("nothing") == [("warning", "undeclared_date", "triggers.0.attribute")]


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        ({"kind": "schedule", "cron": "61 * * * *"}, "triggers.0"),
        ({"kind": "date", "attribute": "born", "at": "25:00"}, "triggers.0"),
        ({"kind": "date", "attribute": "passport_until"}, "triggers.0.attribute"),
    ],
)
def test_what_cannot_run_is_refused_before_it_is_published(channel: Channel, trigger: dict[str, Any], field: str) -> None:
    ClientField.objects.create(key="born", label="Born", type="date")
    ClientField.objects.create(key="passport_until", label="Passport", type="date", is_private=True)
    found = publishing.check(greeting(**trigger), bot=channel.bot)
    assert [problem.level for problem in found if problem.field.startswith(field)] == ["error"]
