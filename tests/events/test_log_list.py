"""Lists of growing tables: turned by key, never counted in full, and stopped when they would have to read too much."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.bots.models import Bot
from apps.events.admin import listing
from apps.events.models import Event
from apps.events.recording import event, write
from tests.making import make_bot

pytestmark = pytest.mark.django_db
LIST = "/admin/events/event/"


def fill(count: int, **about: object) -> None:
    write([event(f"kind.{number:03}", **about) for number in range(count)])  # type: ignore[arg-type]


def shown(page: Client, address: str) -> list[str]:
    return re.findall(r'title="kind\.(\d+)"', page.get(address).content.decode())


def turn(page: Client, address: str, name: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{name}"', page.get(address).content.decode())
    return LIST + found[1].replace("&amp;", "&") if found else ""


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.events.admin.listing.LogListMixin.list_per_page", 2)


def test_pages_turn_to_older_rows_and_back(page: Client) -> None:
    fill(5)
    first, second = LIST, turn(page, LIST, "next")
    third = turn(page, second, "next")
    assert [shown(page, address) for address in (first, second, third)] == [["004", "003"], ["002", "001"], ["000"]]
    assert (turn(page, third, "next"), turn(page, first, "prev")) == ("", "")
    assert shown(page, turn(page, third, "prev")) == ["002", "001"]
    assert shown(page, turn(page, turn(page, third, "prev"), "prev")) == ["004", "003"]


def test_pages_keep_the_filters(page: Client) -> None:
    shop, bank = make_bot(), make_bot()
    for bot in (shop, bank, shop, bank, shop):
        fill(1, bot_id=bot.pk)
    address = turn(page, f"{LIST}?bot={shop.pk}", "next")
    assert f"bot={shop.pk}" in address
    assert len(shown(page, address)) == 1


@pytest.mark.parametrize("key", ["x", "-1", "9" * 30, "2026~1", "~", "%00", "1e5"])
def test_a_made_up_key_shows_the_first_page(page: Client, key: str) -> None:
    fill(3)
    assert shown(page, f"{LIST}?before={key}") == ["002", "001"]


def test_the_count_ends_at_a_thousand(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 3)
    fill(3)
    assert "3 rows" in page.get(LIST).content.decode()
    fill(2)
    assert "more than 3 rows" in page.get(LIST).content.decode()


def test_no_query_counts_everything_or_skips_rows(page: Client) -> None:
    fill(5)
    with CaptureQueriesContext(connection) as captured:
        page.get(turn(page, LIST, "next"))
    on_events = [query["sql"] for query in captured.captured_queries if 'FROM "events_event"' in query["sql"]]
    assert on_events
    assert all("LIMIT" in query and "OFFSET" not in query for query in on_events)


def test_a_query_that_would_read_too_much_is_stopped_with_advice(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(2)
    slow = Event.objects.extra(where=["pg_sleep(0.4) IS NOT NULL"])
    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr("apps.events.admin.events.EventAdmin.get_queryset", lambda *_args: slow)
    response = page.get(LIST)
    assert response.status_code == 200
    assert "Narrow it" in response.content.decode()


def test_time_filters_take_spans_and_exact_moments(page: Client) -> None:
    fill(2)
    Event.objects.filter(kind="kind.000").update(timestamp=timezone.now() - timedelta(days=3))
    assert shown(page, f"{LIST}?since=24h") == ["001"]
    assert shown(page, f"{LIST}?since=7d") == ["001", "000"]
    assert shown(page, f"{LIST}?since=2999-01-01T00:00") == []
    assert shown(page, f"{LIST}?since=nonsense") == ["001", "000"]


def test_the_filter_of_kinds_offers_what_is_there(page: Client) -> None:
    fill(2)
    text = page.get(LIST).content.decode()
    assert re.findall(r'<option value="(kind\.\d+)"', text) == ["kind.000", "kind.001"]


def test_a_trace_is_found_by_search(page: Client) -> None:
    fill(1, trace_id="a" * 32)
    fill(1)
    assert shown(page, f"{LIST}?q={'a' * 32}") == ["000"]


def test_rows_of_the_whole_installation_are_shown_without_a_bot(page: Client) -> None:
    assert Bot.objects.count() == 0
    fill(1)
    assert shown(page, LIST) == ["000"]
