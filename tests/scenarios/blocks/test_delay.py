"""Delay."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.scenarios.engine.contract import Facts, Fired, Resumed, Said
from tests.scenarios.blocks.cases import Case, run
from tests.scenarios.engine.driving import NOON, Talk, fire, flow_of, node

TASHKENT = Facts(timezone="Asia/Tashkent")
CASES = [
    Case("waits a span", {"amount": 5, "unit": "minutes"}, (timedelta(minutes=5), fire("delay")), takes="next"),
    Case("waits as long as a placeholder says", {"amount": "{{ hours }}", "unit": "hours"}, given={"hours": "1,5"}, takes=""),
    Case("nothing to wait for", {"amount": 0}, takes="next"),
    Case("a moment that is over goes on at once", {"until": "2020-01-01"}, takes="next"),
    Case("a message does not end it", {"amount": 5}, (Said("hello"),), takes="", handled=False),
    Case("no number", {"amount": "{{ nope }}"}, takes="invalid"),
    Case("no date", {"until": "some day"}, takes="invalid"),
    Case("too far away", {"amount": 100, "unit": "weeks"}, takes="invalid"),
    Case("too far away, by date", {"until": "2031-01-01"}, takes="invalid"),
    Case("a failure that is not connected fails the run", {"until": "some day"}, open_exits=frozenset({"invalid"}), status="failed"),
    Case("comes back before it is due", {"amount": 10}, (timedelta(minutes=3), Resumed()), takes=""),
    Case("comes back after it was due", {"amount": 10}, (timedelta(minutes=30), Resumed()), takes="next"),
]


@pytest.mark.parametrize(
    ("params", "facts", "due_at"),
    [
        ({"amount": 90, "unit": "seconds"}, Facts(), NOON + timedelta(seconds=90)),
        ({"until": "2026-05-21 10:00"}, Facts(), datetime(2026, 5, 21, 10, tzinfo=UTC)),
        ({"until": "2026-05-21 10:00"}, TASHKENT, datetime(2026, 5, 21, 5, tzinfo=UTC)),
        ({"until": "2026-05-21T10:00:00+02:00"}, TASHKENT, datetime(2026, 5, 21, 8, tzinfo=UTC)),
        ({"until": "{{ day }}", "at": "09:30"}, TASHKENT, datetime(2026, 6, 1, 4, 30, tzinfo=UTC)),
        ({"until": "{{ day | shift: '-1 day' }}", "at": "09:30"}, TASHKENT, datetime(2026, 5, 31, 4, 30, tzinfo=UTC)),
        ({"until": "tomorrow 10:00"}, Facts(), datetime(2026, 5, 21, 10, tzinfo=UTC)),
        ({"until": "завтра в 10:00"}, TASHKENT, datetime(2026, 5, 21, 5, tzinfo=UTC)),
        # The clocks went back there on 25 October 2026: ten in the morning is nine hours after UTC midnight again.
        ({"until": "2026-10-26 10:00"}, Facts(timezone="Europe/Berlin"), datetime(2026, 10, 26, 9, tzinfo=UTC)),
    ],
)
def test_the_moment_is_meant_in_the_persons_zone(params: dict[str, object], facts: Facts, due_at: datetime) -> None:
    talk = run("delay", Case("", params, facts=facts, given={"day": "2026-06-01"}))
    assert talk.timers == [("delay", due_at)]


BERLIN = "Europe/Berlin"
SPRING, AUTUMN = (
    datetime(2027, 3, 27, 12, tzinfo=UTC),
    datetime(2026, 10, 24, 12, tzinfo=UTC),
)  # 13:00 and 14:00 there; the clock changes at night


@pytest.mark.parametrize(
    ("now", "params", "due_at"),
    [
        # 02:30 does not exist: the moment of the change. The same time tomorrow is 23 hours away.
        (SPRING, {"until": "tomorrow 02:30"}, datetime(2027, 3, 28, 1, tzinfo=UTC)),
        (SPRING, {"until": "2027-03-28T02:30"}, datetime(2027, 3, 28, 1, tzinfo=UTC)),
        (SPRING, {"until": "2027-03-28", "at": "02:30"}, datetime(2027, 3, 28, 1, tzinfo=UTC)),
        (SPRING, {"until": "{{ now | shift: '1 day' }}"}, datetime(2027, 3, 28, 11, tzinfo=UTC)),
        (SPRING, {"until": "{{ now | shift: '24 hours' }}"}, datetime(2027, 3, 28, 12, tzinfo=UTC)),
        (SPRING, {"amount": 1, "unit": "days"}, datetime(2027, 3, 28, 12, tzinfo=UTC)),
        # 02:30 comes twice: the first one, unless that is over.
        (AUTUMN, {"until": "tomorrow 02:30"}, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (AUTUMN, {"until": "{{ now | shift: '1 day' }}"}, datetime(2026, 10, 25, 13, tzinfo=UTC)),
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), {"until": "02:55"}, datetime(2026, 10, 25, 0, 55, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), {"until": "02:20"}, datetime(2026, 10, 25, 1, 20, tzinfo=UTC)),
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), {"until": "02:20"}, datetime(2026, 10, 25, 1, 20, tzinfo=UTC)),
        (
            datetime(2026, 10, 25, 0, 50, tzinfo=UTC),
            {"until": "{{ now | shift: '30 minutes' }}"},
            datetime(2026, 10, 25, 1, 20, tzinfo=UTC),
        ),
    ],
)
def test_the_nights_in_which_the_clock_changes(now: datetime, params: dict[str, object], due_at: datetime) -> None:
    flow = flow_of(node("wait", "delay", params, next="end", invalid="end"), node("end", "end"))
    assert Talk(flow, facts=Facts(timezone=BERLIN), now=now).start().timers == [("delay", due_at)]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59", "0001-01-01T00:00", "{{ '9999-12-31' | shift: '300 days' }}"])
def test_the_ends_of_all_time_are_no_accident(moment: str) -> None:
    flow = flow_of(node("wait", "delay", {"until": moment}, next="end", invalid="end"), node("end", "end"))
    assert Talk(flow, facts=Facts(timezone="Asia/Tokyo")).start().last.status == "ended"


def test_coming_back_keeps_the_moment_and_makes_the_old_timer_stale() -> None:
    talk = run("delay", Case("", {"amount": 10}, (timedelta(minutes=3), Resumed())))
    assert talk.timers == [("delay", NOON + timedelta(minutes=10))] * 2
    assert talk.tell(Fired(visit=1, reason="delay")).last.handled is False
    assert talk.tell(fire("delay")).last.outcome == "next"
