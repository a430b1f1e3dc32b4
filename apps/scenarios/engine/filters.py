"""Filters of our own: numbers, money, dates, phones and JSON as people of this product need them. All are pure.

The language and time zone come from the names that the template is rendered with.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import phonenumbers
import re2
from liquid import Environment, RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import Undefined

from apps.scenarios.engine.names import Names, zone
from apps.scenarios.engine.plain import plain, shown
from apps.scenarios.engine.reading import moved_by, read_duration, read_moment, read_number
from apps.scenarios.engine.words import MONTHS, WEEKDAYS, language_of

NBSP = "\u00a0"
SIGNS_IN_FRONT = frozenset("$€£¥")
MAX_DECIMALS = 12
TAG = re2.compile(r"<[^<>]*>")


def language_and_zone(context: RenderContext) -> tuple[str, str]:
    names = context.globals
    return (names.language, names.facts.timezone) if isinstance(names, Names) else ("en", "UTC")


def group_digits(number: float, *, language: str, decimals: int | None = None) -> str:
    """3500 → "3,500" in English, "3 500" (no-break space) elsewhere; `decimals` None keeps those that the number has."""
    text = f"{number:,.{decimals}f}" if decimals is not None else f"{number:,}"
    if decimals is None and text.endswith(".0"):
        text = text[:-2]
    if language.startswith("en"):
        return text
    return text.replace(",", NBSP).replace(".", ",")


@with_context
def number(value: object, decimals: object = None, *, context: RenderContext) -> str:
    """`{{ amount | number }}`, `{{ amount | number: 2 }}`. What is not a number stays as it is."""
    language, _zone = language_and_zone(context)
    found = read_number(value, language=language)
    if found is None:
        return shown(value)
    return group_digits(found, language=language, decimals=_decimals(decimals))


@with_context
def money(value: object, currency: object = "", *, context: RenderContext) -> str:
    """`{{ amount | money: "USD" }}`: grouped, two decimals only when there is a fraction, the currency after it (signs before it in English)."""
    language, _zone = language_and_zone(context)
    found = read_number(value, language=language)
    if found is None:
        return shown(value)
    text = group_digits(found, language=language, decimals=0 if round(found, 2) == int(found) else 2)
    sign = shown(currency)
    if not sign:
        return text
    return f"{sign}{text}" if sign in SIGNS_IN_FRONT and language.startswith("en") else f"{text}{NBSP}{sign}"


def _decimals(value: object) -> int | None:
    if value is None or isinstance(value, Undefined):
        return None
    found = read_number(value)
    if found is None or not 0 <= found <= MAX_DECIMALS:
        raise FilterArgumentError(f"decimals must be between 0 and {MAX_DECIMALS}", token=None)
    return int(found)


@with_context
def format_date(value: object, pattern: object = "%d.%m.%Y", timezone: object = "", *, context: RenderContext) -> str:
    """`{{ order.date | date: "%d %B %Y, %H:%M", "Asia/Tashkent" }}`; month and weekday names in the language, the person's zone by default."""
    language, local = language_and_zone(context)
    target = zone(shown(timezone) or local)
    now = context.globals.local_now if isinstance(context.globals, Names) else datetime.now(UTC)
    moment = read_moment(value, now=now.astimezone(target))
    if moment is None:
        return shown(value)
    return write_date(moment.astimezone(target), shown(pattern), language=language)


# What `%x` stands for; anything else after `%` stays as written, so no width or platform extension is reachable.
DATE_PARTS: dict[str, Callable[[datetime, str], str]] = {
    "Y": lambda moment, _language: f"{moment.year:04}",
    "y": lambda moment, _language: f"{moment.year % 100:02}",
    "m": lambda moment, _language: f"{moment.month:02}",
    "d": lambda moment, _language: f"{moment.day:02}",
    "e": lambda moment, _language: str(moment.day),
    "H": lambda moment, _language: f"{moment.hour:02}",
    "I": lambda moment, _language: f"{moment.hour % 12 or 12:02}",
    "p": lambda moment, _language: "AM" if moment.hour < 12 else "PM",  # noqa: PLR2004
    "M": lambda moment, _language: f"{moment.minute:02}",
    "S": lambda moment, _language: f"{moment.second:02}",
    "B": lambda moment, language: language_of(language, MONTHS)[moment.month - 1],
    "b": lambda moment, language: language_of(language, MONTHS)[moment.month - 1][:3],
    "A": lambda moment, language: language_of(language, WEEKDAYS)[moment.weekday()],
    "a": lambda moment, language: language_of(language, WEEKDAYS)[moment.weekday()][:3],
    "u": lambda moment, _language: str(moment.isoweekday()),
    "j": lambda moment, _language: f"{moment.timetuple().tm_yday:03}",
    "F": lambda moment, _language: moment.date().isoformat(),
    "T": lambda moment, _language: moment.strftime("%H:%M:%S"),
    "R": lambda moment, _language: moment.strftime("%H:%M"),
    "z": lambda moment, _language: moment.strftime("%z"),
    "Z": lambda moment, _language: moment.tzname() or "",
    "s": lambda moment, _language: str(int(moment.timestamp())),
    "%": lambda _moment, _language: "%",
}


