import subprocess
import sys
import time

import pytest
from django.db import connection, transaction
from psycopg.conninfo import make_conninfo
from pytest_django import DjangoAssertNumQueries, Settings

from apps.core import settings_store
from apps.core.models import Constant, InstanceSetting
from apps.core.settings_store import constants, instance_settings

CHANGE = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as other:
    other.execute("UPDATE core_constant SET value = '2'")
"""


@pytest.fixture(autouse=True)
def _cached(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0.2
    settings_store.forget()


@pytest.mark.django_db
def test_settings_and_constants_are_given_with_what_is_secret() -> None:
    InstanceSetting.objects.create(key="crm_token", value="s3cret", is_secret=True)
    InstanceSetting.objects.create(key="crm_url", value="https://crm", is_secret=False)
    Constant.objects.create(key="cities", value=["Kyiv", "Tashkent"])
    Constant.objects.create(key="phone", value="+380")
    assert instance_settings() == ({"crm_token": "s3cret", "crm_url": "https://crm"}, frozenset({"crm_token"}))
    assert constants() == {"cities": ["Kyiv", "Tashkent"], "phone": "+380"}


@pytest.mark.django_db
def test_between_checks_nothing_is_asked_and_a_check_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    Constant.objects.create(key="a", value=1)
    assert constants() == {"a": 1}
    with django_assert_num_queries(0):
        constants()
    time.sleep(0.21)
    with django_assert_num_queries(1):
        constants()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_constant SET value = '2'",
        "DELETE FROM core_constant",
        "INSERT INTO core_constant (key, value, description, updated_at) VALUES ('b', '1', '', now())",
    ],
)
def test_every_kind_of_change_is_seen(statement: str) -> None:
    Constant.objects.create(key="a", value=1)
    before = constants()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    time.sleep(0.21)
    assert constants() != before


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_is_forgotten() -> None:
    with transaction.atomic():
        Constant.objects.create(key="a", value=1)
        assert constants() == {"a": 1}
        transaction.set_rollback(True)
    time.sleep(0.21)
    assert constants() == {}


@pytest.mark.django_db
def test_what_a_caller_does_to_the_answer_stays_with_the_caller() -> None:
    constants()["x"] = 1
    assert constants() == {}


@pytest.mark.django_db(transaction=True)
def test_a_change_in_another_process_is_seen_within_a_second(settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 0.5
    Constant.objects.create(key="a", value=1)
    assert constants() == {"a": 1}
    database = settings.DATABASES["default"]
    address = make_conninfo(
        host=database["HOST"],
        port=database["PORT"] or None,
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=connection.settings_dict["NAME"],
    )
    subprocess.run([sys.executable, "-c", CHANGE, address], check=True, timeout=20)
    time.sleep(0.51)
    assert constants() == {"a": 2}
