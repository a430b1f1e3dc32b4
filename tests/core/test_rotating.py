from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from apps.bots.models import Bot
from apps.core.models import InstanceSetting
from apps.core.rotating import rotate
from apps.identity.models import Person

pytestmark = pytest.mark.django_db
KEY_1, KEY_2 = b"1" * 32, b"2" * 32


@pytest.fixture
def _old_values(settings: Settings) -> None:
    settings.FIELD_KEYS = [("k1", KEY_1)]
    InstanceSetting.objects.bulk_create([InstanceSetting(key=f"key{number}", value=f"value{number}") for number in range(5)])
    InstanceSetting.objects.create(key="empty", value="")
    Person.objects.create(bot=Bot.objects.create(name="Shop"), phone="+380501112233", private={"a": 1})
    settings.FIELD_KEYS = [("k2", KEY_2), ("k1", KEY_1)]


def prefixes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT value FROM core_instancesetting WHERE value <> '' UNION ALL SELECT phone FROM identity_person "
            "UNION ALL SELECT private FROM identity_person"
        )
        return {row[0][:8] for row in cursor.fetchall()}


@pytest.mark.usefixtures("_old_values")
def test_every_value_gets_the_current_key_and_stays_the_same(settings: Settings) -> None:
    out = StringIO()
    call_command("rotate_keys", batch=2, stdout=out)
    assert prefixes() == {"enc1.k2."}
    settings.FIELD_KEYS = [("k2", KEY_2)]
    assert dict(InstanceSetting.objects.values_list("key", "value")) == {f"key{number}": f"value{number}" for number in range(5)} | {
        "empty": ""
    }
    assert Person.objects.values_list("phone", "private").get() == ("+380501112233", {"a": 1})
    lines = out.getvalue().splitlines()
    assert [line for line in lines if line.startswith("core.InstanceSetting.value")] == [
        f"core.InstanceSetting.value: {done} of 5" for done in (2, 4, 5)
    ]
    assert lines[-1] == "7 values now use key “k2”."


@pytest.mark.usefixtures("_old_values")
def test_it_can_be_repeated_and_then_changes_nothing() -> None:
    call_command("rotate_keys", stdout=StringIO())
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert out.getvalue().splitlines() == ["0 values now use key “k2”."]


@pytest.mark.usefixtures("_old_values")
def test_it_goes_on_where_it_was_stopped() -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def stop(_name: str, _done: int, _todo: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        rotate(InstanceSetting, "value", batch=2, progress=stop)
    assert rotate(InstanceSetting, "value", batch=2, progress=lambda *_args: None) == (3, 0)


@pytest.mark.usefixtures("_old_values")
def test_unreadable_values_are_counted_and_left() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_instancesetting SET value = 'enc1.k0.AAAA' WHERE key = 'key2'")
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("rotate_keys", batch=1, stdout=out, stderr=errors)
    assert errors.getvalue() == "1 values could not be read: add the key that they were encrypted with to FIELD_KEYS and repeat.\n"
    assert prefixes() == {"enc1.k2.", "enc1.k0."}


@pytest.mark.usefixtures("_old_values")
def test_a_value_that_somebody_changes_meanwhile_is_left_to_them() -> None:
    def change(_name: str, done: int, _todo: int) -> None:
        if done == 2:
            InstanceSetting.objects.filter(key="key4").update(value="new")

    assert rotate(InstanceSetting, "value", batch=2, progress=change) == (4, 0)
    assert InstanceSetting.objects.get(key="key4").value == "new"
