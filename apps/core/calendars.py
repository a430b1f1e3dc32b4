"""Working hours as moments in time.

An interval belongs to the day on which it begins: closing that day removes all of it, and a night shift runs on into a day that is closed.
Wall-clock times become moments by one rule that holds on every day of the year: a time means the first moment at which the clock on the
wall shows it or a later one. So 02:30 in the hour that is skipped in spring is the moment of the change, and 01:30 in the hour
that comes twice in autumn is the first of the two.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from apps.core.holidays import public_holidays
from apps.core.models import Calendar

ONE_DAY = dt.timedelta(days=1)
MIDNIGHT = dt.time(0)
WHOLE_DAY = (MIDNIGHT, MIDNIGHT)
HORIZON_DAYS = 3 * 366

Interval = tuple[dt.time, dt.time]
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class Hours:
    """A calendar without its rows: what is open by weekday (Monday 0), by date, and whose holidays close."""

    timezone: ZoneInfo
    weekly: dict[int, list[Interval]] = field(default_factory=dict)
    dated: dict[dt.date, list[Interval]] = field(default_factory=dict)
    country: str = ""
    subdivision: str = ""

    def on(self, date: dt.date) -> list[Interval]:
        """The intervals that begin on `date`: its exceptions, else none on a holiday, else those of the weekday."""
        if date in self.dated:
            return self.dated[date]
        if date in public_holidays(self.country, self.subdivision, date.year):
            return []
        return self.weekly.get(date.weekday(), [])


def hours_of(calendar: Calendar) -> Hours:
    """Reads the calendar's rows (two queries, none when they are prefetched). One closed exception closes its date."""
    weekly: dict[int, list[Interval]] = {}
    for row in calendar.intervals.all():
        weekly.setdefault(row.weekday, []).append((row.start, row.end))
    dated: dict[dt.date, list[Interval]] = {}
    closed: set[dt.date] = set()
    for exception in calendar.exceptions.all():
        hours = (exception.start, exception.end) if exception.start is not None and exception.end is not None else WHOLE_DAY
        dated.setdefault(exception.date, []).append(hours)
        if exception.closed:
            closed.add(exception.date)
    dated.update({date: [] for date in closed})
    return Hours(ZoneInfo(calendar.timezone), weekly, dated, calendar.country, calendar.subdivision)


def is_open(calendar: Calendar, at: dt.datetime) -> bool:
    """Whether the moment `at` (aware) lies in an interval; its begin counts, its end does not."""
    return open_at(hours_of(calendar), at)


def next_open(calendar: Calendar, at: dt.datetime) -> dt.datetime | None:
    """`at` itself when open, else the next opening, in UTC; None when there is none in three years."""
    return opening_after(hours_of(calendar), at)


def add_working_time(calendar: Calendar, at: dt.datetime, delta: dt.timedelta) -> dt.datetime | None:
    """The moment (UTC) by which `delta` of open time has passed since `at`; None when that is more than three years away.

    A delta that is used up exactly at closing time gives the closing time.
    """
    return after_open_time(hours_of(calendar), at, delta)


def open_at(hours: Hours, at: dt.datetime) -> bool:
    return any(start <= at < end for start, end in _spans(hours, at, days=1))


def opening_after(hours: Hours, at: dt.datetime) -> dt.datetime | None:
    at = at.astimezone(dt.UTC)
    for start, end in _spans(hours, at, days=HORIZON_DAYS):
        if at < end:
            return max(at, start)
    return None


def after_open_time(hours: Hours, at: dt.datetime, delta: dt.timedelta) -> dt.datetime | None:
    if delta < dt.timedelta(0):
        raise ValueError("Working time can only be added.")
    counted_to = at.astimezone(dt.UTC)
    if not delta:
        return counted_to
    for start, end in _spans(hours, at, days=HORIZON_DAYS):
        begin = max(start, counted_to)
        if end <= begin:
            continue
        if delta <= end - begin:
            return begin + delta
        delta -= end - begin
        counted_to = end
    return None


def _spans(hours: Hours, at: dt.datetime, *, days: int) -> Iterator[Span]:
    """Open spans in UTC by their begin, from those that may still run at `at` to those that begin `days` later; they may overlap."""
    first = at.astimezone(hours.timezone).date() - 2 * ONE_DAY
    for number in range(days + 3):
        date = first + number * ONE_DAY
        for start, end in sorted(hours.on(date)):
            opening = _moment(hours.timezone, date, start)
            closing = _moment(hours.timezone, date if end > start else date + ONE_DAY, end)
            if opening < closing:  # else all of it lies in an hour that is skipped
                yield opening, closing


def _moment(zone: ZoneInfo, date: dt.date, time: dt.time) -> dt.datetime:
    """The first moment at which the clock shows `time` of `date` or later."""
    wall = dt.datetime.combine(date, time, tzinfo=zone)
    moment = wall.astimezone(dt.UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment
    return _change_of_clock(zone, wall.replace(fold=1).astimezone(dt.UTC), moment)


def _change_of_clock(zone: ZoneInfo, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    """The moment at which the offset of `zone` changes between the two, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
