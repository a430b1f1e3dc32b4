"""Figures per block and exit: what a few real chats give, and that they equal a recount by hand of many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.conversations.models import Message
from apps.identity.models import Lead
from apps.scenarios import analytics, triggers, visitors
from apps.scenarios.analytics import Figures, Window
from apps.scenarios.models import Scenario, Session
from apps.scenarios.visitors import Number
from tests.admin.world import make_staff
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import question, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.sampling import NOON, make_many, recount, recount_ways
from tests.scenarios.test_runtime import press, start, write

# --- real chats ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_real_chats_give() -> None:
    triggers.forget()
    channel = make_channel()
    scenario = make_scenario(channel.bot, thank_you())
    leads = [make_lead(channel, name=name) for name in ("Anna", "Boris", "Vera")]
    for lead in leads:
        start(lead, scenario)
    press(leads[0], "Confirm", message=_asked(leads[0]))
    press(leads[1], "Later", message=_asked(leads[1]))
    rows = {(row.node, row.exit): row.figures for row in analytics.figures(scenario, Window())}
    counts = {place: (found.visits, found.people, found.left, found.ended, found.waiting, found.dropped) for place, found in rows.items()}
    assert counts == {
        ("start", None): (3, 3, 3, 0, 0, 0), ("start", "next"): (3, 3, 3, 0, 0, 0),
        ("thanks", None): (3, 3, 2, 0, 1, 0), ("thanks", "confirm"): (1, 1, 1, 0, 0, 0), ("thanks", "later"): (1, 1, 1, 0, 0, 0),
        ("done", None): (1, 1, 1, 0, 0, 0), ("done", "next"): (1, 1, 1, 0, 0, 0), ("bye", None): (1, 1, 1, 0, 0, 0), ("bye", "next"): (1, 1, 1, 0, 0, 0),
        ("end", None): (2, 2, 0, 2, 0, 0),
    }  # fmt: skip
    median = rows["thanks", None].median_seconds
    assert median is not None
    assert 0 < median < 60


def _asked(lead: Lead) -> Any:
    return Message.objects.filter(conversation__lead=lead, direction="out").latest("seq")


@pytest.mark.django_db(transaction=True)
def test_a_failed_block_and_a_cancelled_dialogue_are_seen() -> None:
    triggers.forget()
    lead = make_lead(make_channel(), chat_id="540278913", name="Anna")
    scenario = make_scenario(lead.channel.bot, question())
    start(lead, scenario)
    write(lead, "nonsense")
    Session.objects.update(status="cancelled")
    [ask] = [row.figures for row in analytics.figures(scenario, Window()) if row.node == "ask" and row.exit is None]
    assert (ask.visits, ask.dropped, ask.drop_off) == (1, 1, 1.0)


# --- a recount by hand -----------------------------------------------------------------------------------------------


@pytest.fixture
def many(db: None) -> Scenario:
    return make_many()


WINDOWS = [
    Window(),
    Window(since=NOON + timedelta(days=10)),
    Window(until=NOON + timedelta(days=10)),
    Window(since=NOON + timedelta(days=5), until=NOON + timedelta(days=25), version=2),
    Window(version=1, language="ru"),
    Window(language="en"),
    Window(version=99),
]


def test_the_figures_equal_a_recount_by_hand(many: Scenario) -> None:
    for window in WINDOWS:
        found = {(row.node, row.exit): _rounded(row.figures) for row in analytics.figures(many, window)}
        assert (window, found) == (window, {place: _rounded(figures) for place, figures in recount(many, window).items()})


def _rounded(figures: Figures) -> dict[str, Any]:
    told = figures.as_json()
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in told.items()}


def test_where_each_exit_led_equals_a_recount_by_hand(many: Scenario) -> None:
    for window in WINDOWS:
        found = {(row.node, row.exit): row.to for row in analytics.figures(many, window) if row.exit is not None}
        assert (window, found) == (window, recount_ways(many, window))


def test_blocks_stand_in_the_order_of_the_draft_and_gone_ones_last(many: Scenario) -> None:
    blocks = [row.node for row in analytics.figures(many, Window()) if row.exit is None]
    assert blocks == ["thanks", "done", "end", "gone"]


def test_a_block_that_is_gone_from_the_draft_keeps_the_title_of_the_newest_version(many: Scenario) -> None:
    for number, title in ((1, "Good-bye"), (2, "Farewell")):
        version = many.versions.get(number=number)
        version.definition["sections"][0]["nodes"].append({"id": "gone", "kind": "message", "title": title})
        type(version).objects.filter(pk=version.pk).update(definition=version.definition)
    assert {row.title for row in analytics.figures(many, Window()) if row.node == "gone"} == {"Farewell"}


def test_another_scenarios_visits_do_not_count(many: Scenario) -> None:
    other = make_scenario(make_bot(), thank_you())
    assert analytics.figures(other, Window()) == []


# --- over the API and on the page ------------------------------------------------------------------------------------


@pytest.fixture
def owner(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("owner", password="x"))
    return client


def test_the_api_tells_the_same(owner: Client, many: Scenario) -> None:
    answer = owner.get(f"/api/scenarios/{many.pk}/analytics?since=2026-05-25T00:00:00Z&version=2&language=ru").json()
    window = Window(since=datetime(2026, 5, 25, tzinfo=UTC), version=2, language="ru")
    rows = analytics.figures(many, window)
    assert answer["nodes"] == [
        {"node": row.node, "title": row.title, "kind": row.kind, **row.figures.as_json()} for row in rows if row.exit is None
    ]
    assert answer["edges"] == [
        {"node": row.node, "exit": row.exit, **row.figures.as_json(), "to": [{"node": to, "visits": visits} for to, visits in row.to]}
        for row in rows if row.exit is not None
    ]  # fmt: skip
    assert (answer["versions"], answer["languages"]) == ([2, 1], ["en", "ru"])


def test_a_window_that_cannot_be_read_is_refused(owner: Client) -> None:
    scenario = make_scenario(make_bot(), thank_you())
    dates = ["since=yesterday", "since=2026-05-25", "until=9999-99-99T00:00:00Z", "since=0001-01-01T00:00:00Z"]
    for query in (*dates, "version=x", "version=-1", "version=99999999999999", "language=%00"):
        answer = owner.get(f"/api/scenarios/{scenario.pk}/analytics?{query}")
        assert (query, answer.status_code, answer.json()["code"]) == (query, 400, "bad_request")


def test_the_page_shows_them_and_leads_to_the_people(
    owner: Client, many: Scenario, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    address = f"/admin/scenarios/scenario/{many.pk}/analytics/"
    with django_assert_max_num_queries(20):  # most are of the navigation
        text = owner.get(f"{address}?since=2026-05-01").content.decode()
    assert "<strong>thanks</strong>" in text
    assert "node=thanks" in text
    people = owner.get(f"{address}?since=2026-05-01&node=thanks&counted=dropped").content.decode()
    [visit, *_rest], _more = visitors.behind(many, Window(), Number("thanks", counted="dropped"), reader=User.objects.get(username="owner"))
    assert f"/admin/scenarios/session/{visit.session}/change/" in people
    assert visit.name
    assert visit.name in people
    for wrong in (
        "since=x",
        "until=9999-12-31",
        "version=99999999999999999999",
        "language=%00",
        "node=%00",
        "node=thanks&counted=nonsense&exit=%00&page=0",
    ):
        assert (wrong, owner.get(f"{address}?{wrong}").status_code) == (wrong, 200)


@pytest.mark.parametrize(("role", "api", "page"), [("analyst", 200, 200), ("integrator", 200, 200), ("operator", 404, 404)])
def test_who_may_see_figures(client: Client, db: None, role: str, api: int, page: int) -> None:
    many = make_scenario(make_bot(), thank_you())
    client.force_login(make_staff(role, bots=[many.bot]))
    assert client.get(f"/api/scenarios/{many.pk}/analytics").status_code == api
    assert client.get(f"/admin/scenarios/scenario/{many.pk}/analytics/").status_code in {page, 403 if page == 404 else page}
