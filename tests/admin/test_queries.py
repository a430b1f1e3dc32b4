"""A list costs the same for three rows as for one: literal counts, so that an N+1 is seen when it is written."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.conftest import change, listing
from tests.admin.world import World, make_world

pytestmark = pytest.mark.django_db

# Of each: who is signed in (2), models of the side bar (1), its badges (2), bots of the filter, the page with its time limit (5), what the page points at.
LISTS = {
    "bots.Bot": 8,
    "bots.Channel": 8,
    "identity.Person": 13,
    "identity.Lead": 12,
    "identity.ConnectLink": 11,
    "scenarios.Scenario": 9,
    "scenarios.ScenarioVersion": 11,
    "scenarios.Session": 11,
    "conversations.Conversation": 11,
    "conversations.Message": 11,
    "conversations.Update": 11,
    "conversations.Call": 12,
    "gateway.Endpoint": 8,
    "events.Event": 14,
}


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
