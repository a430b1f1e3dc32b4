"""Search: by beginnings and forms of words, in time."""

import pytest
from django.db import connection, transaction

from apps.customdata import following, records, searching, structure
from apps.customdata.designing import FieldSpec
from apps.customdata.models import Field, Table
from apps.customdata.searching import TooSlowError
from tests.customdata.conftest import BY, make_table

pytestmark = pytest.mark.django_db
SUBJECTS = ("Сломался телефон", "Жалоба на доставку", "Late delivery of phones", "Жалобы соседей", "50% скидка: акция_1")


@pytest.fixture
def filled(complaints: Table) -> Table:
    records.create_many(complaints, [{"number": n, "subject": text} for n, text in enumerate(SUBJECTS, start=101)], by=BY)
    return complaints


def subjects(table: Table, text: str, **options: object) -> list[str]:
    found = searching.search(table, text, **options).records  # type: ignore[arg-type]
    return [getattr(record, table.by_alias["subject"].attribute) for record in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("жал", ["Жалобы соседей", "Жалоба на доставку"]),
        ("ЖАЛОБОЙ", ["Жалобы соседей", "Жалоба на доставку"]),
        ("доставка жалоба", ["Жалоба на доставку"]),
        ("phone deliver", ["Late delivery of phones"]),
        ("103", ["Late delivery of phones"]),
        ("нет такого", []),
        ("  ", []),
        ("' & | ! :* ) (", []),
        ("50%", ["50% скидка: акция_1"]),
        ("\x00жалоба соседей\ud800", ["Жалобы соседей"]),
    ],
)
def test_words_are_found_by_beginning_and_form(filled: Table, text: str, found: list[str]) -> None:
    assert subjects(filled, text) == found


def test_personal_values_are_found_only_whole(complaints: Table) -> None:
    table = make_table(
        FieldSpec("Name", "text", in_search=True), FieldSpec("Phone", "phone", personal=True, in_search=True), name="Clients"
    )
    record = records.create(table, {"name": "Anna", "phone": "+380501112233"}, by=BY)
    assert [one.pk for one in searching.search(table, "+38 050 111-22-33").records] == [record.pk]
    assert searching.search(table, "+38050111").records == []
    assert searching.search(table, "+38 050 111-22-33", without={"phone"}).records == []


def test_hidden_fields_are_not_searched(filled: Table) -> None:
    assert subjects(filled, "жалоба", without={"subject"}) == []


def test_it_says_how_it_searched(filled: Table) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
        installed = cursor.fetchone()[0]
    assert searching.search(filled, "жал").way == searching.way() == ("likeness" if installed else "words")


def test_a_list_is_filtered_by_the_same_rules(filled: Table) -> None:
    rows = records.model_of(filled)._default_manager.all()
    assert searching.matching(rows, filled, "жалоба").count() == 2
    assert searching.matching(rows, filled, "").count() == 5


def test_a_slow_question_ends_with_advice() -> None:
    with pytest.raises(TooSlowError, match="indexed"), searching.in_time(0.05), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with connection.cursor() as cursor:  # the connection is as before
        cursor.execute("SELECT 1")


@pytest.mark.django_db(transaction=True)
def test_a_big_model_gets_an_index_that_serves_the_search(filled: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.customdata.searching.SMALL", 3)
    assert searching.keep_indexes() == 1
    assert searching.keep_indexes() == 0
    name = searching.index_name(filled, searching.way())
    rows = searching.matching(records.model_of(filled)._default_manager.order_by(), filled, "жалоба")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert name in rows.explain()
    assert subjects(filled, "жалобой") == ["Жалобы соседей", "Жалоба на доставку"]
    Field.objects.filter(pk=filled.by_alias["story"].pk).update(in_search=True)
    following.changed(filled.pk)
    assert searching.keep_indexes() == 1
    assert searching._there() == {searching.index_name(structure.fresh(filled.pk), searching.way())} != {name}


def test_misspelt_words_are_found_where_the_server_can(filled: Table) -> None:
    found = ["Сломался телефон"] if searching.way() == "likeness" else []
    assert subjects(filled, "сламался телифон") == found
