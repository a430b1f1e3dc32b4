"""The exit point: go, call and come back, return."""

from apps.scenarios.engine.contract import Said
from tests.scenarios.blocks.cases import Case
from tests.scenarios.engine.driving import Talk, flow_of, node, section

PAY = section(
    "pay",
    node(
        "ask",
        "router",
        {"branches": [{"id": "paid", "when": {"variable": "amount", "operator": "gt", "value": 0}}]},
        paid="yes",
        **{"else": "no"},
    ),
    node("yes", "exit", {"mode": "return", "output": "paid", "values": {"receipt": "R-{{ amount }}"}}),
    node("no", "exit", {"mode": "return"}),
    params=[{"name": "amount", "type": "number", "required": True}],
    outputs=["paid"],
)
CALL = {"mode": "call", "section": "pay", "inputs": {"amount": "{{ price }}"}}
CASES = [
    Case("comes back by the output", CALL, given={"price": 5}, sections=(PAY,), takes="paid", sets={"receipt": "R-5"}),
    Case("comes back without an output", CALL, given={"price": 0}, sections=(PAY,), takes="next"),
    Case(
        "an output that is not connected goes on by next",
        CALL,
        given={"price": 5},
        sections=(PAY,),
        open_exits=frozenset({"paid"}),
        takes="next",
    ),
    Case(
        "goes to a section for good",
        {"mode": "go", "section": "bye"},
        sections=(section("bye", node("b", "message", {"text": "Bye"})),),
        says=("Bye",),
        status="ended",
    ),
    Case("a return without a caller ends with its output", {"mode": "return", "output": "done"}, takes="done"),
    Case("a required parameter that is missing fails", {"mode": "call", "section": "pay"}, sections=(PAY,), status="failed"),
    Case("a parameter of the wrong type fails", {**CALL, "inputs": {"amount": "many"}}, sections=(PAY,), status="failed"),
]


def test_parameters_of_a_called_section_do_not_leak_to_the_caller() -> None:
    flow = flow_of(
        node("set", "set_variable", {"variables": [{"name": "amount", "value": 7}]}, next="call"),
        node("call", "exit", {"mode": "call", "section": "pay", "inputs": {"amount": 3}}, next="after"),
        node("after", "message", {"text": "{{ amount }} {{ inside }} {{ note }}"}),
        sections=[
            section(
                "pay",
                node(
                    "s",
                    "set_variable",
                    {"variables": [{"name": "inside", "value": "{{ amount }}"}, {"name": "note", "value": "kept"}]},
                    next="r",
                ),
                node("r", "exit", {"mode": "return"}),
                params=[{"name": "amount"}, {"name": "extra", "default": "d"}],
            )
        ],
    )
    talk = Talk(flow).start()
    assert talk.said == ["7 3 kept"]


def test_a_question_in_a_called_section_waits_and_comes_back() -> None:
    flow = flow_of(
        node("call", "exit", {"mode": "call", "entry": "ask/name"}, next="after"),
        node("after", "message", {"text": "Hello {{ name }}"}),
        sections=[
            section("sub", node("in", "entry", {"alias": "ask/name"}, next="q"), node("q", "input", {"text": "Name?", "save_as": "name"}))
        ],
    )
    talk = Talk(flow).start()
    talk.tell(Said("Olga"))
    assert talk.said == ["Name?", "Hello Olga"]
    assert talk.last.status == "ended"


def test_a_section_that_calls_itself_without_end_is_stopped_by_name() -> None:
    flow = flow_of(node("again", "exit", {"mode": "call", "section": "main"}, next="end"), node("end", "end"))
    talk = Talk(flow).start()
    assert talk.last.status == "failed"
    assert talk.last.failure is not None
    assert (talk.last.failure.code, talk.last.failure.node) == ("depth", "again")


def test_the_visit_of_the_calling_block_stays_its_own_in_the_trace() -> None:
    flow = flow_of(
        node("call", "exit", {"mode": "call", "section": "sub"}, next="end"),
        node("end", "end"),
        sections=[section("sub", node("m", "message", {"text": "In"}))],
    )
    talk = Talk(flow).start()
    assert [(event.node, event.visit, event.exit) for event in talk.last.events if event.kind == "left"] == [
        ("call", 1, "call"),
        ("m", 2, "next"),
        ("call", 1, "next"),
    ]


def test_who_goes_for_good_takes_along_what_is_set_already() -> None:
    far = section("far", node("say", "message", {"text": "{{ amount }}"}), params=[{"name": "amount", "type": "number", "required": True}])
    flow = flow_of(
        node("set", "set_variable", {"variables": [{"name": "amount", "value": 7}]}, next="go"),
        node("go", "exit", {"mode": "go", "section": "far"}),
        sections=[far],
    )
    assert Talk(flow).start().said == ["7"]
