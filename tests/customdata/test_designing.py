"""Models are made and changed; what cannot be is refused in words."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.customdata import designing, records, redesigning, structure
from apps.customdata.designing import FieldSpec, StaleError
from apps.customdata.models import Field, Table
from apps.customdata.redesigning import DesignError
from tests.customdata.conftest import BY, CHOICES, make_table

pytestmark = pytest.mark.django_db


def design(table: Table | None = None, **more: Any) -> dict[str, Any]:
    return {**redesigning.described(table), "rights": [], **more}


def row(name: str = "Name", **more: Any) -> dict[str, Any]:
    return {"name": name, "alias": "", "kind": "text", "options": {}, **more}


def columns(table: Table) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'records' AND table_name = %s", [table.relation]
        )
        return {name for (name,) in cursor.fetchall()}


def test_a_model_is_a_table_with_true_columns_and_indexes(complaints: Table) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'records' AND table_name = %s",
            [complaints.relation],
        )
        types = dict(cursor.fetchall())
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'records' AND tablename = %s", [complaints.relation])
        indexes = " ".join(definition for (definition,) in cursor.fetchall())
    found = {one.alias: types[one.column] for one in complaints.fields}
    assert found == {
        "number": "numeric", "subject": "text", "status": "text", "amount": "numeric", "due": "date", "seen": "timestamp with time zone",
        "urgent": "boolean", "tags": "ARRAY", "data": "jsonb", "phone": "text", "story": "text",
    }  # fmt: skip
    assert "UNIQUE" in indexes
    assert "records.fold" in indexes


@pytest.mark.parametrize(
    "alias",
    [
        "id",
        "select",
        "created_at",
        "Upper",
        "имя",
        "a b",
        "1a",
        "a-b",
        "a" * 41,
        "pg_class",
        "f_1",
        "a;drop",
        "a\u200b",
        "ａ",
        "a_",
        "",
        "_a",
        "records",
    ],
)
def test_aliases_that_mean_something_else_are_refused(alias: str) -> None:
    if alias:
        with pytest.raises(ValidationError):
            designing.check_field(make_table(), Field(name="Name", alias=alias, kind="text")) if alias != "records" else make_table(
                alias=alias
            )


def test_names_that_look_alike_are_one_name(complaints: Table) -> None:
    for name in ("COMPLAINTS", "Complaints ", "Ｃomplaints"):
        with pytest.raises(ValidationError):
            make_table(name=name, alias="other")
    for name in ("", "  ", "a\u202eb", "a\x00b", "x" * 101, "\u200b"):
        with pytest.raises(ValidationError):
            make_table(name=name, alias="other")


def test_an_alias_is_made_of_the_name(complaints: Table) -> None:
    made = make_table(FieldSpec("Номер заказа"), FieldSpec("номер  Заказа!"), FieldSpec("2026"), FieldSpec("電話"), name="Жалобы клиентов")
    assert (made.alias, [one.alias for one in made.fields]) == (
        "zhaloby_klientov",
        ["nomer_zakaza", "nomer_zakaza_2", "field_2026", "field"],
    )


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        (FieldSpec("A", "nothing"), "kind"),
        (FieldSpec("A", "choice"), "options"),
        (FieldSpec("A", "choice", options={"choices": [{"value": "x"}, {"value": "X"}]}), "options"),
        (FieldSpec("A", "number", options={"decimals": 99}), "options"),
        (FieldSpec("A", "number", options={"minimum": 2, "maximum": 1}), "options"),
        (FieldSpec("A", "text", options={"made_up": 1}), "options"),
        (FieldSpec("A", "text", options={"max_length": "much"}), "options"),
        (FieldSpec("A", "relation", options={"table": 999_999}), "options"),
        (FieldSpec("A", "long_text", unique=True), "unique"),
        (FieldSpec("A", "json", personal=True), "personal"),
        (FieldSpec("A", "long_text", indexed=True), "indexed"),
        (FieldSpec("A", "number", default="x"), "default"),
        (FieldSpec("A", "number", default="1", unique=True), "default"),
    ],
)
def test_fields_that_cannot_be_are_refused(spec: FieldSpec, where: str) -> None:
    with pytest.raises(ValidationError) as told:
        make_table(spec)
    assert list(told.value.message_dict) == [where]
    assert not Table.objects.exists()


def test_too_many_fields_are_refused_with_a_way_out(complaints: Table) -> None:
    with pytest.raises(DesignError) as told:
        redesigning.save(
            complaints.pk, design(complaints, fields=[row(f"N{n}") for n in range(5000)]), user=None, version=complaints.version
        )
    assert "200" in str(told.value)


def test_models_that_require_each_other_are_refused(complaints: Table) -> None:
    other = make_table(FieldSpec("Complaint", "relation", options={"table": complaints.pk}, required=True), name="Answers")
    with pytest.raises(ValidationError) as told:
        designing.add_field(structure.fresh(complaints.pk), FieldSpec("Answer", "relation", options={"table": other.pk}, required=True))
    assert list(told.value.message_dict) == ["required"]
    with pytest.raises(ValidationError):
        designing.add_field(structure.fresh(complaints.pk), FieldSpec("Same", "relation", options={"table": complaints.pk}, required=True))
    designing.add_field(structure.fresh(complaints.pk), FieldSpec("Answer", "relation", options={"table": other.pk}))


def test_the_second_of_two_editors_is_refused_with_what_changed(complaints: Table) -> None:
    first, second = design(complaints), design(complaints)
    redesigning.save(complaints.pk, {**first, "fields": [*first["fields"], row("Shop")]}, user=None, version=first["version"])
    with pytest.raises(StaleError) as told:
        redesigning.save(complaints.pk, {**second, "fields": [*second["fields"], row("Town")]}, user=None, version=second["version"])
    assert "Shop" in str(told.value)
    assert "town" not in structure.fresh(complaints.pk).by_alias


def test_errors_name_the_field_by_its_place_and_change_nothing(complaints: Table) -> None:
    wanted = design(complaints)
    fields = [*wanted["fields"], row("New one"), row("Subject")]
    with pytest.raises(DesignError) as told:
        redesigning.save(complaints.pk, {**wanted, "fields": fields}, user=None, version=wanted["version"])
    assert told.value.fields == {12: {"name": "There is a field with this name already."}}


def test_a_new_field_fills_the_records_with_its_default(complaints: Table) -> None:
    record = records.create(complaints, {"number": 1, "subject": "a"}, by=BY)
    designing.add_field(complaints, FieldSpec("Town", default="Kyiv"))
    designing.add_field(structure.fresh(complaints.pk), FieldSpec("Secret", default="x", personal=True))
    table = structure.fresh(complaints.pk)
    told = records.values_of(records.get(table, record.pk), private=True)  # type: ignore[arg-type]
    assert (told["town"], told["secret"]) == ("Kyiv", "x")
    assert len(records.find(table, [records.Filter("secret", "eq", "X")]).records) == 1


def test_plain_changes_are_made_at_once_and_order_is_kept(complaints: Table) -> None:
    wanted = design(complaints)
    wanted["fields"] = list(reversed(wanted["fields"]))
    wanted["fields"][0] |= {"name": "Whole story", "alias": "whole_story", "in_list": False}
    saved = redesigning.save(complaints.pk, wanted, user=None, version=wanted["version"])
    assert saved.changes == []
    assert (saved.table.fields[0].alias, saved.table.fields[0].in_list, saved.table.fields[-1].alias) == ("whole_story", False, "number")


def test_a_field_becomes_unique_only_when_its_values_are(complaints: Table) -> None:
    for number in (1, 2):
        records.create(complaints, {"number": number, "subject": "Same" if number == 1 else "sAME"}, by=BY)
    wanted = design(complaints)
    wanted["fields"][1]["unique"] = True
    with pytest.raises(DesignError) as told:
        redesigning.save(complaints.pk, wanted, user=None, version=wanted["version"])
    assert "1 values are there more than once" in told.value.fields[1]["unique"]


def test_a_model_that_others_link_to_stays(complaints: Table) -> None:
    other = make_table(FieldSpec("Complaint", "relation", options={"table": complaints.pk}), name="Answers")
    with pytest.raises(ValidationError):
        designing.remove_table(complaints)
    designing.remove_table(other)
    designing.remove_table(structure.fresh(complaints.pk))
    assert not columns(complaints)


def test_choices_may_grow_without_a_look_at_the_values(complaints: Table) -> None:
    records.create(complaints, {"number": 1, "subject": "a"}, by=BY)
    wanted = design(complaints)
    wanted["fields"][2]["options"] = {"choices": [*CHOICES["choices"], {"value": "lost", "label": ""}]}
    assert redesigning.save(complaints.pk, wanted, user=None, version=wanted["version"]).changes == []
