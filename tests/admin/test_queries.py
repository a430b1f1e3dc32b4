"""A list costs the same for three rows as for one: literal counts, so that an N+1 is seen when it is written."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from tests.admin.conftest import change, listing
from tests.admin.world import World, make_world

pytestmark = pytest.mark.django_db

# Of each: who is signed in (2), badges of the side bar (2), bots of the filter, the page with its time limit (5), what the page points at.
LISTS = {
    "bots.Bot": 7,
    "bots.Channel": 7,
    "identity.Person": 12,
    "identity.Lead": 11,
    "identity.ConnectLink": 10,
    "scenarios.Scenario": 8,
    "scenarios.ScenarioVersion": 10,
    "scenarios.Session": 10,
    "conversations.Conversation": 10,
    "conversations.Message": 10,
    "conversations.Update": 10,
    "conversations.Call": 10,
    "gateway.Endpoint": 7,
    "events.Event": 13,
    "events.Subscription": 7,
    "events.Delivery": 10,
}


@pytest.fixture(autouse=True)
def _unchecked(settings: Settings) -> None:
    """Whether tables kept in memory have changed is asked twice a second, not once a page."""
    settings.CACHE_CHECK_SECONDS = 3600


def queries_of(page: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert page.get(address).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("label", LISTS)
def test_a_list_costs_the_same_for_three_bots_as_for_one(label: str, page: Client, shop: World) -> None:
    queries_of(page, listing(label))
    one = queries_of(page, listing(label))
    assert (label, len(one)) == (label, LISTS[label]), one
    make_world("Bank", user_id="77")
    make_world("Club", user_id="78")
    three = queries_of(page, listing(label))
    assert (label, len(three)) == (label, LISTS[label]), three


def test_a_page_of_a_conversation_costs_the_same_for_many_messages(page: Client, shop: World) -> None:
    address = change(shop.conversation)
    queries_of(page, address)
    few = len(queries_of(page, address))
    for number in range(5):
        shop.hears(f"And {number}")
    assert len(queries_of(page, address)) == few
