"""What else in the product touches records: merging people, changing the key of encryption."""

import base64
import io

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from apps.customdata import changing, records, structure
from apps.customdata.designing import FieldSpec
from apps.customdata.models import RecordHistory
from apps.identity import merging
from tests.customdata.conftest import BY, make_table
from tests.making import make_channel, make_lead

pytestmark = pytest.mark.django_db


def test_records_follow_a_person_who_is_merged_and_come_back() -> None:
    channel = make_channel()
    kept, absorbed = make_lead(channel).person, make_lead(channel).person
    table = make_table(FieldSpec("Client", "person"), FieldSpec("Name"))
    record = records.create(table, {"client": absorbed.pk}, by=BY)
    merged = merging.merge(kept=kept, absorbed=absorbed, reason="same")
    assert records.values_of(records.get(table, record.pk))["client"] == kept.pk  # type: ignore[arg-type]
    assert RecordHistory.objects.filter(action="updated").get().actor_name == "merge of people"
    merging.unmerge(merged)
    assert records.values_of(records.get(table, record.pk))["client"] == absorbed.pk  # type: ignore[arg-type]


def test_a_changed_key_reaches_every_encrypted_value_of_records(settings: Settings) -> None:
    table = make_table(FieldSpec("Secret", personal=True), FieldSpec("Was secret", personal=True))
    record = records.create(table, {"secret": "one", "was_secret": "two"}, by=BY)
    change = changing.begin_conversion(table.by_alias["was_secret"], {"kind": "text", "options": {}, "personal": False}, user=None)
    assert change is not None
    changing.start(change)
    while changing.work(change):
        pass
    settings.FIELD_KEYS = [("next", base64.b64decode(base64.b64encode(b"another key of 32 bytes for test"))), *settings.FIELD_KEYS]
    call_command("rotate_keys", stdout=io.StringIO())
    with connection.cursor() as cursor:
        columns = f"{structure.fresh(table.pk).by_alias['secret'].column}, {change.before['column']}"
        cursor.execute(f"SELECT {columns} FROM records.{table.relation} WHERE id = %s", [record.pk])  # noqa: S608  our own names
        assert all(text.startswith("enc1.next.") for text in cursor.fetchone())
    assert records.values_of(records.get(structure.fresh(table.pk), record.pk), private=True)["secret"] == "one"  # type: ignore[arg-type]
