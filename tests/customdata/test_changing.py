"""Fields of filled models change their type without losing a value."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from apps.customdata import changing, records, redesigning, structure, working
from apps.customdata.converting import Shape, convert
from apps.customdata.models import FieldChange, Table
from tests.customdata.conftest import BY
from tests.customdata.test_designing import columns, design

pytestmark = pytest.mark.django_db
State = FieldChange.State
TEXTS = ["1", " 2,5 ", "three", None, "1 000"]


@pytest.fixture
def filled(complaints: Table) -> Table:
    for number, text in enumerate(TEXTS):
        records.create(complaints, {"number": number, "subject": f"s{number}", "story": text}, by=BY)
    return complaints


def to_number(table: Table, **more: Any) -> FieldChange:
    table = structure.fresh(table.pk)
    change = changing.begin_conversion(
        table.by_alias["story"], {"kind": "number", "options": {"decimals": 2}, "personal": False, **more}, user=None
    )
    assert change is not None
    return change


def stories(table: Table) -> list[Any]:
    return [records.values_of(one, private=True)["story"] for one in records.find(structure.fresh(table.pk), order="number").records]


def run(change: FieldChange) -> FieldChange:
    changing.start(change)
    while changing.work(change):
        pass
    change.refresh_from_db()
    return change


def test_a_change_is_looked_at_before_anything_happens(filled: Table) -> None:
    change = to_number(filled)
    assert (change.state, change.total, change.done, change.fits, change.refused) == (State.CHECKED, 5, 4, 3, 1)
    assert [one[1:] for one in change.sample] == [["three", "A number is expected, for example 1250 or 12.5."]]
    assert stories(filled) == TEXTS
    changing.cancel(change)
    assert stories(filled)[0] == "1"


def test_values_convert_and_the_old_ones_wait_for_the_confirmation(filled: Table) -> None:
    change = run(to_number(filled))
    assert change.state == State.REVIEW
    assert stories(filled) == [1, 2.5, None, None, 1000]
    assert change.before["column"] in columns(filled)
    changing.confirm(change)
    assert not {change.before["column"], f"m_{change.pk}"} & columns(filled)
    assert structure.fresh(filled.pk).by_alias["story"].kind == "number"


def test_undoing_brings_every_old_value_back_and_keeps_what_was_entered_since(filled: Table) -> None:
    change = run(to_number(filled))
    table = structure.fresh(filled.pk)
    rows = records.find(table, order="number").records
    records.update(table, rows[0].pk, {"story": "7"}, by=BY)
    records.create(table, {"number": 9, "subject": "new", "story": "8.5"}, by=BY)
    assert changing.undo(change) == 0
    assert stories(filled) == ["7", " 2,5 ", "three", None, "1 000", "8.5"]
    assert not {change.after["column"], f"m_{change.pk}"} & columns(filled)


def test_values_written_while_it_runs_are_converted_too(filled: Table) -> None:
    change = to_number(filled)
    changing.start(change)
    changing.work(change)
    rows = records.find(filled, order="number").records
    records.update(filled, rows[0].pk, {"story": "100"}, by=BY)
    records.create(filled, {"number": 9, "subject": "new", "story": "8"}, by=BY)
    while changing.work(change):
        pass
    assert stories(filled) == [100, 2.5, None, None, 1000, 8]


def test_a_worker_that_dies_between_batches_loses_and_doubles_nothing(filled: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.customdata.converting.unmarked.__kwdefaults__", {"limit": 2})
    change = to_number(filled)
    changing.start(change)
    assert changing.work(change)
    counted = FieldChange.objects.get(pk=change.pk)
    assert (counted.done, counted.state) == (2, State.RUNNING)
    assert working.waits()
    assert not working.work()
    change.refresh_from_db()
    assert (change.state, change.done, change.fits, change.refused) == (State.REVIEW, 5, 4, 1)
    assert stories(filled) == [1, 2.5, None, None, 1000]


def test_personal_data_becomes_encrypted_and_back(filled: Table) -> None:
    run(to_number(filled, kind="text", options={}, personal=True))
    with connection.cursor() as cursor:
        field = structure.fresh(filled.pk).by_alias["story"]
        cursor.execute(f"SELECT {field.column} FROM records.{filled.relation}")  # noqa: S608  our own names
        assert "three" not in str(cursor.fetchall())
    assert stories(filled) == ["1", "2,5", "three", None, "1 000"]


def test_a_conversion_that_makes_doubles_of_a_unique_field_is_given_up(complaints: Table) -> None:
    wanted = design(complaints)
    wanted["fields"][1] |= {"unique": True}
    table = redesigning.save(complaints.pk, wanted, user=None, version=wanted["version"]).table
    for number, text in enumerate(["1", "1.0"]):
        records.create(table, {"number": number, "subject": text}, by=BY)
    change = changing.begin_conversion(
        table.by_alias["subject"], {"kind": "number", "options": {"decimals": 1}, "personal": False}, user=None
    )
    assert change is not None
    change = run(change)
    assert (change.state, structure.fresh(table.pk).by_alias["subject"].kind) == (State.FAILED, "text")
    assert change.after["column"] not in columns(table)


def test_a_field_is_changed_by_one_change_at_a_time(filled: Table) -> None:
    to_number(filled)
    with pytest.raises(changing.NotNowError):
        to_number(filled)


def test_a_removed_field_comes_back_with_its_values(filled: Table) -> None:
    wanted = design(filled)
    wanted["fields"] = [one for one in wanted["fields"] if one["alias"] != "story"]
    saved = redesigning.save(filled.pk, wanted, user=None, version=wanted["version"])
    assert "story" not in saved.table.by_alias
    changing.undo(saved.changes[0])
    assert stories(filled)[2] == "three"
    wanted = design(structure.fresh(filled.pk))
    wanted["fields"] = [one for one in wanted["fields"] if one["alias"] != "story"]
    saved = redesigning.save(filled.pk, wanted, user=None, version=wanted["version"])
    changing.confirm(saved.changes[0])
    assert saved.changes[0].before["column"] not in columns(filled)


CONVERSIONS = [
    ("number", {"decimals": 2}, "12.50", "text", {}, "12.5"),
    ("number", {}, "1", "boolean", {}, True),
    ("boolean", {}, "yes", "text", {}, "yes"),
    ("boolean", {}, "no", "number", {}, Decimal(0)),
    ("date", {}, "2026-11-21", "text", {}, "2026-11-21"),
    ("text", {}, "new", "choices", {"choices": [{"value": "new"}]}, ["new"]),
    ("choices", {"choices": [{"value": "a"}, {"value": "b"}]}, ["a", "b"], "text", {}, "a; b"),
    ("text", {}, '{"a": 1}', "json", {}, '{"a": 1}'),
    ("json", {}, {"a": 1}, "long_text", {}, '{"a": 1}'),
    ("text", {}, "+380 50 111 22 33", "phone", {}, "+380501112233"),
]


@pytest.mark.parametrize(("kind", "options", "value", "to", "to_options", "expected"), CONVERSIONS)
def test_values_of_one_type_as_another(kind: str, options: Any, value: Any, to: str, to_options: Any, expected: Any) -> None:
    before = Shape(1, "A", "a", kind, options, personal=False, column="f_1")
    after = Shape(1, "A", "a", to, to_options, personal=False, column="f_2")
    assert convert(before.type.clean(before, value), before, after) == expected
