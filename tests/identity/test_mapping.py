"""The mapping table with exactly the sources' names."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.identity.mapping import id_text, mapping, mapping_row, plain_id
from apps.identity.models import ExternalId, Lead
from tests.making import make_channel, make_lead

pytestmark = pytest.mark.django_db


def test_a_row_looks_like_the_sources_example() -> None:
    lead = make_lead(chat_id="540278913")
    ExternalId.objects.create(bot=lead.channel.bot, person=lead.person, system="crm", value="125")
    ExternalId.objects.create(bot=lead.channel.bot, person=lead.person, system="erp", value="A-77")
    lead.connected_at = datetime(2025, 10, 15, 11, 24, 52, 7, tzinfo=UTC)
    assert mapping_row(lead) == {
        "userId": 125,
        "leadId": lead.code,
        "chatId": 540278913,
        "isActive": True,
        "source": "telegram",
        "connected_at": "2025-10-15T11:24:52Z",
    }
    assert list(mapping_row(lead)) == ["userId", "leadId", "chatId", "isActive", "source", "connected_at"]
    assert mapping_row(lead, system="erp")["userId"] == "A-77"


def test_a_chat_that_nobody_connected_has_no_user() -> None:
    row = mapping_row(make_lead(chat_id="w_81", channel=make_channel(kind="widget")))
    assert (row["userId"], row["chatId"], row["source"], row["connected_at"]) == (None, "w_81", "widget", None)


def test_the_table_is_streamed_in_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    channel = make_channel()
    for number in range(3):
        lead = make_lead(channel)
        ExternalId.objects.create(bot=channel.bot, person=lead.person, system="crm", value=str(number))
    with django_assert_num_queries(2):
        assert [row["userId"] for row in mapping(Lead.objects.order_by("pk"))] == [0, 1, 2]


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("125", 125),
        ("-100500", -100500),
        ("0", 0),
        ("007", "007"),
        ("A-77", "A-77"),
        ("", ""),
        ("9007199254740993", "9007199254740993"),
        ("١٢", "١٢"),
    ],
)
def test_an_id_is_a_number_only_when_nothing_is_lost(stored: str, told: int | str) -> None:
    assert plain_id(stored) == told


@pytest.mark.parametrize(("given", "stored"), [(125, "125"), ("125", "125"), (125.0, "125"), (" A-77 ", "A-77")])
def test_an_id_is_stored_in_one_form(given: object, stored: str) -> None:
    assert id_text(given) == stored
