"""People inside a scenario when another version is published: stay, at the next wait, now; with removed, changed and called blocks."""

from typing import Any

import pytest

from apps.conversations import advancing
from apps.events.models import Event
from apps.identity.models import Lead
from apps.scenarios import definitions, publishing, triggers
from apps.scenarios.models import Scenario, ScenarioVersion, Session
from tests.making import make_channel, make_lead
from tests.scenarios.definitions import Json, button, definition, node
from tests.scenarios.making import make_scenario
from tests.scenarios.test_runtime import press, said, start, write

pytestmark = pytest.mark.django_db(transaction=True)


def asks(*ids: str, **texts: str) -> Json:
    """Questions one after the other, each with a button and a free answer; what follows the last one ends it."""
    nodes = [node("start", "start", next=ids[0])]
    for place, name in enumerate(ids):
        following = ids[place + 1] if place + 1 < len(ids) else "end"
        nodes.append(node(name, "message", {"text": texts.get(name, f"{name}?"), "buttons": [[button("go", "Go")]]}, go=following))
    return definition(*nodes, node("end", "end"))


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    return make_lead(make_channel(), chat_id="540278913", name="Anna")


def begun(lead: Lead, data: Json) -> Scenario:
    scenario = make_scenario(lead.channel.bot, data)
    start(lead, scenario)
    return scenario


def publish(scenario: Scenario, data: Json, **how: Any) -> ScenarioVersion:
    scenario.refresh_from_db()
    scenario.draft = data
    version = publishing.publish(scenario, **how)
    definitions.forget()
    advancing.drain()
    return version


def stands() -> tuple[int, str]:
    session = Session.objects.select_related("version").get()
    return session.version.number, session.node


def test_who_stays_finishes_on_the_old_version(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    publish(scenario, asks("a", "c"))
    press(lead, "Go")
    assert (stands(), said(lead)) == ((1, "b"), ["a?", "b?"])


def test_at_the_next_wait_the_open_question_is_answered_on_the_old_version_first(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b", "d"))
    publish(scenario, asks("a", "b", "c"), people="at_wait")
    assert stands() == (1, "a")
    press(lead, "Go")
    assert stands() == (2, "b")
    press(lead, "Go")
    assert (stands(), said(lead)) == ((2, "c"), ["a?", "b?", "c?"])


def test_a_block_that_is_gone_leads_to_its_heir_at_the_next_wait(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    publish(scenario, asks("a", "c"), people="at_wait", mapping={"b": "c"})
    press(lead, "Go")
    assert (stands(), said(lead)) == ((2, "c"), ["a?", "b?", "c?"])


def test_without_an_heir_they_stay(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    publish(scenario, asks("c"), people="now")
    assert stands() == (1, "a")
    assert Event.objects.get(kind="session.not_moved").details["node"] == "a"
    press(lead, "Go")
    assert (stands(), said(lead)) == ((1, "b"), ["a?", "b?"])


def test_moving_now_keeps_the_open_question_and_its_buttons(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    publish(scenario, asks("a", "c"), people="now")
    assert (stands(), said(lead)) == ((2, "a"), ["a?"])
    press(lead, "Go")
    assert (stands(), said(lead)) == ((2, "c"), ["a?", "c?"])
    assert Event.objects.get(kind="session.moved").details == {"from": scenario.versions.get(number=1).pk, "version": 2, "node": "a"}


def test_moving_now_asks_at_the_heir_of_a_removed_block_with_the_answers_so_far(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    session = Session.objects.get()
    session.state["vars"]["city"] = "Kyiv"
    session.save()
    publish(scenario, asks("c", c="Still in {{ city }}?"), people="now", mapping={"a": "c"})
    assert (stands(), said(lead)) == ((2, "c"), ["a?", "Still in Kyiv?"])


def test_a_question_of_another_kind_is_asked_anew(lead: Lead) -> None:
    scenario = begun(lead, asks("a"))
    question = definition(
        node("start", "start", next="a"), node("a", "input", {"text": "Say it", "kind": "text"}, ok="end"), node("end", "end")
    )
    publish(scenario, question, people="now")
    assert (stands(), said(lead)) == ((2, "a"), ["a?", "Say it"])
    write(lead, "well")
    assert Session.objects.get().status == "ended"


def test_old_buttons_of_a_removed_block_have_a_defined_answer(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    publish(scenario, asks("c"), people="now", mapping={"a": "c"})
    from apps.conversations.models import Message  # noqa: PLC0415  beside its one use

    old = Message.objects.filter(direction="out").order_by("seq").first()
    press(lead, "Go", message=old)
    assert (stands(), said(lead)) == ((2, "c"), ["a?", "c?", "This question is already closed."])


def test_who_called_a_section_comes_back_to_the_new_version(lead: Lead) -> None:
    def calls(text: str) -> Json:
        main = [
            node("start", "start", next="call"), node("call", "exit", {"mode": "call", "section": "inner"}, next="after"),
            node("after", "message", {"text": text}, next="end"), node("end", "end"),
        ]  # fmt: skip
        inner = [
            node("in", "message", {"text": "In?", "buttons": [[button("go", "Go")]]}, go="out"),
            node("out", "message", {"text": "Out."}),
        ]
        data = definition(*main)
        data["sections"].append({"id": "inner", "name": "Inner", "nodes": inner})
        return data

    scenario = begun(lead, calls("Old end."))
    publish(scenario, calls("New end."), people="now")
    press(lead, "Go")
    assert said(lead) == ["In?", "Out.", "New end."]


def test_many_people_all_move_and_none_fails(lead: Lead) -> None:
    leads = [lead, *(make_lead(lead.channel, chat_id=f"77{number}", name="Boris") for number in range(20))]
    scenario = make_scenario(lead.channel.bot, asks("a", "b"))
    for one in leads:
        start(one, scenario)
    publish(scenario, asks("a", "c"), people="now")
    found = Session.objects.values_list("version__number", "node", "status")
    assert set(found) == {(2, "a", "active")}
    assert found.count() == len(leads)


def test_the_page_counts_where_people_stand(lead: Lead) -> None:
    scenario = begun(lead, asks("a", "b"))
    scenario.refresh_from_db()
    scenario.draft = asks("b")
    assert [(row.node, row.people, row.removed) for row in publishing.standing(scenario)] == [("a", 1, True)]
