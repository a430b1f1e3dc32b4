"""Numbers, dates, phones, e-mails, yes and no, as people type them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.scenarios.engine.reading import read_date, read_duration, read_email, read_moment, read_number, read_phone, read_time, read_yes

TODAY = date(2026, 5, 20)
NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "english", "russian"),
    [
        (5, 5, 5),
        (5.5, 5.5, 5.5),
        (True, None, None),
        (float("nan"), None, None),
        (None, None, None),
        ([], None, None),
        ("3500", 3500, 3500),
        ("3 500,50", 3500.5, 3500.5),
        ("3\u00a0500", 3500, 3500),
        ("1,234.56", 1234.56, 1234.56),
        ("1.234,56", 1234.56, 1234.56),
        ("1'234.5", 1234.5, 1234.5),
        ("1,234,567", 1234567, 1234567),
        ("3,500", 3500, 3.5),
        ("3.500", 3.5, 3500),
        ("0,500", 0.5, 0.5),
        ("1,5", 1.5, 1.5),
        ("5.0", 5, 5),
        (".5", 0.5, 0.5),
        ("$20", 20, 20),
        ("20 €", 20, 20),
        ("−5", -5, -5),
        ("+7", 7, 7),
        ("٣", 3, 3),
        ("12,34,567", None, None),
        ("1.2.3", None, None),
        ("5 apples", None, None),
        ("1e5", None, None),
        ("", None, None),
        ("9" * 65, None, None),
    ],
)
def test_numbers(typed: Any, english: float | None, russian: float | None) -> None:
    assert (read_number(typed, language="en"), read_number(typed, language="ru")) == (english, russian)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-05-31", date(2026, 5, 31)),
        ("31.05.2026", date(2026, 5, 31)),
        ("31/5/26", date(2026, 5, 31)),
        ("31-05-2026", date(2026, 5, 31)),
        ("31.05", date(2026, 5, 31)),
        ("19.05", date(2027, 5, 19)),
        ("20.05", date(2026, 5, 20)),
        ("29.02", date(2028, 2, 29)),
        ("5/31/2026", date(2026, 5, 31)),
        ("31.05.85", date(1985, 5, 31)),
        ("31 мая", date(2026, 5, 31)),
        ("31 мая 2027 г.", date(2027, 5, 31)),
        ("5 серпня", date(2026, 8, 5)),
        ("3 листопада 2026", date(2026, 11, 3)),
        ("1 iyul", date(2026, 7, 1)),
        ("May 31, 2026", date(2026, 5, 31)),
        ("31st May", date(2026, 5, 31)),
        ("Sept 5", date(2026, 9, 5)),
        ("today", TODAY),
        ("Завтра!", date(2026, 5, 21)),
        ("bugun", TODAY),
        ("31.02.2026", None),
        ("31.13.2026", None),
        ("2026", None),
        ("soon", None),
        ("5 apples", None),
        (5, None),
        ("1" * 80, None),
    ],
)
def test_dates(typed: Any, expected: date | None) -> None:
    assert read_date(typed, today=TODAY) == expected


def test_month_first_dates() -> None:
    assert read_date("05/06/2026", today=TODAY) == date(2026, 6, 5)
    assert read_date("05/06/2026", today=TODAY, month_first=True) == date(2026, 5, 6)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-05-31T10:00:00+05:00", datetime(2026, 5, 31, 5, tzinfo=UTC)),
        ("2026-05-31T10:00:00Z", datetime(2026, 5, 31, 10, tzinfo=UTC)),
        ("2026-05-31", datetime(2026, 5, 31, tzinfo=UTC)),
        ("31.05.2026 10:00", datetime(2026, 5, 31, 10, tzinfo=UTC)),
        ("31 мая в 9:30", datetime(2026, 5, 31, 9, 30, tzinfo=UTC)),
        ("tomorrow at 7:05 pm", datetime(2026, 5, 21, 19, 5, tzinfo=UTC)),
        ("10:00", datetime(2026, 5, 21, 10, tzinfo=UTC)),
        ("14:00", datetime(2026, 5, 20, 14, tzinfo=UTC)),
        ("10.06", datetime(2026, 6, 10, tzinfo=UTC)),
        ("now", NOW),
        (1779278400, datetime(2026, 5, 20, 12, tzinfo=UTC)),
        ("1779278400", datetime(2026, 5, 20, 12, tzinfo=UTC)),
        ("1779278400000", datetime(2026, 5, 20, 12, tzinfo=UTC)),
        (10**30, None),
        ("25:00", None),
        ("later", None),
        (None, None),
    ],
)
def test_moments(typed: Any, expected: datetime | None) -> None:
    assert read_moment(typed, now=NOW) == expected


def test_times_and_spans() -> None:
    assert [str(read_time(text)) for text in ("9.30", "7:05 PM", "12:00 am", "24:00", "noon")] == [
        "09:30:00",
        "19:05:00",
        "00:00:00",
        "None",
        "None",
    ]
    spans = [
        read_duration(text) for text in ("90", "10 minutes", "-2 h", "1,5 часа", "15 минут", "2 weeks", "900 weeks", "ages", "5 parsecs")
    ]
    minutes = [None if span is None else span / timedelta(minutes=1) for span in spans]
    assert minutes == [1.5, 10, -120, 90, 15, 20160, None, None, None]


@pytest.mark.parametrize(
    ("typed", "region", "expected"),
    [
        ("+998 90 123-45-67", "", "+998901234567"),
        ("998901234567", "", "+998901234567"),
        ("90 123 45 67", "UZ", "+998901234567"),
        ("90 123 45 67", "", None),
        ("8 (916) 123-45-67", "RU", "+79161234567"),
        ("067 123 45 67", "UA", "+380671234567"),
        (998901234567, "", "+998901234567"),
        ("+1 650 253 0000 ext. 5", "", None),
        ("a@b.co", "UZ", None),
        ("12", "UZ", None),
        (True, "", None),
        (None, "", None),
    ],
)
def test_phones(typed: Any, region: str, expected: str | None) -> None:
    assert read_phone(typed, region=region) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (" Anna@Example.COM. ", "anna@example.com"),
        ("<anna.b+tag@mail.example.co>", "anna.b+tag@mail.example.co"),
        ("mailto:a@b.uz", "a@b.uz"),
        ("анна@почта.рф", "анна@почта.рф"),
        ("anna@example", None),
        ("a..b@example.com", None),
        (".a@example.com", None),
        ("a b@example.com", None),
        ("a@b@example.com", None),
        ("a@-example.com", None),
        ("x" * 300 + "@example.com", None),
        (5, None),
    ],
)
def test_emails(typed: Any, expected: str | None) -> None:
    assert read_email(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Yes!", True), ("да", True), ("Так", True), ("ha", True), ("Xo‘p", True), ("👍", True), ("ok", True), (True, True), (1, True), ("yes please", True), ("Да, конечно", True),
        ("no", False), ("Нет.", False), ("ні", False), ("yo‘q", False), (False, False), (0, False), ("Нет, спасибо", False),
        ("maybe", None), ("так когда же будет доставка", None), ("", None), (5, None), (None, None),
    ],
)  # fmt: skip
def test_yes_and_no(typed: Any, *, expected: bool | None) -> None:
    assert read_yes(typed) is expected
