"""Cron expressions: what they mean by the clock on the wall, through the days on which it is changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.scenarios.engine import cron

KYIV = ZoneInfo("Europe/Kyiv")
SATURDAY = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "moment"),
    [
        ("0 10 * * 1", "2026-11-23T08:00"),
        ("*/15 * * * *", "2026-11-21T16:15"),
        ("5-10/5,50 18 * * *", "2026-11-21T16:05"),
        ("0 0 29 2 *", "2028-02-28T22:00"),
        ("0 10 1 * 1", "2026-11-23T08:00"),  # both day fields: either fits
        ("0 12 * * 7", "2026-11-22T10:00"),
        ("5 4 * jan sun", "2027-01-03T02:05"),
    ],
)
def test_the_next_moment(expression: str, moment: str) -> None:
    assert cron.parse(expression).following(SATURDAY, KYIV) == utc(moment)


def test_a_day_that_never_comes() -> None:
    assert cron.parse("0 0 31 2 *").following(SATURDAY, KYIV) is None


def test_a_time_that_the_clock_skips_is_taken_at_the_change() -> None:
    assert cron.parse("30 3 * * *").following(utc("2026-03-28T22:00"), KYIV) == utc("2026-03-29T01:00")


def test_a_time_that_comes_twice_is_taken_once() -> None:
    daily = cron.parse("30 3 * * *")
    assert daily.following(utc("2026-10-25T00:10"), KYIV) == utc("2026-10-25T00:30")
    assert daily.following(utc("2026-10-25T00:30"), KYIV) == utc("2026-10-26T01:30")


@pytest.mark.parametrize(
    "expression", ["", "* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "*/0 * * * *", "1/ * * * *", "² * * * *", "1,,2 * * * *"]
)
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"Give five parts|is no "):
        cron.parse(expression)
