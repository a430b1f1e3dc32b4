"""What a person (or another system) meant: numbers, dates, phones, e-mails, yes and no, as people type them.

Every function returns None when it does not recognise the value; none raises. Texts are cut to a length at which nothing is slow.
"""

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import phonenumbers

from apps.scenarios.engine.limits import LONGEST_WAIT_DAYS
from apps.scenarios.engine.words import MONTH_STEMS, NO, RELATIVE_DAYS, YES

SHORT_TEXT = 64
EMAIL_CHARS = 254
GROUP_DIGITS = 3
LONG_NUMBER = 11
MAX_DIGITS = 30
CENTURY = 100
LEAP_GAP = 9
APOSTROPHES = str.maketrans(dict.fromkeys("ʻʼ’‘`´", "'"))
NUMBER = re.compile(r"[+-]?(?:\d+[\d.,]*|[.,]\d+)")
NUMERIC_DATE = re.compile(r"(\d{1,4})[./\- ](\d{1,2})(?:[./\- ](\d{1,4}))?\.?")
DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th|-?е|-?го)?[ .\-]+([^\W\d_]{3,})\.?,?(?: +(\d{4}|\d{2}))?(?: *(?:г|года|року|р|yil)\.?)?")
MONTH_DAY = re.compile(r"([^\W\d_]{3,})\.? +(\d{1,2})(?:st|nd|rd|th)?,?(?: +(\d{4}))?")
TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?(?:\s*([ap])\.?m\.?)?", re.IGNORECASE)
# With a colon only: "10.05" at the end of a text is the tenth of May.
TIME_AT_END = re.compile(r"(?<![\d.])\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?)?$", re.IGNORECASE)
EMAIL = re.compile(r"[^@\s<>(),;:\"\[\]\\]+@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}")
DURATION = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([^\W\d_]*)")
TIME_WORDS = ("at", "в", "о", "об", "soat")
UNITS: dict[str, int] = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
UNIT_STEMS: dict[str, str] = {
    "": "s", "s": "s", "sec": "s", "second": "s", "seconds": "s", "сек": "s", "секунд": "s", "секунды": "s",
    "m": "m", "min": "m", "minute": "m", "minutes": "m", "мин": "m", "минут": "m", "минуты": "m", "минута": "m",
    "h": "h", "hour": "h", "hours": "h", "ч": "h", "час": "h", "часа": "h", "часов": "h",
    "d": "d", "day": "d", "days": "d", "день": "d", "дня": "d", "дней": "d",
    "w": "w", "week": "w", "weeks": "w", "неделя": "w", "недели": "w", "недель": "w",
}  # fmt: skip


def normal(text: str) -> str:
    """The text as it is compared: one case, one kind of space and apostrophe, no keycap or emoji variation marks."""
    folded = unicodedata.normalize("NFKC", text.replace("\ufe0f", "").replace("\u20e3", ""))
    return " ".join(folded.translate(APOSTROPHES).casefold().split())


