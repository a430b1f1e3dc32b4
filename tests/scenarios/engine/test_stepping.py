"""Starts, failures, guards, languages and odd states: what a step does whatever it meets."""

from datetime import UTC, datetime
from typing import Any

import pytest

from apps.scenarios.block import Block, Ignored, Outcome
from apps.scenarios.engine.context import Context
from apps.scenarios.engine.contract import Cancelled, Fired, Json, Pressed, Resumed, Returned, Said, Start
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.engine.params import ParamsModel
from apps.scenarios.registry import blocks
from tests.scenarios.engine.driving import Talk, definition, fire, flow_of, give_back, node, once, press, section

BROKEN = {"text": "{{ user_name | divided_by: 0 }}"}
PLACE = "Script error at node “Count”: "


class Exploding(Block[ParamsModel]):
    kind = "exploding"
    label = "Boom"
    Params = ParamsModel

    def enter(self, ctx: Context, params: ParamsModel) -> Outcome:
        raise KeyError("secret of Anna")


def with_exploding(*nodes: Json, **more: Any) -> Talk:
    return Talk(compile_definition(definition(*nodes, **more), blocks={**blocks, "exploding": Exploding()}, actions={}))


def failure(talk: Talk) -> tuple[str, str, str]:
    found = talk.last.failure
    assert found is not None
    assert talk.last.status == "failed"
    assert talk.last.state is None
    return found.code, found.node, found.message


# --- starts -----------------------------------------------------------------------------------------------------------


def test_a_scenario_begins_at_its_start_block_wherever_that_is() -> None:
    flow = flow_of(
        node("m", "message", {"text": "Not here"}),
        sections=[section("other", node("x", "end"), node("s", "start", next="hello"), node("hello", "message", {"text": "Hello"}))],
    )
    assert Talk(flow).start().said == ["Hello"]


def test_a_section_can_be_started_by_itself() -> None:
    flow = flow_of(
        node("s", "start", next="e"),
        node("e", "end"),
        sections=[section("macro", node("m", "message", {"text": "{{ order_id }}"}), macro=True)],
    )
    assert Talk(flow).start(section="macro", params={"order_id": 5}).said == ["5"]


def test_parameters_become_variables_with_declared_types_and_defaults() -> None:
    params = [
        {"name": "amount", "type": "number", "required": True},
        {"name": "paid", "type": "boolean", "default": False},
        {"name": "day", "type": "date"},
        {"name": "name", "type": "text"},
        {"name": "tags", "type": "list", "default": []},
    ]
    flow = flow_of(node("q", "input", {"text": "?"}), params=params)
    given = {"amount": "3 500", "paid": "yes", "day": "31.05.2026", "name": 5, "other": {"free": 1}}
    talk = Talk(flow).start(params=given, user_input="hi")
    expected = {"amount": 3500, "paid": True, "day": "2026-05-31", "name": "5", "other": {"free": 1}, "tags": [], "user_input": "hi"}
    assert talk.variables == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "The section “Main” needs the parameter “amount”. Give it a value."),
        ({"amount": "many"}, "The parameter “amount” of the section “Main” must be of the type number."),
    ],
)
def test_parameters_that_do_not_fit_fail_the_start(given: Json, message: str) -> None:
    data = definition(node("e", "end"), params=[{"name": "amount", "type": "number", "required": True}])
    data["sections"][0]["name"] = "Main"
    talk = Talk(compile_definition(data, blocks=blocks)).start(params=given)
    assert failure(talk) == ("param", "", f"Script error at node “main”: {message}")


def test_an_empty_section_fails_the_start() -> None:
    code, _node, message = failure(Talk(flow_of()).start())
    assert (code, message) == (
        "unknown_target",
        "Script error at node “main”: the section or entry “main” does not exist or has no blocks.",
    )


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_failure_names_its_node_by_title() -> None:
    talk = Talk(flow_of({**node("n1", "message", BROKEN), "title": "Count"})).start()
    assert failure(talk) == (
        "template",
        "n1",
        f"{PLACE}The placeholder at “divided_by” does not fit its value. Check the filter and its arguments.",
    )