def write_date(moment: datetime, pattern: str, *, language: str) -> str:
    parts: list[str] = []
    rest = iter(pattern.replace("%-", "%"))
    for char in rest:
        if char != "%":
            parts.append(char)
            continue
        letter = next(rest, "")
        part = DATE_PARTS.get(letter)
        parts.append(part(moment, language) if part else f"%{letter}")
    return "".join(parts)


@with_context
def shift(value: object, amount: object, *, context: RenderContext) -> str:
    """`{{ now | shift: "3 days" }}`, `{{ order.date | shift: "-2 hours" }}`: a date moved by a span of time."""
    names = context.globals
    now = names.local_now if isinstance(names, Names) else datetime.now(UTC)
    moment, span = read_moment(value, now=now), read_duration(shown(amount))
    try:
        moved = moved_by(moment, shown(amount), zone=now.tzinfo or UTC) if moment else None
    except OverflowError:
        moved = None
    if moved is None or span is None:
        return shown(value)
    is_date = isinstance(value, str) and len(value.strip()) == len(date.min.isoformat()) and not span % timedelta(days=1)
    return moved.date().isoformat() if is_date else moved.isoformat(timespec="seconds")


@with_context
def plural(value: object, *forms: object, context: RenderContext) -> str:
    """`{{ n }} {{ n | plural: "day", "days" }}`; `plural: "день", "дня", "дней"` for Russian and Ukrainian."""
    language, _zone = language_and_zone(context)
    found = read_number(value, language=language)
    if not forms:
        raise FilterArgumentError("plural needs the forms of the word", token=None)
    return shown(forms[min(_plural_index(abs(int(found or 0)), language), len(forms) - 1)])


def _plural_index(count: int, language: str) -> int:
    if not language.startswith(("ru", "uk")):
        return 0 if count == 1 or language.startswith("uz") else 1
    if count % 10 == 1 and count % 100 != 11:  # noqa: PLR2004
        return 0
    return 1 if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else 2


def phone(value: object, style: object = "international") -> str:
    """`{{ user_phone | phone }}` → "+998 90 123 45 67"; `phone: "masked"` shows only the last two digits."""
    text = shown(value)
    if shown(style) == "masked":
        return f"{'•' * max(len(text) - 2, 0)}{text[-2:]}"
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def to_json(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False)


def uniq(values: object, key: object = None) -> list[Any]:
    """The items without repetitions, in one pass (the library's own compares each with each)."""
    items: Sequence[Any] = list(values) if isinstance(values, list | tuple | range) else [values]
    seen: set[str] = set()
    result: list[Any] = []
    for item in items:
        part = item.get(shown(key)) if key is not None and isinstance(item, dict) else item
        mark = to_json(part)
        if mark not in seen:
            seen.add(mark)
            result.append(item)
    return result


def strip_html(value: object) -> str:
    return str(TAG.sub("", shown(value)))


def url_path(value: object) -> str:
    """Percent-encodes all but slashes: for a part of an address that is a path itself."""
    return quote(shown(value), safe="/")


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "money": money,
    "date": format_date,
    "shift": shift,
    "plural": plural,
    "phone": phone,
    "json": to_json,
    "uniq": uniq,
    "strip_html": strip_html,
    "url_path": url_path,
}


def add_filters(environment: Environment) -> None:
    for name, function in FILTERS.items():
        environment.add_filter(name, function)
