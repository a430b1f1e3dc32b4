"""Figures per block and exit: what a few real chats give, and that they equal a recount by hand of many."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.conversations.models import Conversation, Lane, Message
from apps.identity.models import Lead
from apps.scenarios import analytics, publishing, triggers
from apps.scenarios.analytics import Figures, Window
from apps.scenarios.models import Scenario, ScenarioVersion, Session, SessionStep
from tests.admin.world import make_staff
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import question, thank_you
from tests.scenarios.making import make_scenario
from tests.scenarios.test_runtime import press, start, write

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


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
    """Two versions, people of three languages, a month of visits of every fate."""
    chance = random.Random(11)  # noqa: S311  a repeatable sample
    channel = make_channel(make_bot(name="Shop"))
    scenario = make_scenario(channel.bot, thank_you(), key="thank-you")
    publishing.publish(scenario)
    versions = list(ScenarioVersion.objects.filter(scenario=scenario))
    for number in range(15):
        lead = make_lead(channel, name=f"Person {number}", language=chance.choice(["en", "ru", ""]))
        conversation = Conversation.objects.create(
            bot=channel.bot, lead=lead, person=lead.person, lane=Lane.objects.create(key=f"{channel.pk}:{lead.chat_id}")
        )
        for _session in range(chance.randint(1, 3)):
            _make_session(chance, scenario, chance.choice(versions), lead, conversation)
    return scenario


def _make_session(chance: random.Random, scenario: Scenario, version: ScenarioVersion, lead: Lead, conversation: Conversation) -> None:
    status = chance.choice(["queued", "suspended", "ended", "failed", "cancelled"])
    session = Session.objects.create(
        conversation=conversation, lead=lead, person=lead.person, scenario=scenario, version=version, status=status, trace_id="t"
    )
    for visit in range(1, chance.randint(2, 9)):
        node, exit_ = chance.choice([("thanks", "confirm"), ("thanks", "later"), ("done", "next"), ("gone", "next"), ("end", "")])
        at = NOON + timedelta(minutes=chance.randint(0, 30 * 24 * 60))
        events = [_event("entered", at), *([_event("error", at)] if chance.random() < 0.2 else [])]
        left = exit_ if chance.random() < 0.7 else ""
        if left:
            events.append(_event("left", at + timedelta(seconds=chance.randint(0, 4000), milliseconds=chance.randint(0, 999))))
        elif chance.random() < 0.4:
            events.append({**_event("ended", at), "details": {"outcome": chance.choice(["", "paid", "cancelled"])}})
        SessionStep.objects.create(
            session=session, visit=visit, section="main", node=node, kind="message", exit=left, events=events, trace_id="t", at=at
        )


def _event(kind: str, at: datetime) -> dict[str, Any]:
    return {"kind": kind, "at": at.isoformat(timespec="milliseconds"), "trace": "t"}


def recount(scenario: Scenario, window: Window) -> dict[tuple[str, str | None], Figures]:
    """The same figures the slow way, from the rows themselves."""
    groups: dict[tuple[str, str | None], list[SessionStep]] = {}
    for step in SessionStep.objects.filter(session__scenario=scenario).select_related("session__version", "session__person"):
        if _counts(step, window):
            for place in {(step.node, None), (step.node, step.exit or None)}:
                groups.setdefault(place, []).append(step)
    return {place: _figures(steps) for place, steps in groups.items()}


def _counts(step: SessionStep, window: Window) -> bool:
    return (
        (window.since is None or step.at >= window.since)
        and (window.until is None or step.at < window.until)
        and (window.version is None or step.session.version.number == window.version)
        and (window.language is None or step.session.person.language == window.language)
    )


def _figures(steps: list[SessionStep]) -> Figures:
    fates = [_fate(step) for step in steps]
    times = sorted(seconds for step in steps for seconds in _seconds(step))
    return Figures(
        visits=len(steps), people=len({step.session.person_id for step in steps}), left=fates.count("left"), ended=fates.count("ended"),
        waiting=fates.count("waiting"), dropped=fates.count("dropped"), errors=sum(any(event["kind"] == "error" for event in step.events) for step in steps),
        median_seconds=_percentile(times, 0.5), p95_seconds=_percentile(times, 0.95),
    )  # fmt: skip


def _fate(step: SessionStep) -> str:
    kinds = {event["kind"] for event in step.events}
    if any(event["kind"] == "ended" and event["details"]["outcome"] != "cancelled" for event in step.events):
        return "ended"
    return "left" if "left" in kinds else "waiting" if step.session.status in {"active", "suspended", "queued"} else "dropped"


def _seconds(step: SessionStep) -> Iterator[float]:
    moments = {event["kind"]: datetime.fromisoformat(event["at"]) for event in step.events}
    if "left" in moments:
        yield (moments["left"] - moments["entered"]).total_seconds()


def _percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    place = (len(values) - 1) * share
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


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


def test_behind_each_number_are_its_sessions(many: Scenario) -> None:
    for fate in ("left", "dropped", "ended", "waiting"):
        found = set(analytics.sessions_at(many, Window(), node="thanks", fate=fate).values_list("pk", flat=True))
        steps = SessionStep.objects.filter(node="thanks").select_related("session")
        assert found == {step.session_id for step in steps if _fate(step) == fate}
    later = set(analytics.sessions_at(many, Window(), node="thanks", exit_="later").values_list("pk", flat=True))
    assert later == set(SessionStep.objects.filter(node="thanks", exit="later").values_list("session_id", flat=True))


def test_blocks_stand_in_the_order_of_the_draft_and_gone_ones_last(many: Scenario) -> None:
    blocks = [row.node for row in analytics.figures(many, Window()) if row.exit is None]
    assert blocks == ["thanks", "done", "end", "gone"]


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
    assert answer["edges"] == [{"node": row.node, "exit": row.exit, **row.figures.as_json()} for row in rows if row.exit is not None]
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
    people = owner.get(f"{address}?since=2026-05-01&node=thanks&fate=dropped").content.decode()
    session = analytics.sessions_at(many, Window(), node="thanks", fate="dropped").first()
    assert session is not None
    assert f"/admin/scenarios/session/{session.pk}/change/" in people
    for wrong in (
        "since=x",
        "until=9999-12-31",
        "version=99999999999999999999",
        "language=%00",
        "node=%00",
        "node=thanks&fate=nonsense&exit=%00",
    ):
        assert (wrong, owner.get(f"{address}?{wrong}").status_code) == (wrong, 200)


@pytest.mark.parametrize(("role", "api", "page"), [("analyst", 200, 200), ("integrator", 200, 200), ("operator", 404, 404)])
def test_who_may_see_figures(client: Client, db: None, role: str, api: int, page: int) -> None:
    many = make_scenario(make_bot(), thank_you())
    client.force_login(make_staff(role, bots=[many.bot]))
    assert client.get(f"/api/scenarios/{many.pk}/analytics").status_code == api
    assert client.get(f"/admin/scenarios/scenario/{many.pk}/analytics/").status_code in {page, 403 if page == 404 else page}
