import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from apps.core.calendars import Hours, Interval, add_working_time, after_open_time, hours_of, is_open, next_open, open_at, opening_after
from apps.core.models import Calendar, CalendarException, CalendarInterval

KYIV = ZoneInfo("Europe/Kyiv")
MINUTE = dt.timedelta(minutes=1)


def at(text: str, zone: ZoneInfo = KYIV) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def time(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


def interval(start: str, end: str) -> Interval:
    return time(start), time(end)


OFFICE = Hours(KYIV, weekly={day: [interval("09:00", "13:00"), interval("14:00", "18:00")] for day in range(5)})
NIGHT = Hours(KYIV, weekly={4: [interval("22:00", "06:00")]})
ALWAYS = Hours(KYIV, weekly={day: [interval("00:00", "00:00")] for day in range(7)})


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-12T08:59:59", False),
        ("2026-01-12T09:00", True),
        ("2026-01-12T12:59:59", True),
        ("2026-01-12T13:00", False),
        ("2026-01-12T14:00", True),
        ("2026-01-12T18:00", False),
        ("2026-01-17T10:00", False),
    ],
)
def test_several_intervals_a_day(moment: str, expected: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert open_at(OFFICE, at(moment)) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-16T21:59", False),
        ("2026-01-16T22:00", True),
        ("2026-01-17T05:59", True),
        ("2026-01-17T06:00", False),
        ("2026-01-16T05:00", False),
    ],
)
def test_an_interval_over_midnight(moment: str, expected: bool) -> None:  # noqa: FBT001
    assert open_at(NIGHT, at(moment)) is expected


@pytest.mark.parametrize(
    ("hours", "moment", "expected"),
    [
        (OFFICE, "2026-01-12T10:00", "2026-01-12T10:00"),
        (OFFICE, "2026-01-12T13:30", "2026-01-12T14:00"),
        (OFFICE, "2026-01-16T18:00", "2026-01-19T09:00"),
        (NIGHT, "2026-01-12T10:00", "2026-01-16T22:00"),
        (NIGHT, "2026-01-17T03:00", "2026-01-17T03:00"),
        (ALWAYS, "2026-01-17T03:00", "2026-01-17T03:00"),
    ],
)
def test_the_next_opening(hours: Hours, moment: str, expected: str) -> None:
    assert opening_after(hours, at(moment)) == at(expected)


def test_a_calendar_without_hours_never_opens() -> None:
    assert opening_after(Hours(KYIV), at("2026-01-12T10:00")) is None
    assert after_open_time(Hours(KYIV), at("2026-01-12T10:00"), MINUTE) is None


@pytest.mark.parametrize(
    ("hours", "moment", "minutes", "expected"),
    [
        (OFFICE, "2026-01-12T10:00", 0, "2026-01-12T10:00"),
        (OFFICE, "2026-01-12T10:00", 60, "2026-01-12T11:00"),
        (OFFICE, "2026-01-12T12:30", 60, "2026-01-12T14:30"),
        (OFFICE, "2026-01-12T17:00", 60, "2026-01-12T18:00"),
        (OFFICE, "2026-01-12T17:00", 61, "2026-01-13T09:01"),
        (OFFICE, "2026-01-16T17:00", 120, "2026-01-19T10:00"),
        (OFFICE, "2026-01-17T12:00", 5 * 480, "2026-01-23T18:00"),
        (NIGHT, "2026-01-12T12:00", 8 * 60 + 1, "2026-01-23T22:01"),
        (ALWAYS, "2026-01-12T12:00", 10 * 24 * 60, "2026-01-22T12:00"),
    ],
)
def test_adding_working_time(hours: Hours, moment: str, minutes: int, expected: str) -> None:
    assert after_open_time(hours, at(moment), minutes * MINUTE) == at(expected)


def test_working_time_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="only be added"):
        after_open_time(OFFICE, at("2026-01-12T10:00"), -MINUTE)


def test_the_hour_that_is_skipped_and_the_hour_that_comes_twice() -> None:
    """Kyiv: 2026-03-29 03:00 becomes 04:00; 2026-10-25 04:00 becomes 03:00."""
    sunday = Hours(KYIV, weekly={6: [interval("02:00", "05:00")]})
    assert after_open_time(sunday, at("2026-03-29T02:00"), 120 * MINUTE) == at("2026-03-29T05:00")
    assert after_open_time(sunday, at("2026-10-25T02:00"), 240 * MINUTE) == at("2026-10-25T05:00")
    inside = Hours(KYIV, weekly={6: [interval("03:30", "03:45")]})
    assert opening_after(inside, at("2026-03-28T12:00")) == at("2026-04-05T03:30")
    opened_in_the_gap = Hours(KYIV, weekly={6: [interval("03:30", "05:00")]})
    assert opening_after(opened_in_the_gap, at("2026-03-28T12:00")) == at("2026-03-29T04:00")
    assert opening_after(inside, at("2026-10-25T00:00")) == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    assert not open_at(inside, dt.datetime(2026, 10, 25, 1, 35, tzinfo=dt.UTC))


