from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.core.management import call_command
from django.db import connection, models
from pytest_django import Settings

from apps.bots.models import Bot
from apps.core.crypto import DecryptionError
from apps.core.fields import EncryptedJSONField, EncryptedTextField, encrypted_fields
from apps.core.models import InstanceSetting
from apps.identity.models import Person

pytestmark = pytest.mark.django_db
KEY_1, KEY_2 = b"1" * 32, b"2" * 32


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.FIELD_KEYS = [("k1", KEY_1)]


def stored(table: str, column: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")  # noqa: S608  names of this file
        return [row[0] for row in cursor.fetchall()]


def test_a_text_is_unreadable_in_the_database_and_readable_in_python() -> None:
    InstanceSetting.objects.create(key="crm", value="s3cret 🔑")
    assert InstanceSetting.objects.get().value == "s3cret 🔑"
    assert list(InstanceSetting.objects.values_list("value", flat=True)) == ["s3cret 🔑"]
    [text] = stored("core_instancesetting", "value")
    assert text.startswith("enc1.k1.")
    assert "s3cret" not in text


def test_an_empty_text_stays_empty() -> None:
    InstanceSetting.objects.create(key="crm", value="")
    assert stored("core_instancesetting", "value") == [""]
    assert InstanceSetting.objects.get().value == ""


@pytest.mark.parametrize("value", [{}, [], {"a": [1, None, "Ж"]}, "", "text", 0, False, {"enc": "enc1.k1.AAAA"}])
def test_any_json_comes_back_equal(value: Any) -> None:
    bot = Bot.objects.create(name="Shop")
    Person.objects.create(bot=bot, private=value)
    assert Person.objects.get().private == value
    assert stored("identity_person", "private")[0].startswith("enc1.k1.")


def test_values_written_in_bulk_are_encrypted_too() -> None:
    InstanceSetting.objects.bulk_create([InstanceSetting(key="a", value="1"), InstanceSetting(key="b", value="2")])
    InstanceSetting.objects.filter(key="a").update(value="3")
    assert all(text.startswith("enc1.") for text in stored("core_instancesetting", "value"))
    assert dict(InstanceSetting.objects.values_list("key", "value")) == {"a": "3", "b": "2"}


@pytest.mark.parametrize(
    "lookup", ["value", "value__in", "value__contains", "value__startswith", "value__gt", "value__length", "value__lower"]
)
def test_a_value_cannot_be_searched_for(lookup: str) -> None:
    with pytest.raises(FieldError):
        InstanceSetting.objects.filter((lookup, "x")).exists()


def test_whether_there_is_a_value_can_be_asked() -> None:
    InstanceSetting.objects.create(key="crm", value="x")
    assert InstanceSetting.objects.filter(value__isnull=False).count() == 1


def test_a_lost_key_is_a_clear_error(settings: Settings) -> None:
    InstanceSetting.objects.create(key="crm", value="s3cret")
    settings.FIELD_KEYS = [("k2", KEY_2)]
    with pytest.raises(DecryptionError, match="'k1'"):
        InstanceSetting.objects.get()


def test_an_encrypted_text_is_refused_as_input() -> None:
    [field] = encrypted_fields(InstanceSetting)
    with pytest.raises(ValidationError, match="encrypted form"):
        field.clean("enc1.k1.AAAA", None)


def test_a_dump_holds_no_clear_secret() -> None:
    InstanceSetting.objects.create(key="crm", value="s3cret")
    out = StringIO()
    call_command("dumpdata", "core.InstanceSetting", stdout=out)
    assert "s3cret" not in out.getvalue()
    assert "enc1.k1." in out.getvalue()


@pytest.mark.parametrize("kind", [EncryptedTextField, EncryptedJSONField])
def test_a_field_can_be_written_into_a_migration(kind: type[EncryptedTextField]) -> None:
    _name, path, args, kwargs = kind("secret", blank=True, help_text="why").deconstruct()
    assert (path, args, kwargs) == (f"apps.core.fields.{kind.__name__}", [], {"verbose_name": "secret", "blank": True, "help_text": "why"})


def test_encrypted_fields_are_found() -> None:
    assert [field.name for field in encrypted_fields(Person)] == ["phone", "email", "private"]
    assert encrypted_fields(Bot) == []
    assert issubclass(EncryptedJSONField, models.TextField)


def test_history_keeps_no_secret() -> None:
    row = InstanceSetting.objects.create(key="crm", value="s3cret")
    row.value = "other"
    row.save()
    assert row.history.count() == 2
    assert not any(field.name == "value" for field in row.history.model._meta.fields)
