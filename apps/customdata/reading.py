"""How texts of people and systems become values: what every kind shares."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.strictjson import StrictJsonError, loads

YES = frozenset({"true", "yes", "y", "1", "on", "да", "так", "иә", "ha", "+"})
NO = frozenset({"false", "no", "n", "0", "off", "нет", "ні", "жоқ", "yoq", "-"})
MAX_DIGITS = 30
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE | re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def text(value: Any) -> str:
    """Any scalar as text in one Unicode form (NFC); raises ValueError for lists, objects and what PostgreSQL cannot store."""
    if isinstance(value, Mapping | list | tuple | set | bytes):
        raise ValueError(_("A text is expected."))  # noqa: TRY004  a wrong value of a person, not of a programmer
    found = value if isinstance(value, str) else _plain(value)
    if "\x00" in found or any("\ud800" <= char <= "\udfff" for char in found):
        raise ValueError(_("The text contains characters that cannot be stored."))
    return unicodedata.normalize("NFC", found)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def number(value: Any) -> Decimal:
    """`1 250,50`, `1,250.50` and 1250.5 are the same number; a float is taken as it is written."""
    if isinstance(value, bool | Mapping | list | tuple | set | bytes):
        raise ValueError(_("A number is expected, for example 1250 or 12.5."))  # noqa: TRY004  as in `text`
    written = _point(_SPACES.sub("", str(value)))
    if len(written) > MAX_DIGITS + 20 or not _NUMBER.fullmatch(written):
        raise ValueError(_("A number is expected, for example 1250 or 12.5."))
    try:
        found = Decimal(written)
    except InvalidOperation as error:
        raise ValueError(_("A number is expected, for example 1250 or 12.5.")) from error
    return Decimal(0) if found == 0 else Decimal(f"{found:f}".rstrip("0").rstrip(".")) if "." in f"{found:f}" else Decimal(f"{found:f}")


def _point(written: str) -> str:
    """The decimal separator is the last of “,” and “.”; the other one separates thousands when both are there."""
    if "," in written and "." in written:
        thousands = "," if written.rfind(",") < written.rfind(".") else "."
        written = written.replace(thousands, "")
    return written.replace(",", ".") if written.count(",") == 1 else written


def moment(value: Any) -> datetime:
    """An aware time; one without a zone is in the present time zone (the user's in the admin, else the installation's)."""
    found = value if isinstance(value, datetime) else _read_moment(text(value).strip())
    if timezone.is_naive(found):
        try:
            found = timezone.make_aware(found)
        except (OverflowError, ValueError) as error:
            raise ValueError(_("A date and time is expected, for example 2026-11-21 14:30.")) from error
    return found


def _read_moment(written: str) -> datetime:
    day_first = _DAY_FIRST.fullmatch(written)
    try:
        if day_first:
            day, month, year, hour, minute, second = (int(part or 0) for part in day_first.groups())
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  the zone is put on by the caller
        return datetime.fromisoformat(written)
    except ValueError as error:
        raise ValueError(_("A date and time is expected, for example 2026-11-21 14:30.")) from error


def day(value: Any) -> date:
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if isinstance(value, date):
        return value
    try:
        found = _read_moment(text(value).strip())
    except ValueError as error:
        raise ValueError(_("A date is expected, for example 2026-11-21.")) from error
    return timezone.localtime(found).date() if timezone.is_aware(found) else found.date()


def yes_or_no(value: Any) -> bool:
    word = text(value).strip().casefold()
    if word in YES | NO:
        return word in YES
    raise ValueError(_("Yes or no is expected."))


def json_value(value: Any, *, most_bytes: int) -> Any:
    """Any JSON; a text is read as JSON. Strict: no NaN, no doubled keys, nothing that cannot be stored."""
    try:
        raw = value.encode(errors="surrogatepass") if isinstance(value, str) else json.dumps(value, allow_nan=False).encode()
        if len(raw) > most_bytes:
            raise ValueError(_("The value is larger than %(limit)s kB.") % {"limit": most_bytes // 1024})
        return loads(raw)
    except StrictJsonError as error:
        raise ValueError(error.reason) from error
    except (TypeError, RecursionError) as error:
        raise ValueError(_("The value is not plain JSON.")) from error


def row_id(value: Any) -> int:
    """The id of a row; raises ValueError."""
    written = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (written.isascii() and written.isdigit() and len(written) < 19 and int(written) > 0):  # noqa: PLR2004  fits a bigint
        raise ValueError(_("The number of a record is expected."))
    return int(written)
