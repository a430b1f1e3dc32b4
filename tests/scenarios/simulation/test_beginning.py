"""A simulated chat begins by what a person writes, as the product begins it: words, openings, any message; also once it is over."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.registry import actions_for, blocks
from apps.scenarios.simulation.asking import Press, Say, Someone, State
from apps.scenarios.simulation.telling import said_in
from apps.scenarios.simulation.turning import Sandbox, Turn, play
from apps.scenarios.simulation.world import facts_of
from tests.making import make_bot
from tests.scenarios.definitions import Json, definition, node

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
Hear = Callable[..., Turn]


def keyword(*words: str, **more: Any) -> Json:
    return {"kind": "keyword", "words": list(words), **more}


def shop(*triggers: Json, **policies: Any) -> Json:
    return definition(
        node("start", "start", next="hello"),
        node("hello", "message", {"text": "Hello, “{{ user_input }}”."}, next="ask"),
        node("ask", "input", {"text": "How many?", "kind": "number", "save_as": "count"}, ok="bye"),
        node("menu", "entry", {"alias": "menu"}, next="shown"),
        node("shown", "message", {"text": "The menu."}, next="end"),
        node("bye", "message", {"text": "Bye."}, next="end"),
        node("end", "end"),
        triggers=list(triggers),
        policies=policies,
    )


@pytest.fixture
def chat() -> Callable[..., Hear]:
    """Chats with a definition: what is written one after the other."""

    def begin(data: Json, *, language: str | None = None) -> Hear:
        bot, states = make_bot(), [State(now=NOON)]
        flow = compile_definition(data, blocks=blocks, actions=actions_for(bot.pk))
        sandbox = Sandbox(flow, facts_of(bot, Someone(language=language)), actions_for(bot.pk))

        def hear(text: str) -> Turn:
            turn = play(sandbox, states[-1], Say(kind="said", text=text))
            states.append(turn.state)
            return turn

        return hear

    return begin


def texts(turn: Turn) -> list[str]:
    return [content["text"] for content in said_in(turn)]


def test_a_word_begins_the_scenario_and_begins_it_again_once_it_is_over(chat: Callable[..., Hear]) -> None:
    hear = chat(shop(keyword("order"), keyword("menu", entry="menu")))
    first = hear("Order!")
    assert (texts(first), first.started_by) == (["Hello, “Order!”.", "How many?"], "keyword “order”")
    assert texts(hear("3")) == ["Bye."]
    again = hear("menu")
    assert (texts(again), again.status, again.started_by) == (["The menu."], "ended", "keyword “menu”")
    assert texts(hear("order")) == ["Hello, “order”.", "How many?"]


def test_what_no_trigger_takes_begins_nothing(chat: Callable[..., Hear]) -> None:
    hear = chat(shop(keyword("order")))
    turn = hear("good morning")
    assert (texts(turn), turn.handled, turn.started_by, turn.state.session) == ([], False, "", None)


def test_a_word_interrupts_an_open_question_unless_the_scenario_stays_behind(chat: Callable[..., Hear]) -> None:
    for arrival, said in (("interrupt", ["The menu."]), ("skip", [])):
        hear = chat(shop(keyword("order"), keyword("menu", entry="menu"), arrival=arrival))
        hear("order")
        turn = hear("menu")
        assert [text for text in texts(turn) if text == "The menu."] == said


def test_the_most_exact_word_wins_and_one_for_the_persons_language(chat: Callable[..., Hear]) -> None:
    triggers = (keyword("men", match="prefix"), keyword("menu", entry="menu"), keyword("menu", language="ru"))
    assert texts(chat(shop(*triggers))("menu")) == ["The menu."]
    assert texts(chat(shop(*triggers), language="ru")("menu"))[0] == "Hello, “menu”."
    assert chat(shop(*triggers))("mental").started_by == "keyword “men”"


def test_openings_deep_links_and_any_message(chat: Callable[..., Hear]) -> None:
    links = ({"kind": "deep_link", "payload": "promo", "entry": "menu"}, {"kind": "new_chat"})
    assert chat(shop(*links))("/start promo").started_by == "deep link “promo”"
    hear = chat(shop(*links))
    assert hear("Hi").started_by == "new chat"
    hear("3")
    assert hear("Hi again").started_by == ""
    assert chat(shop({"kind": "any_message"}))("what you like").started_by == "any message"


def test_a_press_on_a_closed_question_gets_the_scenarios_answer() -> None:
    bot = make_bot()
    data = shop(old_buttons={"text": "Too late."})
    sandbox = Sandbox(compile_definition(data, blocks=blocks, actions=actions_for(bot.pk)), facts_of(bot, Someone()), actions_for(bot.pk))
    turn = play(sandbox, State(now=NOON), Press(kind="pressed", button="yes", node="hello", visit=1))
    assert (texts(turn), turn.handled) == (["Too late."], False)
