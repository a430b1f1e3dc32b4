"""Cron expressions: minute, hour, day of month, month, day of week; `*`, lists, ranges, steps. As in cron, a day fits by either of its two fields
when both are given. Sunday is 0 or 7.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from apps.scenarios.engine.reading import on_the_wall

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
NAMES = {
    "month": {name: index for index, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)},
    "weekday": {name: index for index, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
}  # fmt: skip
# The longest gap between two days that fit: 29 February over a century that is no leap year.
LONGEST_GAP = timedelta(days=8 * 366 + 2)


@dataclass(frozen=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def day_fits(self, moment: datetime) -> bool:
        if moment.month not in self.months:
            return False
        by_date, by_week = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return by_date or by_week if self.either_day else by_date and by_week

    def following(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first fitting minute after `after` (aware), by the clock on the wall of `zone`, in UTC; None when there is none.

        A time that the clock skips in spring is taken at the change; one that comes twice in autumn is taken once.
        """
        local = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0) + timedelta(minutes=1)
        last = local + LONGEST_GAP
        while local <= last:
            if not self.day_fits(local):
                local = (local + timedelta(days=1)).replace(hour=0, minute=0)
            elif local.hour not in self.hours:
                local = (local + timedelta(hours=1)).replace(minute=0)
            elif local.minute not in self.minutes:
                local += timedelta(minutes=1)
            else:
                found = on_the_wall(local, zone)
                if found > after:
                    return found
                local += timedelta(minutes=1)
        return None


def parse(expression: str) -> Cron:
    """Raises `ValueError` with what is wrong."""
    parts = expression.lower().split()
    if len(parts) != len(FIELDS):
        raise ValueError("Give five parts: minute, hour, day of month, month, day of week, such as 0 10 * * 1-5")
    found = [_values(part, *spec) for part, spec in zip(parts, FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = found
    return Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not parts[2].startswith("*") and not parts[4].startswith("*"),
    )


def _values(part: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        span, _slash, step_text = piece.partition("/")
        step = _number(step_text, name, 1, high) if step_text else 1
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, name, low, high)
            end = _number(last, name, low, high) if dash else high if step_text else start
        if end < start or (piece.endswith("/")):
            raise ValueError(f"“{piece}” is no {name}")
        found.update(range(start, end + 1, step))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int) -> int:
    value = NAMES.get(name, {}).get(text, int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else -1)  # noqa: PLR2004
    if not low <= value <= high:
        raise ValueError(f"“{text}” is no {name} ({low} to {high})")
    return value