def test_a_day_that_does_not_exist() -> None:
    """Apia went from 29 to 31 December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    hours = Hours(apia, weekly={day: [interval("10:00", "11:00")] for day in range(7)})
    assert opening_after(hours, at("2011-12-29T12:00", apia)) == at("2011-12-31T10:00", apia)


ZONES = ["Europe/Kyiv", "UTC", "Asia/Tashkent", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]
TIMES = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
INTERVALS = st.lists(st.tuples(TIMES, TIMES), max_size=3)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Hours, dt.datetime]:
    """Hours and a moment near a change of clock as often as not."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    day = draw(
        st.sampled_from(
            [
                dt.date(2026, 3, 29),
                dt.date(2026, 10, 25),
                dt.date(2026, 3, 8),
                dt.date(2026, 11, 1),
                dt.date(2026, 4, 5),
                dt.date(2011, 12, 30),
                dt.date(2026, 6, 15),
            ]
        )
    )
    start = dt.datetime.combine(day, draw(TIMES), tzinfo=dt.UTC) - dt.timedelta(hours=draw(st.integers(0, 40)))
    weekly = draw(st.dictionaries(st.integers(0, 6), INTERVALS))
    dated = draw(st.dictionaries(st.integers(-1, 2).map(lambda shift: day + dt.timedelta(days=shift)), INTERVALS, max_size=2))
    return Hours(zone, weekly, dated), start


def slow_moment(zone: ZoneInfo, date: dt.date, wall: dt.time) -> dt.datetime:
    """Looks at the clock on the wall every minute until it shows the time, or a later one."""
    wanted = dt.datetime.combine(date, wall)
    moment = wanted.replace(tzinfo=dt.UTC) - dt.timedelta(hours=27)
    while moment.astimezone(zone).replace(tzinfo=None) < wanted:
        moment += MINUTE
    return moment


def slow_spans(hours: Hours, first: dt.date, days: int) -> list[tuple[dt.datetime, dt.datetime]]:
    spans = []
    for number in range(days):
        date = first + dt.timedelta(days=number)
        for start, end in hours.dated.get(date, hours.weekly.get(date.weekday(), [])):
            closing_day = date if end > start else date + dt.timedelta(days=1)
            spans.append((slow_moment(hours.timezone, date, start), slow_moment(hours.timezone, closing_day, end)))
    return spans


@settings(max_examples=60, deadline=None)
@given(calendars(), st.integers(0, 600))
def test_every_minute_agrees_with_the_clock_on_the_wall(drawn: tuple[Hours, dt.datetime], wanted: int) -> None:
    hours, start = drawn
    spans = slow_spans(hours, start.date() - dt.timedelta(days=3), 8)
    minutes = [start + number * MINUTE for number in range(48 * 60)]
    slow = [any(begin <= moment < end for begin, end in spans) for moment in minutes]
    assert [open_at(hours, moment) for moment in minutes[::7]] == slow[::7]
    if True in slow:
        assert opening_after(hours, start) == minutes[slow.index(True)]
    worked = 0
    for moment, is_working in zip(minutes, slow, strict=True):
        worked += is_working
        if worked == wanted + 1:
            assert after_open_time(hours, start, (wanted + 1) * MINUTE) == moment + MINUTE
            break


@pytest.fixture
def shop(db: None) -> Calendar:
    calendar = Calendar.objects.create(name="Shop", timezone="Asia/Tashkent", country="UZ")
    CalendarInterval.objects.bulk_create(
        CalendarInterval(calendar=calendar, weekday=day, start=time("09:00"), end=time("18:00")) for day in range(7)
    )
    return calendar


def tashkent(text: str) -> dt.datetime:
    return at(text, ZoneInfo("Asia/Tashkent"))


def test_public_holidays_close(shop: Calendar) -> None:
    assert not is_open(shop, tashkent("2026-09-01T12:00"))
    assert is_open(shop, tashkent("2026-09-02T12:00"))
    assert next_open(shop, tashkent("2026-08-31T18:00")) == tashkent("2026-09-02T09:00")


def test_an_exception_counts_more_than_a_holiday_and_than_the_week(shop: Calendar) -> None:
    CalendarException.objects.create(calendar=shop, date="2026-09-01", closed=False, start=time("10:00"), end=time("12:00"))
    CalendarException.objects.create(calendar=shop, date="2026-09-01", closed=False, start=time("14:00"), end=time("15:00"))
    CalendarException.objects.create(calendar=shop, date="2026-09-02", name="Inventory")
    CalendarException.objects.create(calendar=shop, date="2026-09-03", closed=False)
    shop.refresh_from_db()
    opened = [hour for hour in range(96) if is_open(shop, tashkent("2026-09-01T00:30") + dt.timedelta(hours=hour))]
    assert opened == [10, 11, 14, *range(48, 72), *range(81, 90)]
    assert add_working_time(shop, tashkent("2026-09-01T11:00"), dt.timedelta(hours=3)) == tashkent("2026-09-03T01:00")


def test_one_closed_exception_closes_its_date(shop: Calendar) -> None:
    CalendarException.objects.create(calendar=shop, date="2026-09-02", closed=False, start=time("10:00"), end=time("12:00"))
    CalendarException.objects.create(calendar=shop, date="2026-09-02", closed=True)
    assert not is_open(shop, tashkent("2026-09-02T11:00"))


def test_prefetched_calendars_ask_nothing_more(shop: Calendar, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    [calendar] = Calendar.objects.prefetch_related("intervals", "exceptions")
    with django_assert_num_queries(0):
        assert len(hours_of(calendar).weekly) == 7
    assert shop.pk == calendar.pk