def read_number(value: Any, *, language: str = "en") -> int | float | None:
    """3500, "3 500,50", "1,234.56", "1.234,56", "−5", "$20". A lone separator is judged by the language where it could be either."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    if not isinstance(value, str) or len(value) > SHORT_TEXT:
        return None
    text = unicodedata.normalize("NFKC", value).replace("\u2212", "-")
    text = "".join(char for char in text if not char.isspace() and char not in "'’_" and unicodedata.category(char) != "Sc")
    if not NUMBER.fullmatch(text) or len(text) > MAX_DIGITS:
        return None
    return _parsed(text, decimal="." if language.startswith("en") else ",")


def _parsed(text: str, *, decimal: str) -> int | float | None:
    mark = _decimal_mark(text, decimal=decimal)
    for separator in ".,":
        if separator != mark:
            groups = text.lstrip("+-").split(mark)[0].split(separator) if mark else text.lstrip("+-").split(separator)
            if any(len(group) != GROUP_DIGITS for group in groups[1:]) or (len(groups) > 1 and not 1 <= len(groups[0]) <= GROUP_DIGITS):
                return None
            text = text.replace(separator, "")
    if not mark:
        return int(text)
    number = float(text.replace(mark, "."))
    return int(number) if number.is_integer() and text.endswith((f"{mark}0", f"{mark}00", mark)) else number


def _decimal_mark(text: str, *, decimal: str) -> str:
    """Which of "." and "," separates the fraction in this number; "" when none does."""
    dots, commas = text.count("."), text.count(",")
    if dots and commas:
        last = max(".,", key=text.rfind)
        return last if text.count(last) == 1 else ""
    if dots + commas != 1:
        return ""
    mark = "." if dots else ","
    whole, fraction = text.lstrip("+-").split(mark)
    grouped = len(fraction) == GROUP_DIGITS and 1 <= len(whole) <= GROUP_DIGITS and whole != "0"
    return "" if grouped and mark != decimal else mark


def read_date(value: Any, *, today: date, month_first: bool = False) -> date | None:
    """31.05.2025, 2025-05-31, 31/05, "31 мая", "May 31, 2025", "tomorrow". Without a year: the next such day, today included.

    Day before month, unless `month_first` or only the other order makes a date.
    """
    if not isinstance(value, str) or len(value) > SHORT_TEXT:
        return None
    text = normal(value).strip(" .,!")
    if text in RELATIVE_DAYS:
        return today + timedelta(days=RELATIVE_DAYS[text])
    if match := NUMERIC_DATE.fullmatch(text):
        first, second, third = match.groups()
        if len(first) == 4 and third:  # noqa: PLR2004
            return _made(int(first), int(second), int(third))
        if len(first) > 2 or (third and len(third) == 3):  # noqa: PLR2004
            return None
        orders = ((second, first), (first, second)) if not month_first else ((first, second), (second, first))
        return next((found for month, day in orders if (found := _dated(third, int(month), int(day), today))), None)
    if (match := DAY_MONTH.fullmatch(text)) and (month := _month(match[2])):
        return _dated(match[3], month, int(match[1]), today)
    if (match := MONTH_DAY.fullmatch(text)) and (month := _month(match[1])):
        return _dated(match[3], month, int(match[2]), today)
    return None


def _month(word: str) -> int:
    return MONTH_STEMS.get(word[:4]) or MONTH_STEMS.get(word[:3]) or 0


def _dated(year: str | None, month: int, day: int, today: date) -> date | None:
    if year is None:
        coming = (_made(today.year + years, month, day) for years in range(LEAP_GAP))
        return next((found for found in coming if found and found >= today), None)
    number = int(year)
    if number < CENTURY:
        number += today.year - today.year % CENTURY
        # "85" of somebody's birthday is not in the future; "30" of a plan is.
        number -= CENTURY if number > today.year + 20 else 0
    return _made(number, month, day)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_moment(value: Any, *, now: datetime) -> datetime | None:
    """An aware moment: ISO text, seconds since 1970, a date (its midnight), "31.05.2025 10:00", "tomorrow 10:00", "10:00", "now".

    What names no zone is meant in the zone of `now`.
    """
    try:
        return _read_moment(value, now=now)
    except OverflowError:  # on the first or the last day of all years
        return None


def _read_moment(value: Any, *, now: datetime) -> datetime | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_timestamp(value, now.tzinfo)
    if not isinstance(value, str) or len(value) > SHORT_TEXT:
        return None
    text = value.strip()
    if text.isdecimal() and len(text) in {10, 13}:
        return _from_timestamp(int(text) / (1000 if len(text) == 13 else 1), now.tzinfo)  # noqa: PLR2004
    if normal(text) in {"now", "сейчас", "зараз", "hozir"}:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _read_loose_moment(text, now=now)
    return moment if moment.tzinfo else at_clock(moment.date(), moment.time(), now=now)


def _from_timestamp(seconds: float, zone: tzinfo | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, tz=zone)
    except (OverflowError, OSError, ValueError):
        return None


def on_the_wall(local: datetime, zone: tzinfo, *, after: datetime | None = None) -> datetime:
    """The moment, in UTC, at which the clock of `zone` shows `local` (naive). What the clock skips in spring is the moment of the change; of
    what it shows twice in autumn the first, or the second when the first is not later than `after`.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        return second if after is not None and first <= after.astimezone(UTC) else first
    moment = local.replace(tzinfo=zone, fold=1).astimezone(UTC)  # by the offset after the change: before it
    while moment.astimezone(zone).replace(tzinfo=None) < local:
        moment += timedelta(minutes=1)
    return moment


