"""Views for BI: typed, in step with the fields, for a role that sees nothing else."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from apps.customdata import bi, designing, records, storage, structure
from apps.customdata.designing import FieldSpec
from apps.customdata.models import Table
from tests.customdata.conftest import BY

pytestmark = pytest.mark.django_db
ROW = {"number": "12", "subject": "Late", "amount": "10.50", "due": "2026-11-21", "tags": ["new"], "phone": "+380501112233"}


def asked(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.fixture
def filled(complaints: Table) -> Table:
    records.create(complaints, ROW, by=BY)
    bi.keep()
    return complaints


def test_a_view_has_the_aliases_and_types_of_the_fields(filled: Table) -> None:
    assert asked("SELECT number, subject, amount, due, tags, phone FROM bi.complaints") == [
        (Decimal(12), "Late", Decimal("10.5"), date(2026, 11, 21), ["new"], "***")
    ]
    columns = dict(
        asked("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'bi' AND table_name = 'complaints'")
    )
    assert {name: columns[name] for name in ("id", "amount", "due", "seen", "urgent", "data", "tags", "created_at")} == {
        "id": "bigint", "amount": "numeric", "due": "date", "seen": "timestamp with time zone", "urgent": "boolean", "data": "jsonb", "tags": "ARRAY",
        "created_at": "timestamp with time zone",
    }  # fmt: skip
    assert asked("SELECT col_description('bi.complaints'::regclass, 3)") == [("Subject",)]


def test_equal_personal_values_can_be_counted_without_being_seen(filled: Table) -> None:
    records.create(filled, {"subject": "again", "phone": "+38 050 111 22 33"}, by=BY)
    assert asked("SELECT count(DISTINCT phone_digest), count(phone_digest) FROM bi.complaints") == [(1, 2)]


@pytest.mark.django_db(transaction=True)
def test_views_follow_the_fields(complaints: Table) -> None:
    bi.keep()
    designing.add_field(complaints, FieldSpec("Extra", "boolean"))
    assert asked("SELECT extra FROM bi.complaints") == []
    table = structure.fresh(complaints.pk)
    storage.drop_column(table, table.by_alias["extra"].column)
    assert asked("SELECT to_regclass('bi.complaints')") == [(None,)]  # the view goes with the column, and is made anew:
    table.by_alias["extra"].delete()
    Table.objects.filter(pk=table.pk).update(alias="claims", version=table.version + 1)
    structure.forget()
    bi.keep()
    assert asked("SELECT subject FROM bi.claims") == []
    with pytest.raises(DatabaseError):
        asked("SELECT extra FROM bi.claims")


def test_a_role_sees_the_views_and_nothing_else(filled: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BI_PASSWORD", "a made up password")
    call_command("bi_role", "test_metabase")
    assert "password" not in capsys.readouterr().out
    with as_role("test_metabase"):
        assert asked("SELECT subject, phone FROM bi.complaints") == [("Late", "***")]
        for forbidden in (
            f"SELECT * FROM {storage.django_name(filled)}", "SELECT * FROM accounts_user", "SELECT * FROM customdata_table",  # noqa: S608
            "UPDATE bi.complaints SET subject = 'x'", "DELETE FROM bi.complaints", "CREATE TABLE bi.mine (id int)", "SELECT * FROM bi_pii.complaints",
        ):  # fmt: skip
            with pytest.raises(DatabaseError), transaction.atomic():
                asked(forbidden)
    shops = designing.create_table(name="Shops", fields=[FieldSpec("City", "text")])
    bi.keep()
    with as_role("test_metabase"):
        assert asked("SELECT city FROM bi.shops") == []
    assert shops.pk


def test_personal_values_are_in_clear_only_for_whom_it_was_granted(filled: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BI_PASSWORD", "a made up password")
    call_command("bi_role", "test_metabase")
    call_command("bi_role", "test_marketing", personal=True)
    with as_role("test_marketing"):
        assert asked("SELECT subject, phone FROM bi_pii.complaints") == [("Late", "+380501112233")]
        with pytest.raises(DatabaseError), transaction.atomic():
            asked(f"SELECT * FROM bi_pii.c_{filled.pk}")  # noqa: S608
    with as_role("test_metabase"), pytest.raises(DatabaseError), transaction.atomic():
        asked("SELECT phone FROM bi_pii.complaints")
    record = records.find(filled).records[0]
    records.update(filled, record.pk, {"phone": "+380501112244"}, by=BY)
    assert asked("SELECT phone FROM bi_pii.complaints") == [(None,)]  # never an old value
    bi.keep()
    assert asked("SELECT phone FROM bi_pii.complaints") == [("+380501112244",)]
    records.delete(filled, record.pk, by=BY)
    bi.keep()
    assert asked(f"SELECT count(*) FROM bi_pii.c_{filled.pk}") == [(0,)]  # noqa: S608
    call_command("bi_role", "test_marketing", personal=True, revoke=True)
    assert not bi.has_personal()


class as_role:  # noqa: N801  reads as a phrase
    """Statements of the block are those of the role."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {self.name}")

    def __exit__(self, *_error: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
