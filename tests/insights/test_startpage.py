from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import User
from apps.bots.models import Channel
from apps.core.heart import beat_heart
from apps.events.models import Event
from apps.events.recording import record
from apps.gateway import tokens
from apps.insights import startpage
from tests.admin.world import World, make_staff

pytestmark = pytest.mark.django_db


def figures(user: User) -> dict[str, str]:
    return {str(figure.name): figure.value for figure in startpage.figures(user)}


def test_an_empty_installation_shows_the_first_steps(page: Client) -> None:
    text = page.get("/admin/").content.decode()
    assert "Make a bot" in text
    assert "No active channel yet." in text
    assert "Nothing. Parked items" in text


def test_steps_that_are_done_are_ticked_and_vanish_in_the_end(owner: User, shop: World) -> None:
    assert [step.done for step in startpage.first_steps(owner)] == [True, True, True, True, False]
    tokens.issue(name="CRM")
    assert [step.done for step in startpage.first_steps(owner)] == [True] * 5


def test_first_steps_are_for_those_who_may_go_them(owner: User) -> None:
    assert startpage.first_steps(make_staff("operator")) == []
    assert len(startpage.first_steps(make_staff("integrator"))) == 5


def test_figures_count_today_and_own_bots(owner: User, shop: World, bank: World) -> None:
    record("endpoint.called", bot_id=shop.bot.pk)
    record("message.failed", bot_id=bank.bot.pk, status="fail")
    two_days_ago = timezone.now() - timedelta(days=2)
    Event.objects.bulk_create([Event(id=-1, kind="endpoint.called", bot_id=shop.bot.pk, timestamp=two_days_ago, trace_id="t")])
    expected = {
        "Events received": "1",
        "Messages in": "2",
        "Messages out": "0",
        "Messages failed": "1",
        "Outside calls": "0",
        "Active sessions": "2",
    }
    assert figures(owner) == expected
    assert figures(make_staff("admin", bots=[shop.bot])) == expected | {"Messages in": "1", "Messages failed": "0", "Active sessions": "1"}


def test_figures_end_where_counting_would_cost(owner: User, shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startpage, "COUNTED", 2)
    for _number in range(4):
        record("endpoint.called", bot_id=shop.bot.pk)
    assert figures(owner)["Events received"] == "2+"


def test_figures_are_for_those_who_may_see_what_they_count() -> None:
    assert set(figures(make_staff("analyst"))) == {"Events received", "Messages in", "Messages out", "Messages failed", "Outside calls"}
    assert figures(make_staff("operator")) == {}


def test_failing_channels_parked_items_and_failures_need_attention(owner: User, shop: World) -> None:
    Channel.objects.filter(pk=shop.channel.pk).update(health=Channel.Health.FAILING, health_text="The token was revoked.")
    record("session.failed", bot_id=shop.bot.pk, status="fail", details={"reason": "Script error at node “a”"})
    assert [(str(matter.title), matter.text) for matter in startpage.matters(owner)] == [
        ("Channel fails: Shop, Shop chat", "The token was revoked."),
        ("Parked: from the messenger", "RuntimeError: it broke"),
        ("The scenario failed", "Script error at node “a”"),
    ]


def test_nobody_sees_what_another_bot_suffers(shop: World, bank: World) -> None:
    texts = [matter.url for matter in startpage.matters(make_staff("admin", bots=[bank.bot]))]
    assert texts == [f"/admin/conversations/update/{bank.rows['conversations.Update'].pk}/change/"]


def test_processes_that_are_silent_say_what_to_do(page: Client) -> None:
    beat_heart("worker")
    lamps = {str(lamp.name): (lamp.tone, bool(lamp.text)) for lamp in startpage.processes()}
    assert (lamps["Workers"], lamps["Sender"]) == (("ok", False), ("bad", True))


def test_the_start_page_costs_the_same_however_much_there_is(page: Client, shop: World, settings: Settings) -> None:
    settings.CACHE_CHECK_SECONDS = 3600
    page.get("/admin/")
    before = queries(page)
    for _number in range(30):
        record("endpoint.called", bot_id=shop.bot.pk)
    assert queries(page) == before


def test_the_start_page_is_for_staff(signed_in: Callable[..., Client], client: Client) -> None:
    assert signed_in("operator").get("/admin/").status_code == 200
    client.logout()
    assert client.get("/admin/").status_code == 302


def queries(page: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        page.get("/admin/")
    return len(captured)
