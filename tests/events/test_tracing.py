from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.bots import tokens
from apps.conversations import advancing
from apps.conversations.models import Message
from apps.events.recording import record
from apps.events.tracing import chain
from tests.admin.world import World, make_staff

pytestmark = pytest.mark.django_db


def page_of(trace_id: str) -> str:
    return f"/admin/events/event/trace/{trace_id}/"


def titles(world: World, trace_id: str, *roles: str) -> list[list[str]]:
    found = chain(trace_id, viewer=make_staff(*(roles or ("admin",))))
    return [[str(line.title) for line in part.lines] for part in found.parts]


def press(world: World) -> str:
    """The client presses the first button of what the bot said; the trace of the press."""
    said = world.said
    update = world.posts("Confirm", kind="button", button=tokens.encode(said.pk, 0))
    advancing.drain()
    return update.trace_id


@pytest.fixture
def first(shop: World) -> str:
    """The trace of the client's first message."""
    return shop.session.trace_id


def test_a_chain_tells_in_order_what_the_client_said_and_what_the_scenario_did(shop: World, first: str) -> None:
    shop.rows["conversations.Call"].delete()
    assert titles(shop, first) == [
        ["The client says", "The scenario began", "Start: start", "Message with buttons: thanks", "Message to the client"],
    ]


def test_the_reply_is_shown_with_the_chain_that_it_answers(shop: World, first: str) -> None:
    shop.rows["conversations.Call"].delete()
    reply = press(shop)
    both = [
        ["The client says", "The scenario began", "Start: start", "Message with buttons: thanks", "Message to the client"],
        [
            "The client says",
            "Message with buttons: thanks",
            "Message with buttons: done",
            "Message to the client",
            "End: end",
            "The scenario ended",
        ],
    ]
    assert titles(shop, reply) == both
    assert titles(shop, first) == both
    assert [part.asked for part in chain(reply, viewer=make_staff("admin")).parts] == [False, True]


def test_a_call_and_its_answer_are_two_lines(shop: World, first: str) -> None:
    found = chain(first, viewer=make_staff("admin"))
    lines = [line for part in found.parts for line in part.lines if "system" in str(line.title)]
    assert [(str(line.title), str(line.state), line.text, line.latency_ms) for line in lines] == [
        ("We call another system", "200", "POST https://crm.example/orders", 120),
        ("The other system answers", "200", "", None),
    ]


def test_a_parked_item_stands_in_its_chain_with_its_reason(shop: World) -> None:
    parked = shop.rows["conversations.Update"]
    found = chain(parked.trace_id, viewer=make_staff("admin"))  # type: ignore[attr-defined]
    inbox = [line for part in found.parts for line in part.lines if line.icon == "inbox"]
    assert [(line.tone, line.text) for line in inbox] == [("bad", "RuntimeError: it broke")]


def test_an_answer_that_was_not_understood_is_found_from_its_own_trace(shop: World, first: str) -> None:
    shop.hears("What?")
    reply = Message.objects.filter(direction="in").latest("pk").trace_id
    assert [part.trace_id for part in chain(reply, viewer=make_staff("admin")).parts][-1] == reply


def test_who_may_see_the_log_but_no_conversations_sees_no_words(shop: World, first: str) -> None:
    lines = [line for part in chain(first, viewer=make_staff("analyst")).parts for line in part.lines]
    assert [line.text for line in lines if str(line.title) in ("The client says", "Message to the client")] == ["", ""]
    assert "Hello" in [line.text for part in chain(first, viewer=make_staff("supervisor")).parts for line in part.lines]


def test_a_chain_of_another_bot_is_not_there(shop: World, bank: World, first: str, signed_in: Callable[..., Client]) -> None:
    browser = signed_in("admin", bots=[bank.bot])
    assert browser.get(page_of(first)).status_code == 404
    assert browser.get(page_of(bank.session.trace_id)).status_code == 200


def test_the_page_names_and_links_who_and_what(page: Client, shop: World, first: str) -> None:
    text = page.get(page_of(first)).content.decode()
    for row in (shop.person, shop.lead, shop.bot, shop.channel, shop.scenario, shop.session, shop.conversation):
        assert row._meta.label in text or f"/{row.pk}/change/" in text
    assert "Anna of Shop" in text
    assert "+380501112233" not in text


@pytest.mark.parametrize("trace_id", ["nothing-of-this", "%00", "a" * 65, "%27"])
def test_an_unknown_trace_is_a_page_that_is_not_there(page: Client, trace_id: str) -> None:
    assert page.get(page_of(trace_id)).status_code == 404


def test_who_may_not_see_the_log_sees_no_chain(signed_in: Callable[..., Client], first: str) -> None:
    assert signed_in("operator").get(page_of(first)).status_code == 403


def test_a_chain_costs_the_same_however_long_it_is(shop: World, first: str, settings: Settings) -> None:
    """Traces of the sessions (4), messages, inbox, calls (3), visits (4), the log (1)."""
    settings.CACHE_CHECK_SECONDS = 3600  # the check whether client fields have changed would come now and then
    viewer = make_staff("admin")
    chain(first, viewer=viewer)
    assert queries(first, viewer) == 13
    press(shop)
    for number in range(20):
        record(f"more.{number}", trace_id=first, bot_id=shop.bot.pk)
    assert queries(first, viewer) == 13


def queries(trace_id: str, viewer: object) -> int:
    with CaptureQueriesContext(connection) as captured:
        chain(trace_id, viewer=viewer)  # type: ignore[arg-type]
    return len(captured)
