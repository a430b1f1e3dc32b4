"""Whatever small graph an author draws and whatever people do: a step never raises, ends in a legal status, and its state is JSON."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.scenarios.block import Scope
from apps.scenarios.engine import lint
from apps.scenarios.engine.contract import Act, Cancelled, Entered, Fired, Json, Pressed, Resumed, Returned, Said, Start, Step
from apps.scenarios.engine.definition import Section
from apps.scenarios.engine.flow import DefinitionError, compile_definition
from apps.scenarios.registry import blocks
from tests.scenarios.engine.driving import ACTIONS, once

IDS = [f"n{index}" for index in range(6)]
SECTIONS = ["main", "sub"]
TEXTS = st.sampled_from(
    [
        "Hi",
        "{{ a }}",
        "{{ a | divided_by: b }}",
        "{{ order.items.0 }}",
        "{% for i in (1..3) %}{{ i }}{% endfor %}",
        "",
        "{{ error.message }}",
        "{{ now | date: '%d' }}",
    ]
)
VALUES = st.sampled_from([0, 1, "x", "{{ a }}", "{{ a | plus: 1 }}", "{{ answer }}", {"k": ["{{ a }}"]}, None, True])
NAMES = st.sampled_from(["a", "b", "answer", "order", "language", "error"])
PARAMS: dict[str, st.SearchStrategy[Json]] = {
    "start": st.just({}),
    "end": st.fixed_dictionaries({"outcome": st.sampled_from(["", "done"])}),
    "message": st.fixed_dictionaries(
        {"text": TEXTS},
        optional={
            "buttons": st.just([[{"id": "yes", "label": "Yes"}, {"id": "no", "label": "{{ a }}"}]]),
            "timeout": st.just(60),
            "save_as": NAMES,
        },
    ),
    "input": st.fixed_dictionaries(
        {"text": TEXTS, "kind": st.sampled_from(["text", "number", "phone", "date", "location", "photo"])},
        optional={
            "validation": st.sampled_from(["value > 0", "value == a", "answer contains 'x'"]),
            "attempts": st.integers(0, 3),
            "save_as": NAMES,
            "reminders": st.just([{"after": 30, "text": "?"}]),
        },
    ),
    "router": st.fixed_dictionaries(
        {
            "branches": st.just(
                [{"id": "x", "when": {"variable": "a", "operator": "gt", "value": 0}}, {"id": "y", "when": {"expression": "a == 'x'"}}]
            )
        },
        optional={"mode": st.sampled_from(["first", "share"])},
    ),
    "set_variable": st.builds(lambda name, value: {"variables": [{"name": name, "value": value}]}, NAMES, VALUES),
    "delay": st.sampled_from([{"amount": 1}, {"amount": 0}, {"until": "{{ a }}"}, {"until": "tomorrow"}]),
    "emit_event": st.just({"name": "x", "data": {"a": "{{ a }}"}}),
    "respond": st.just({"data": "{{ a }}"}),
    "action": st.just({"action": "call_system", "params": {"body": "{{ a }}"}}),
    "operator": st.just({"stay": True}),
    "exit": st.builds(
        lambda mode, section, output: {"mode": mode, "section": section, "output": output, "inputs": {"a": "{{ b }}"}},
        st.sampled_from(["go", "call", "return"]),
        st.sampled_from(SECTIONS),
        st.sampled_from(["x", None]),
    ),
    "entry": st.just({"alias": "in"}),
}
# Talking kinds come up more often, so that most graphs get somewhere and wait.
KINDS = [*PARAMS, "message", "message", "input", "input", "input", "delay", "action", "exit"]


@st.composite
def nodes_of(draw: st.DrawFn, section: str) -> list[Json]:
    names = [f"{section}-{name}" for name in IDS[: draw(st.integers(2, len(IDS)))]]
    nodes = []
    for name in names:
        kind = draw(st.sampled_from([kind for kind in KINDS if kind != "entry" or (section == "sub" and name == names[0])]))
        params = draw(PARAMS[kind])
        scope = Scope(actions=ACTIONS, sections={"sub": Section(id="sub", outputs=("x",))})
        drawn = [
            spec.name
            for spec in blocks[kind].exits(blocks[kind].Params.model_validate(params), scope)
            if spec.to is None and spec.returns is None
        ]
        targets = {taken: draw(st.sampled_from([*names, *names, None])) for taken in drawn}
        nodes.append({"id": name, "kind": kind, "params": params, "exits": {taken: target for taken, target in targets.items() if target}})
    return nodes


@st.composite
def graphs(draw: st.DrawFn) -> Json:
    params: dict[str, list[Json]] = {"main": [], "sub": [{"name": "a"}]}
    sections = [{"id": name, "nodes": draw(nodes_of(name)), "params": params[name], "outputs": ["x"]} for name in SECTIONS]
    policies = {"two_messages": draw(st.sampled_from(["queue", "collect"])), "old_buttons": {"accept_if_open": draw(st.booleans())}}
    return {
        "schema_version": 1,
        "sections": sections,
        "policies": policies,
        "error_section": draw(st.sampled_from([None, "sub"])),
        "languages": ["en", "ru"],
    }


def deeds(wait: Json) -> list[Entered]:
    """What can happen to a session: what it waits for, and what it does not."""
    visit, node = int(wait.get("visit", 1)), str(wait.get("node", ""))
    return [
        Said("5"), Said("yes"), Said("x" * 5_000), Said(kind="photo", media=({"kind": "image"},)), Said(kind="location", location={"latitude": 1.0, "longitude": 2.0}),
        Pressed(node, visit, "yes"), Pressed(node, visit, "no"), Pressed(node, visit - 1, "yes"), Pressed("main-n0", 1, "nope"),
        Fired(visit, "timeout"), Fired(visit, "delay"), Fired(visit, "reminder"), Fired(visit, "collect"), Fired(visit - 1, "timeout"),
        Returned(visit, "ok", {"a": 2}), Returned(visit, "connected"), Returned(visit, "error", {}, "No answer."), Returned(visit, "what"),
        Resumed(), Cancelled(), Start(params={"a": -1}),
    ]  # fmt: skip


def check_legal(outcome: Step) -> None:
    json.dumps(outcome.state, allow_nan=False)
    assert (outcome.status == "failed") == (outcome.failure is not None)
    assert (outcome.state is None) == (outcome.status in {"ended", "failed"})
    if outcome.status in {"waiting", "calling"}:
        assert outcome.state is not None
        assert outcome.state["wait"]["visit"] <= outcome.state["visit"]
        assert (outcome.state["wait"]["kind"] == "action") == (outcome.status == "calling")
    if not outcome.handled:
        assert outcome.effects == ()
    for effect in outcome.effects:
        assert not isinstance(effect, Act) or effect.visit > 0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs(), choices=st.lists(st.integers(0, 20), min_size=3, max_size=12), entry=st.sampled_from([None, "in"]), a=VALUES)
def test_no_graph_makes_a_step_raise(graph: Json, choices: list[int], entry: str | None, a: Any) -> None:
    problems = lint.check(graph, blocks=blocks, actions=ACTIONS)
    try:
        flow = compile_definition(graph, blocks=blocks, actions=ACTIONS)
    except DefinitionError as error:
        assert set(error.problems) <= set(problems)  # noqa: PT017  either it runs, or the check has told why not
        return
    state: Json | None = None
    entered: Entered = Start(entry=entry if entry in flow.aliases else None, params={"a": a})
    for number, choice in enumerate([-1, *choices]):
        if choice >= 0:
            entered = deeds((state or {}).get("wait") or {})[choice]
        outcome = once(flow, state, entered, seed=number)
        check_legal(outcome)
        state = outcome.state if outcome.handled else state
    endless = any(problem.code == "circle" for problem in problems)
    if not endless:
        assert not (outcome.failure and outcome.failure.code == "endless"), problems


@settings(max_examples=200, deadline=None)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["schema_version", "sections", "nodes", "id", "kind", "params", "exits", "text", "policies", "triggers", "languages"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=30,
    )
)
def test_no_json_makes_the_check_raise(data: Any) -> None:
    for problem in lint.check(data, blocks=blocks, actions=ACTIONS):
        assert problem.message
