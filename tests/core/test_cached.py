"""Small tables in memory: a change of any of them is seen, and one question asks for all."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.bots import known
from apps.bots.models import Bot
from apps.core import settings_store
from apps.core.models import Constant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _remembering(settings: Settings) -> Iterator[None]:
    settings.CACHE_CHECK_SECONDS = 60
    known._bots.forget()
    known._channels.forget()
    settings_store.forget()
    yield
    known._bots.forget()
    known._channels.forget()
    settings_store.forget()


def look() -> tuple[set[str], object]:
    return {bot.name for bot in known._bots.get().values()}, settings_store.constants().get("city")


def test_one_question_asks_for_all_tables_in_use() -> None:
    Bot.objects.create(name="Shop")
    look()
    known._bots.forget()
    settings_store.forget()
    with CaptureQueriesContext(connection) as asked:
        look()
    assert len([query for query in asked if "md5" in query["sql"]]) <= 3
    with CaptureQueriesContext(connection) as asked:
        look()
    assert len(asked) == 0


def test_a_table_that_another_ones_question_found_changed_is_read_again(settings: Settings) -> None:
    Bot.objects.create(name="Shop")
    assert look() == ({"Shop"}, None)
    Constant.objects.create(key="city", value="Kyiv")
    Bot.objects.update(name="Store")
    settings.CACHE_CHECK_SECONDS = 0
    assert look() == ({"Store"}, "Kyiv")


def test_who_was_told_to_forget_asks_again_though_another_has_just_asked() -> None:
    Bot.objects.create(name="Shop")
    look()
    Constant.objects.create(key="city", value="Kyiv")
    settings_store.forget()
    known._bots.forget()
    known._bots.get()  # asks for the constants as well, and finds them changed
    assert settings_store.constants()["city"] == "Kyiv"
