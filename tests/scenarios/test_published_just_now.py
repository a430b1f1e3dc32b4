"""What another process published a moment ago starts with the very next message, however long tables are kept in memory."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.conversations import advancing, inbox
from apps.conversations.models import Message, Update
from apps.core.cached import CachedTable
from apps.identity.models import Lead
from apps.scenarios import definitions, triggers
from apps.scenarios.models import Scenario
from tests.making import make_channel, make_lead, text
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _kept_for_long(settings: Settings) -> Iterator[None]:
    triggers.forget()
    definitions.forget()
    settings.CACHE_CHECK_SECONDS = 3600
    yield
    triggers.forget()
    definitions.forget()


@pytest.fixture
def lead() -> Lead:
    return make_lead(make_channel(), chat_id="77", name="Anna")


@contextmanager
def elsewhere(*tables: CachedTable[Any]) -> Iterator[None]:
    """What happens in the block this process has not noticed."""
    for table in tables:
        table.get()
    known = [table._known for table in tables]
    yield
    for table, before in zip(tables, known, strict=True):
        table._known, table._checked_at = before, time.monotonic()


def saying(answer: str, *kinds: Json) -> Json:
    return {**definition(node("start", "start", next="say"), node("say", "message", {"text": answer})), "triggers": list(kinds)}


def write(lead: Lead, *words: str) -> list[str]:
    inbox.accept(lead.channel, [text(one, chat_id=lead.chat_id) for one in words])
    advancing.drain()
    return list(Message.objects.filter(direction="out").order_by("pk").values_list("text", flat=True))


@pytest.mark.parametrize(
    "trigger",
    [{"kind": "any_message"}, {"kind": "keyword", "words": ["menu"], "match": "exact"}],
    ids=lambda one: one["kind"],
)
def test_a_first_publication_takes_the_next_message(lead: Lead, trigger: Json) -> None:
    with elsewhere(triggers._table, definitions._scenarios):
        make_scenario(lead.channel.bot, saying("Welcome", trigger))
    assert write(lead, "menu") == ["Welcome"]


def test_a_scenario_of_which_only_the_trigger_is_known_starts(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, saying("Welcome", {"kind": "any_message"}))
    published = scenario.published
    Scenario.objects.filter(pk=scenario.pk).update(published=None)
    definitions.forget()
    with elsewhere(definitions._scenarios):
        Scenario.objects.filter(pk=scenario.pk).update(published=published)
    assert write(lead, "hello") == ["Welcome"]


def test_of_items_that_were_read_together_one_asks(lead: Lead) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert write(lead, "one", "two", "three") == []
    looks = [query for query in asked.captured_queries if "xmin" in (sql := query["sql"] or "") and '"scenarios_trigger"' in sql]
    assert len(looks) == 2  # to know the table at all, and before giving up
    assert list(Update.objects.values_list("state", flat=True)) == ["done"] * 3
