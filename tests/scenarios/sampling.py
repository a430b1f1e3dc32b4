"""A month of made-up visits of every fate, and the figures of them the slow way, from the rows themselves."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.conversations.models import Conversation, Lane
from apps.identity.models import Lead
from apps.scenarios import publishing
from apps.scenarios.analytics import Figures, Window
from apps.scenarios.models import Scenario, ScenarioVersion, Session, SessionStep
from tests.making import make_bot, make_channel, make_lead
from tests.scenarios.definitions import thank_you
from tests.scenarios.making import make_scenario

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def make_many() -> Scenario:
    """Two versions, people of three languages, a month of visits of every fate."""
    chance = random.Random(11)  # noqa: S311  a repeatable sample
    channel = make_channel(make_bot(name="Shop"))
    scenario = make_scenario(channel.bot, thank_you(), key="thank-you")
    scenario.draft = {**scenario.draft, "sections": [{**scenario.draft["sections"][0], "nodes": _other_way(scenario.draft)}]}
    scenario.save()
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


def _other_way(draft: dict[str, Any]) -> list[dict[str, Any]]:
    """The second version says good-bye also to those who confirm."""
    nodes: list[dict[str, Any]] = draft["sections"][0]["nodes"]
    return [{**node, "exits": {**node["exits"], "confirm": "bye"}} if node["id"] == "thanks" else node for node in nodes]


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
        if within(step, window):
            for place in {(step.node, None), (step.node, step.exit or None)}:
                groups.setdefault(place, []).append(step)
    return {place: _figures(steps) for place, steps in groups.items()}


def within(step: SessionStep, window: Window) -> bool:
    return (
        (window.since is None or step.at >= window.since)
        and (window.until is None or step.at < window.until)
        and (window.version is None or step.session.version.number == window.version)
        and (window.language is None or step.session.person.language == window.language)
    )


def _figures(steps: list[SessionStep]) -> Figures:
    fates = [fate(step) for step in steps]
    times = sorted(seconds for step in steps for seconds in _seconds(step))
    return Figures(
        visits=len(steps), people=len({step.session.person_id for step in steps}), left=fates.count("left"), ended=fates.count("ended"),
        waiting=fates.count("waiting"), dropped=fates.count("dropped"), errors=sum(any(event["kind"] == "error" for event in step.events) for step in steps),
        median_seconds=_percentile(times, 0.5), p95_seconds=_percentile(times, 0.95),
    )  # fmt: skip


def fate(step: SessionStep) -> str:
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


def recount_ways(scenario: Scenario, window: Window) -> dict[tuple[str, str | None], tuple[tuple[str, int], ...]]:
    """The slow way: from the definition of the version of each visit."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for step in (
        SessionStep.objects.filter(session__scenario=scenario).exclude(exit="").select_related("session__version", "session__person")
    ):
        if not within(step, window):
            continue
        nodes = [node for section in step.session.version.definition["sections"] for node in section["nodes"] if node["id"] == step.node]
        target = nodes[0]["exits"].get(step.exit, "") if nodes else ""
        of_exit = counts.setdefault((step.node, step.exit), {})
        of_exit[target] = of_exit.get(target, 0) + 1
    return {place: tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))) for place, found in counts.items()}
