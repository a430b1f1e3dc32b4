"""The quick JSON of the hot paths says what the standard library says, and PostgreSQL reads it as what it was."""

import datetime as dt
import decimal
import json
import uuid
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.core import rowjson

plain: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(plain)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    text = rowjson.dumps(value)
    assert json.loads(text) == value
    assert rowjson.loads(text) == value
    assert rowjson.loads(json.dumps(value)) == value


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("timestamptz", dt.datetime(2026, 11, 22, 12, 1, 3, 20783, tzinfo=dt.UTC)),
        ("timestamptz", dt.datetime(1850, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2, minutes=30)))),
        ("date", dt.date(2026, 2, 28)),
        ("interval", dt.timedelta(days=3, microseconds=7)),
        ("uuid", uuid.UUID(int=7)),
        ("numeric", decimal.Decimal("12345678901234567890.10")),
        ("bigint", 2**63 - 1),
        ("float8", 1e300),
    ],
)
def test_postgresql_reads_a_column_as_what_it_was(kind: str, value: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT v FROM json_to_recordset(%s) AS row(v {kind})", [rowjson.dumps([{"v": value}])])  # noqa: S608  names of types
        assert cursor.fetchone() == (value,)


def test_what_is_nested_deeper_than_the_quick_library_goes_is_written_and_read_all_the_same() -> None:
    deep: list[Any] = []
    for _level in range(400):
        deep = [deep]
    assert rowjson.loads(rowjson.dumps(deep)) == deep


def test_tuples_are_lists_and_a_stranger_is_its_text() -> None:
    assert rowjson.dumps({"pair": (1, 2), "stranger": ValueError("no")}) == '{"pair":[1,2],"stranger":"no"}'