def test_a_block_that_raises_fails_its_node_and_tells_no_values() -> None:
    talk = with_exploding({**node("n1", "exploding"), "title": "Count"}).start()
    code, node_id, message = failure(talk)
    assert (code, node_id) == ("unexpected", "n1")
    assert message.startswith(f"{PLACE}an unexpected KeyError in test_stepping.py:")
    assert "Anna" not in repr(talk.last)


def test_the_error_section_runs_with_the_error_in_words() -> None:
    flow = flow_of(
        {**node("n1", "message", BROKEN), "title": "Count"},
        sections=[
            section(
                "oops",
                node("o", "message", {"text": "Sorry. {{ error.title }}: {{ error.code }}"}, next="q"),
                node("q", "input", {"text": "?"}),
            )
        ],
        error_section="oops",
    )
    talk = Talk(flow).start()
    assert talk.said == ["Sorry. Count: template", "?"]
    assert (talk.last.status, talk.last.failure) == ("waiting", None)
    assert talk.variables["error"]["node"] == "n1"
    assert talk.tell(Said("ok")).last.status == "ended"


def test_a_failure_inside_the_error_section_fails_the_step() -> None:
    flow = flow_of(node("a", "message", BROKEN), sections=[section("oops", node("o", "message", BROKEN))], error_section="oops")
    assert failure(Talk(flow).start())[:2] == ("template", "o")


def test_a_failure_later_in_the_error_section_fails_too() -> None:
    flow = flow_of(
        node("a", "message", BROKEN),
        sections=[section("oops", node("q", "input", {"text": "?"}, ok="o"), node("o", "message", BROKEN))],
        error_section="oops",
    )
    assert failure(Talk(flow).start().tell(Said("x")))[:2] == ("template", "o")


def test_the_error_section_may_lead_back_and_run_again_later() -> None:
    flow = flow_of(
        node("start", "start", next="menu"),
        node("menu", "input", {"text": "Menu"}, ok="broken"),
        node("broken", "message", BROKEN),
        sections=[section("oops", node("o", "message", {"text": "Sorry"}, next="back"), node("back", "exit", {"section": "main"}))],
        error_section="oops",
    )
    talk = Talk(flow).start().tell(Said("a")).tell(Said("b"))
    assert talk.said == ["Menu", "Sorry", "Menu", "Sorry", "Menu"]
    assert talk.last.status == "waiting"


def test_a_block_that_ignores_its_own_turn_fails() -> None:
    class Deaf(Exploding):
        kind = "deaf"

        def enter(self, ctx: Context, params: ParamsModel) -> Outcome:
            return Ignored()

    flow = compile_definition(definition(node("n1", "deaf")), blocks={**blocks, "deaf": Deaf()})
    assert failure(Talk(flow).start())[:2] == ("unexpected", "n1")


def test_what_was_said_before_a_failure_is_kept() -> None:
    flow = flow_of(node("a", "message", {"text": "First"}, next="b"), node("b", "message", BROKEN))
    assert Talk(flow).start().said == ["First"]


def test_texts_for_failures_and_old_buttons_follow_the_language() -> None:
    flow = flow_of(node("a", "end"), languages=["en", "ru"], policies={"old_buttons": {"text": {"en": "Closed", "ru": "Закрыто"}}})
    assert flow.old_button_text("ru-RU") == "Закрыто"
    assert flow.old_button_text("de") == "Closed"
    assert flow.error_text("ru").startswith("Что-то пошло не так")


# --- guards -----------------------------------------------------------------------------------------------------------


