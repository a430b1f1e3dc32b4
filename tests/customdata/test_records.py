"""Records: typed, found exactly, written once, with history and events."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from apps.customdata import records
from apps.customdata.models import RecordHistory, Table
from apps.customdata.records import ConflictError, Filter, FilterError, InvalidRecordError
from apps.customdata.storage import django_name
from apps.events.models import Event
from tests.customdata.conftest import BY

pytestmark = pytest.mark.django_db

WHOLE = {
    "number": "1 250", "subject": "Сломан экран", "amount": "12,50", "due": "21.11.2026", "seen": "2026-11-21T10:00:00Z", "urgent": "да",
    "tags": "new; Done", "data": '{"a": [1, 2]}', "phone": "+380501112233", "story": "one\ntwo",
}  # fmt: skip


def test_values_become_true_types_and_come_back_as_json(complaints: Table) -> None:
    record = records.create(complaints, WHOLE, by=BY)
    stored = records.get(complaints, record.pk)
    assert stored is not None
    values = {field.alias: getattr(stored, field.attribute) for field in complaints.fields}
    assert values == {
        "number": Decimal(1250), "subject": "Сломан экран", "status": "new", "amount": Decimal("12.50"), "due": date(2026, 11, 21),
        "seen": datetime(2026, 11, 21, 10, tzinfo=UTC), "urgent": True, "tags": ["new", "done"], "data": {"a": [1, 2]},
        "phone": "+380501112233", "story": "one\ntwo",
    }  # fmt: skip
    told = records.values_of(stored)
    assert {name: told[name] for name in ("number", "amount", "due", "seen", "phone", "version")} == {
        "number": 1250, "amount": 12.5, "due": "2026-11-21", "seen": "2026-11-21T10:00:00Z", "phone": "+380*******33", "version": 1,
    }  # fmt: skip
    assert records.values_of(stored, private=True)["phone"] == "+380501112233"


def test_personal_values_are_encrypted_and_found_by_exact_value(complaints: Table) -> None:
    record = records.create(complaints, WHOLE, by=BY)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {django_name(complaints)}")  # noqa: S608
        assert "380501112233" not in str(cursor.fetchall())
    assert [row.pk for row in records.find(complaints, [Filter("phone", "eq", "+38 050 111 22 33")]).records] == [record.pk]
    with pytest.raises(FilterError):
        records.find(complaints, [Filter("phone", "contains", "38050")])
    with pytest.raises(FilterError):
        records.find(complaints, order="phone")


FOUND = [
    (Filter("subject", "eq", "СЛОМАН ЭКРАН"), True),
    (Filter("subject", "contains", "ЭКР"), True),
    (Filter("subject", "contains", "э%"), False),
    (Filter("subject", "starts", "сло"), True),
    (Filter("subject", "in", ["x", "сломан Экран"]), True),
    (Filter("amount", "gt", "12.49"), True),
    (Filter("amount", "gt", 12.5), False),
    (Filter("due", "lte", "2026-11-21"), True),
    (Filter("seen", "lt", "2026-11-21T10:00:00Z"), False),
    (Filter("urgent", "eq", "no"), False),
    (Filter("status", "ne", "done"), True),
    (Filter("status", "eq", "NEW"), True),
    (Filter("tags", "has", "done"), True),
    (Filter("tags", "has_any", ["done"]), True),
    (Filter("data", "has_json", {"a": [2]}), True),
    (Filter("story", "empty", True), False),
    (Filter("story", "contains", "TWO"), True),
    (Filter("id", "gte", 1), True),
    (Filter("created_at", "gt", "2020-01-01"), True),
]


@pytest.mark.parametrize(("asked", "there"), FOUND)
def test_filters_compare_by_type(complaints: Table, asked: Filter, *, there: bool) -> None:
    records.create(complaints, WHOLE, by=BY)
    assert bool(records.find(complaints, [asked]).records) is there


REFUSED = [
    Filter("nothing", "eq", 1), Filter("f_1", "eq", 1), Filter("subject__regex", "eq", "x"), Filter("subject", "regex", "x"),
    Filter("subject", "eq__in", "x"), Filter("pk", "eq", 1), Filter("table", "eq", 1), Filter("amount", "gt", "much"), Filter("amount", "eq", "NaN"),
    Filter("due", "eq", "yesterday"), Filter("urgent", "eq", "perhaps"), Filter("status", "eq", "lost"), Filter("id", "eq", "1 OR 1=1"),
    Filter("subject", "eq", "\x00"), Filter("subject", "eq", {"a": 1}), Filter("subject", "eq", ""), Filter("subject", "in", []),
    Filter("story", "eq", "x"), Filter("story", "contains", " "), Filter("data", "has_json", "{"), Filter("id", "eq", 10**30), Filter("amount", "eq", True),
]  # fmt: skip


@pytest.mark.parametrize("asked", REFUSED)
def test_what_is_no_filter_is_refused_in_words(complaints: Table, asked: Filter) -> None:
    with pytest.raises(FilterError) as told:
        records.find(complaints, [asked])
    assert str(told.value)


def test_all_errors_of_a_record_are_told_at_once(complaints: Table) -> None:
    records.create(complaints, WHOLE, by=BY)
    with pytest.raises(InvalidRecordError) as told:
        records.create(complaints, {"number": "x", "amount": "1.234", "due": "0", "nothing": 1}, by=BY)
    assert sorted(told.value.errors) == ["amount", "due", "nothing", "number"]
    with pytest.raises(InvalidRecordError) as told:
        records.create(complaints, {"number": 1250}, by=BY)
    assert told.value.errors == {"subject": "This field is required."}
    with pytest.raises(InvalidRecordError) as told:
        records.create(complaints, {"number": 1250, "subject": "x"}, by=BY)
    assert list(told.value.errors) == ["number"]


def test_a_change_names_the_version_that_it_saw(complaints: Table) -> None:
    record = records.create(complaints, WHOLE, by=BY)
    changed = records.update(complaints, record.pk, {"amount": 3}, by=BY, version=1)
    assert (changed.version, records.update(complaints, record.pk, {"amount": 3}, by=BY).version) == (2, 2)
    with pytest.raises(ConflictError) as told:
        records.update(complaints, record.pk, {"amount": 4}, by=BY, version=1)
    assert told.value.record.version == 2
    with pytest.raises(ConflictError):
        records.delete(complaints, record.pk, by=BY, version=1)


def test_upsert_changes_or_makes_one(complaints: Table) -> None:
    first, made = records.upsert(complaints, "number", {"number": 7, "subject": "a"}, by=BY)
    second, made_again = records.upsert(complaints, "number", {"number": "7", "subject": "b"}, by=BY)
    assert (made, made_again, first.pk == second.pk, records.values_of(second)["subject"]) == (True, False, True, "b")
    with pytest.raises(InvalidRecordError):
        records.upsert(complaints, "subject", {"subject": "b"}, by=BY)


def test_every_change_leaves_history_and_an_event_without_values(complaints: Table) -> None:
    record = records.create(complaints, WHOLE, by=BY)
    records.update(complaints, record.pk, {"amount": 3, "phone": "+380501112244"}, by=BY)
    records.delete(complaints, record.pk, by=BY)
    amount, phone = str(complaints.by_alias["amount"].pk), str(complaints.by_alias["phone"].pk)
    rows = list(RecordHistory.objects.order_by("id"))
    assert [row.action for row in rows] == ["created", "updated", "deleted"]
    assert (rows[1].before, rows[1].after) == ({amount: 12.5, phone: "***"}, {amount: 3, phone: "***"})
    events = list(Event.objects.filter(kind__startswith="record.").order_by("id"))
    assert [event.kind for event in events] == ["record.created", "record.updated", "record.deleted"]
    assert events[1].details == {
        "table": "complaints", "table_id": complaints.pk, "record_id": record.pk, "action": "updated", "by": "system", "fields": ["amount", "phone"],
    }  # fmt: skip


def test_good_rows_of_many_are_written_and_the_others_say_why(complaints: Table) -> None:
    outcomes = records.create_many(
        complaints,
        [{"number": 1, "subject": "a"}, {"number": 1, "subject": "b"}, {"subject": ""}, {"number": 2, "subject": "c"}],
        by=BY,
    )
    assert [(one.action, list(one.errors)) for one in outcomes] == [
        ("created", []),
        ("invalid", ["number"]),
        ("invalid", ["subject"]),
        ("created", []),
    ]
    outcomes = records.upsert_many(complaints, "number", [{"number": 2, "subject": "d"}, {"number": 3, "subject": "e"}], by=BY)
    assert [one.action for one in outcomes] == ["updated", "created"]
    assert [one.action for one in records.delete_many(complaints, [outcomes[0].id or 0, 999_999], by=BY)] == ["deleted", "not_found"]
    assert records.count(complaints) == 2


@pytest.mark.parametrize("order", ["amount", "-amount", "subject", "-subject", "-id", "created_at", "due", "-due"])
def test_pages_by_key_show_each_record_once_in_order(complaints: Table, order: str) -> None:
    rows = [
        {"number": n, "subject": f"Я{n % 4}", "amount": None if n % 5 == 0 else n % 3, "due": None if n % 2 else f"2026-01-0{n % 3 + 1}"}
        for n in range(1, 24)
    ]
    assert all(one.ok for one in records.create_many(complaints, rows, by=BY))
    whole = [row.pk for row in records.find(complaints, order=order, limit=100).records]
    seen: list[int] = []
    pages = []
    cursor = ""
    while True:
        page = records.find(complaints, order=order, after=cursor, limit=5)
        pages.append(page)
        seen += [row.pk for row in page.records]
        if not (cursor := page.next):
            break
    assert (seen, sorted(seen)) == (whole, sorted(set(whole)))
    back = records.find(complaints, order=order, before=pages[-1].previous, limit=5)
    assert [row.pk for row in back.records] == [row.pk for row in pages[-2].records]