def _read_loose_moment(text: str, *, now: datetime) -> datetime | None:
    match = TIME_AT_END.search(text)
    clock = read_time(match[0]) if match else None
    if match is None or clock is None:
        day = read_date(text, today=now.date())
        return datetime.combine(day, time(), tzinfo=now.tzinfo) if day else None
    head = f" {text[: match.start()]}".rstrip(" ,")
    for word in TIME_WORDS:
        head = head.removesuffix(f" {word}")
    if head.strip():
        day = read_date(head, today=now.date())
        return at_clock(day, clock, now=now) if day else None
    moment = at_clock(now.date(), clock, now=now)
    return moment if moment > now.astimezone(UTC) else at_clock(now.date() + timedelta(days=1), clock, now=now)


def at_clock(day: date, clock: time, *, now: datetime) -> datetime:
    """That time of the day by the clock on the wall of `now`'s zone, in that zone."""
    zone = now.tzinfo or UTC
    return on_the_wall(datetime.combine(day, clock), zone, after=now).astimezone(zone)


def moved_by(moment: datetime, text: str, *, zone: tzinfo) -> datetime | None:
    """The moment moved by a span such as "-2 hours". Days and weeks keep the clock on the wall, so that "1 day" is the same time tomorrow; "24 hours"
    is time that passes. A moment that was written as the clock of `zone` shows it is meant there, also where the clock changes meanwhile.
    """
    span = read_duration(text)
    if span is None:
        return None
    here = moment.astimezone(zone)
    own = zone if here.utcoffset() == moment.utcoffset() else moment.tzinfo or zone
    if span % timedelta(days=1) or UNIT_STEMS.get(_unit_of(text)) not in {"d", "w"}:
        return (moment.astimezone(UTC) + span).astimezone(own)
    return on_the_wall(moment.astimezone(own).replace(tzinfo=None) + span, own).astimezone(own)


def _unit_of(text: str) -> str:
    match = DURATION.fullmatch(normal(text))
    return match[2] if match else ""


def read_time(text: str) -> time | None:
    """10:00, 9.30, 7:05 pm."""
    match = TIME.fullmatch(text.strip())
    if match is None:
        return None
    hour = int(match[1])
    if match[4]:
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    try:
        return time(hour, int(match[2]), int(match[3] or 0))
    except ValueError:
        return None


def read_duration(text: str) -> timedelta | None:
    """A span such as "3 days", "-2 hours", "90" (seconds) or "15 минут"; None beyond the longest wait."""
    match = DURATION.fullmatch(normal(text)) if len(text) <= SHORT_TEXT else None
    unit = UNIT_STEMS.get(match[2]) if match else None
    if match is None or unit is None:
        return None
    seconds = float(match[1].replace(",", ".")) * UNITS[unit]
    return timedelta(seconds=seconds) if abs(seconds) <= LONGEST_WAIT_DAYS * UNITS["d"] else None


def read_phone(value: Any, *, region: str = "") -> str | None:
    """The number in E.164, such as "+998901234567". `region`: the country (ISO 3166) of numbers written without "+"."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > SHORT_TEXT or "@" in text:
        return None
    return _valid_phone(text, region) or (_valid_phone(f"+{text}", "") if sum(map(str.isdigit, text)) >= LONG_NUMBER else None)


def _valid_phone(text: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def read_email(value: Any) -> str | None:
    """The address in lower case, without what people put around it (`mailto:`, a full stop at the end)."""
    if not isinstance(value, str) or len(value) > EMAIL_CHARS:
        return None
    text = unicodedata.normalize("NFKC", value).strip("< ").rstrip(">.,; ").removeprefix("mailto:").lower()
    local = text.partition("@")[0]
    fits = EMAIL.fullmatch(text) and ".." not in text and not local.startswith(".") and not local.endswith(".")
    return text if fits else None


def read_yes(value: Any) -> bool | None:
    """True for a yes, False for a no, in English, Russian, Ukrainian and Uzbek; JSON booleans and 1/0 too."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in {0, 1}:
        return value == 1
    if not isinstance(value, str) or len(value) > SHORT_TEXT:
        return None
    text = normal(value)
    first, mark, rest = text.partition(",") if "," in text else text.partition(" ")
    for word in (text, text.strip(" .,!?)("), first.strip(" .!") if mark == "," or " " not in rest else ""):
        if word in YES:
            return True
        if word in NO:
            return False
    return None