def test_a_circle_is_stopped_and_its_nodes_are_named() -> None:
    flow = flow_of(
        {**node("a", "set_variable", {"variables": [{"name": "n", "value": "{{ n | plus: 1 }}"}]}, next="b"), "title": "Count"},
        {**node("b", "router", {"branches": [{"id": "again"}]}, again="a"), "title": "Again"},
    )
    talk = Talk(flow).start()
    assert failure(talk) == (
        "endless",
        "a",
        f"{PLACE}Stopped after 250 blocks in one step: “Count” → “Again” → “Count” run in a circle. Add a question, buttons or a delay between them.",
    )


def test_a_session_cannot_go_on_for_ever() -> None:
    flow = flow_of(node("a", "input", {"text": "?"}, ok="a"))
    talk = Talk(flow).start()
    talk.state["nodes"] = 20_000
    assert failure(talk.tell(Said("x")))[0] == "session_limit"


def test_a_step_cannot_flood_the_chat() -> None:
    nodes = [node(f"m{index}", "message", {"text": "x"}, next=f"m{index + 1}") for index in range(60)]
    code, node_id, _message = failure(Talk(flow_of(*nodes, node("m60", "end"))).start())
    assert (code, node_id) == ("messages", "m50")


def test_variables_from_outside_are_limited_too() -> None:
    flow = flow_of(node("a", "action", {"action": "call_system"}, ok="b"), node("b", "end"))
    assert failure(Talk(flow).start().tell(give_back("ok", body="x" * 70_000)))[:2] == ("variables", "a")
    assert failure(Talk(flow).start(params={"x": "y" * 70_000}))[0] == "variables"


def test_nul_and_lone_surrogates_never_reach_the_state() -> None:
    flow = flow_of(node("q", "input", {"text": "?"}, ok="m"), node("m", "message", {"text": "{{ answer }}{{ '%00' | url_decode }}"}))
    talk = Talk(flow).start(params={"a\x00b": "x\x00\ud800"}).tell(Said("hi\x00\udfff"))
    assert talk.said[-1] == "hi?"
    assert talk.steps[0].state is not None
    assert talk.steps[0].state["vars"] == {"ab": "x?", "user_input": ""}


# --- inputs that do not concern the session ---------------------------------------------------------------------------


@pytest.mark.parametrize("entered", [Said("x"), Pressed("q", 1, "a"), Fired(1, "timeout"), Returned(1, "ok"), Resumed(), Cancelled()])
def test_without_a_session_only_a_start_is_handled(entered: Any) -> None:
    flow = flow_of(node("q", "input", {"text": "?"}))
    outcome = once(flow, None, entered)
    assert (outcome.handled, outcome.status, outcome.state, outcome.effects) == (False, "ended", None, ())


@pytest.mark.parametrize("entered", [Pressed("q", 1, "a"), Fired(1, "timeout"), Fired(9, "delay"), Returned(1, "ok")])
def test_what_is_not_awaited_changes_nothing(entered: Any) -> None:
    talk = Talk(flow_of(node("q", "input", {"text": "?"}))).start()
    before = talk.state
    talk.tell(entered)
    assert talk.last.handled is False
    assert talk.last.state == before
    assert talk.last.effects == ()
    assert [event.kind for event in talk.last.events] == ["ignored"]


def test_the_given_state_is_never_changed() -> None:
    flow = flow_of(node("q", "input", {"text": "?", "attempts": 0}, ok="end"), node("end", "end"))
    talk = Talk(flow).start(params={"order": {"items": [1]}})
    before = repr(talk.state)
    state = talk.state
    once(flow, state, Said("x"))
    assert repr(state) == before


def test_cancelling_without_an_exit_ends_the_session() -> None:
    talk = Talk(flow_of(node("q", "input", {"text": "?"}))).start().tell(Cancelled(reason="stop"))
    assert (talk.last.status, talk.last.outcome, talk.last.handled) == ("ended", "cancelled", True)


def test_a_node_that_a_newer_version_lost_fails_clearly() -> None:
    old = Talk(flow_of(node("q", "input", {"text": "?"}))).start()
    new = Talk(flow_of(node("other", "end")), steps=list(old.steps))
    code, _node, message = failure(new.tell(Said("x")))
    assert code == "gone"
    assert "no longer exists" in message


@pytest.mark.parametrize(
    "state",
    [
        {"stack": "x", "vars": []},
        {"stack": [{}], "vars": {}, "wait": {"node": "gone"}},
        {"stack": [{"section": "main", "node": "q"}], "wait": {"node": "q"}},
    ],
)
def test_a_state_that_makes_no_sense_fails_and_does_not_raise(state: Any) -> None:
    outcome = once(flow_of(node("q", "input", {"text": "?"})), state, Said("x"))
    assert outcome.status == "failed"


def test_a_naive_clock_is_taken_as_utc() -> None:
    flow = flow_of(node("d", "delay", {"amount": 1}))
    outcome = once(flow, None, Start(), now=datetime(2026, 5, 20, 12))  # noqa: DTZ001
    assert outcome.effects[0].due_at == datetime(2026, 5, 20, 12, 1, tzinfo=UTC)  # type: ignore[union-attr]


# --- the trace --------------------------------------------------------------------------------------------------------


def test_the_trace_tells_the_way_in_order() -> None:
    flow = flow_of(
        node("s", "set_variable", {"variables": [{"name": "a", "value": 1}]}, next="m"),
        node("m", "message", {"text": "?", "buttons": [[{"id": "y", "label": "Yes"}]]}, y="e"),
        node("e", "end", {"outcome": "done"}),
    )
    talk = Talk(flow).start().tell(press("y", label="Yes"))
    assert [(event.kind, event.node, event.visit, event.exit) for one in talk.steps for event in one.events] == [
        ("set", "", 0, ""),
        ("entered", "s", 1, ""),
        ("set", "s", 1, ""),
        ("left", "s", 1, "next"),
        ("entered", "m", 2, ""),
        ("said", "m", 2, ""),
        ("asked", "m", 2, ""),
        ("set", "m", 2, ""),
        ("left", "m", 2, "y"),
        ("entered", "e", 3, ""),
        ("ended", "e", 3, ""),
    ]


def test_large_values_are_cut_in_the_trace() -> None:
    talk = Talk(flow_of(node("e", "end"))).start(params={"text": "x" * 9_000, "items": ["y" * 3_000]})
    assert all(len(str(details["value"])) <= 2_001 for details in talk.happened("set"))


def test_a_timer_of_the_open_question_counts_once() -> None:
    flow = flow_of(node("q", "input", {"text": "?", "timeout": 60}, timeout="e"), node("e", "input", {"text": "Late?"}))
    talk = Talk(flow).start()
    late = fire("timeout")(talk.wait)
    assert talk.tell(late).path == ["q", "e"]
    assert talk.tell(late).last.handled is False


def test_a_reply_keyboard_is_taken_away_by_the_next_message_and_not_by_its_own_reminder() -> None:
    asked = {
        "text": "Phone?",
        "kind": "phone",
        "share_label": "Share",
        "timeout": "1 hour",
        "reminders": [{"after": "10 minutes", "text": "Still there?"}],
    }
    flow = flow_of(
        node("start", "start", next="ask"),
        node("ask", "input", asked, ok="thanks", timeout="thanks"),
        node("thanks", "message", {"text": "Thank you."}, next="more"),
        node("more", "message", {"text": "Bye."}),
    )
    talk = Talk(flow).start().tell(fire("reminder")).tell(Said("+998901234567"))
    assert [(content["text"], content.get("keyboard")) for content in talk.contents] == [
        ("Phone?", "reply"),
        ("Still there?", "reply"),
        ("Thank you.", "remove"),
        ("Bye.", None),
    ]
