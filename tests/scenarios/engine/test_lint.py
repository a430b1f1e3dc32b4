"""The check before publishing."""

from typing import Any

import pytest

from apps.bots.adapter import Capabilities
from apps.scenarios.engine import lint, wording
from apps.scenarios.engine.contract import Json, Problem
from apps.scenarios.registry import blocks
from tests.scenarios.engine.driving import ACTIONS, definition, node, section

ASK = node("ask", "message", {"text": "Ready?", "buttons": [[{"id": "yes", "label": "Yes"}]]}, yes="end")
END = node("end", "end")


def check(*nodes: Json, capabilities: Any = None, known_names: Any = (), **more: Any) -> list[Problem]:
    return lint.check(definition(*nodes, **more), blocks=blocks, actions=ACTIONS, capabilities=capabilities, known_names=known_names)


def told(*nodes: Json, **more: Any) -> list[tuple[str, str, str, str]]:
    return [(problem.level, problem.code, problem.node, problem.field) for problem in check(*nodes, **more)]


def test_a_clean_scenario_has_no_problems() -> None:
    nodes = [
        node("in", "entry", {"alias": "order/thank-you"}, next="set"),
        node("set", "set_variable", {"variables": [{"name": "total", "value": "{{ amount | plus: fee }}"}]}, next="pay"),
        node("pay", "exit", {"mode": "call", "section": "sub", "inputs": {"sum": "{{ total }}"}}, paid="thanks", next="again"),
        node("again", "exit", {"mode": "call", "section": "sub", "inputs": {"sum": 1}}, next="ask"),
        node("thanks", "message", {"text": {"en": "Thanks, {{ user_name }}", "ru": "Спасибо"}}, next="ask"),
        node(
            "ask",
            "input",
            {"text": {"en": "Number?", "ru": "Номер?"}, "kind": "number", "validation": "value > 0"},
            ok="call",
            no_match="ask",
        ),
        node(
            "call",
            "action",
            {"action": "call_system", "params": {"url": "{{ instance_settings.crm_url }}/{{ answer }}", "save": {"status": "json.status"}}},
            ok="done",
        ),
        node("done", "message", {"text": "{{ status }} {{ city }} {{ constants.shop }}"}, next="end"),
        END,
    ]
    sub = section(
        "sub",
        node("s", "input", {"text": "✅ {{ sum }}"}, ok="r"),
        node("r", "exit", {"mode": "return", "output": "paid"}),
        params=[{"name": "sum"}],
        outputs=["paid"],
    )
    params = [{"name": "amount", "type": "number"}, {"name": "fee", "type": "number"}]
    assert (
        check(
            *nodes,
            sections=[sub],
            params=params,
            languages=["en", "ru"],
            known_names=["city", "constants.shop", "instance_settings.crm_url"],
        )
        == []
    )


def test_unreadable_definitions_are_problems_not_errors() -> None:
    wrong: tuple[Any, ...] = (None, [], {}, {"sections": [{"id": "a", "nodes": [{"id": 5}]}]}, {"schema_version": 9, "sections": []})
    for data in wrong:
        problems = lint.check(data, blocks=blocks, actions={})
        assert problems
        assert {problem.level for problem in problems} == {"error"}


def test_an_empty_scenario_is_an_error() -> None:
    assert told() == [("error", "empty", "", "")]


def test_missing_exits() -> None:
    assert told(node("s", "start")) == [("error", "missing_exit", "s", "exits.next")]
    assert told({**ASK, "exits": {}}) == [("error", "missing_exit", "ask", "exits.yes")]
    assert told(node("q", "input", {"text": "?", "timeout": 60}, ok="end"), END) == [("error", "missing_exit", "q", "exits.timeout")]
    message = check(
        node("r", "router", {"branches": [{"id": "a", "title": "Big order", "when": {"variable": "user_name"}}]}, **{"else": "end"}), END
    )[0].message
    assert message == "Block “r”: the exit “Big order” is not connected. Connect it to the next block."


def test_a_choice_whose_answers_all_lead_on_needs_no_common_exit() -> None:
    choices = [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]
    params = {"text": "?", "kind": "choice", "choices": choices}
    assert told(node("q", "input", params, a="end", b="end"), END) == []
    assert told(node("q", "input", params, a="end"), END) == [("error", "missing_exit", "q", "exits.ok")]


def test_stale_exits() -> None:
    assert told({**ASK, "exits": {"yes": "end", "no": "end"}}, END) == [("warning", "stale_exit", "ask", "exits.no")]


def test_unreachable_blocks_and_sections() -> None:
    assert told(
        ASK, END, node("lost", "end"), sections=[section("far", node("x", "end")), section("macro", node("y", "end"), macro=True)]
    ) == [
        ("warning", "unreachable", "lost", ""),
        ("warning", "unreachable", "", ""),
    ]
    assert told(ASK, END, sections=[section("api", node("x", "entry", {"alias": "a"}, next="y"), node("y", "end"))]) == []
    assert told(ASK, END, sections=[section("oops", node("x", "end"))], error_section="oops") == []


def test_unknown_names_with_advice() -> None:
    problems = check(
        node("m", "message", {"text": "{{ usr }} {{ amout }} {{ user_anything }} {{ constants.shp }} {{ usr }}"}),
        params=[{"name": "amount"}],
        known_names=["constants.shop"],
    )
    assert [(problem.code, problem.field) for problem in problems] == [("unknown_name", "params.text")] * 3
    assert [problem.message for problem in problems] == [
        "Block “m”: Nothing sets “usr”. Set it in a block before, or declare it as a parameter of the section.",
        "Block “m”: Nothing sets “amout”. Did you mean “amount”?",
        "Block “m”: Nothing sets “constants.shp”. Did you mean “constants.shop”?",
    ]


def test_names_in_conditions_values_and_addresses_are_looked_at() -> None:
    nodes = [
        node(
            "r",
            "router",
            {"branches": [{"id": "a", "when": {"all": [{"variable": "nope.x", "value": "{{ nope2 }}"}, {"expression": "nope3 > 1"}]}}]},
            a="s",
            **{"else": "s"},
        ),
        node("s", "set_variable", {"variables": [{"name": "ok", "value": {"deep": ["{{ nope4 }}"]}}]}, next="c"),
        node("c", "action", {"action": "call_system", "params": {"body": {"a": "{{ nope5 }}"}}}, ok="end"),
        END,
    ]
    assert [field for _level, code, _node, field in told(*nodes) if code == "unknown_name"] == [
        "params.branches.0.when.all.0.variable",
        "params.branches.0.when.all.0.value",
        "params.branches.0.when.all.1.expression",
        "params.variables.0.value.deep.0",
        "params.params.body.a",
    ]


def test_actions_that_set_whatever_the_run_brings_silence_unknown_names() -> None:
    nodes = [
        node("a", "action", {"action": "call_system", "params": {"save": {"*": ""}}}, ok="m"),
        node("m", "message", {"text": "{{ anything }}"}),
    ]
    assert told(*nodes) == []


def test_unknown_actions_and_their_parameters() -> None:
    assert told(node("a", "action", {"action": "nope"})) == [("error", "unknown_action", "a", "params.action")]
    params = {"action": "call_system", "params": {"url": 5}}
    assert told(node("a", "action", params, ok="end"), END) == [("error", "action_params", "a", "params.params.url")]
    late = {"action": "call_system", "params": {"url": "https://{{ user_name }}.example.com"}}
    assert told(node("a", "action", late, ok="end"), END) == []


def test_an_address_that_a_variable_decides_is_told() -> None:
    bad = {"action": "call_system", "params": {"url": "{{ user_input }}/orders"}}
    assert told(node("a", "action", bad, ok="end"), END) == [("warning", "open_address", "a", "params.params.url")]
    good = {"action": "call_system", "params": {"url": "{{ instance_settings.crm_url }}/orders", "body": "{{ user_input }}"}}
    assert told(node("a", "action", good, ok="end"), END) == []


# --- calls of sections ------------------------------------------------------------------------------------------------

PARAMS = [{"name": "amount", "type": "number", "required": True}, {"name": "note", "type": "text"}]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"amount": 5}, None), ({"amount": "{{ user_name }}"}, None), ({"amount": "12,50", "note": ""}, None),
        ({}, ("error", "missing_input", "params.inputs")), ({"amount": ""}, ("error", "missing_input", "params.inputs")),
        ({"amount": "many"}, ("error", "wrong_input", "params.inputs.amount")),
        ({"amount": 5, "amuont": 6}, ("warning", "unknown_input", "params.inputs.amuont")),
    ],
)  # fmt: skip
def test_values_of_a_call_are_held_against_the_section_s_parameters(inputs: Json, code: Any) -> None:
    sub = section("sub", node("r", "exit", {"mode": "return"}), params=PARAMS)
    call = node("c", "exit", {"mode": "call", "section": "sub", "inputs": inputs}, next="end")
    found = [(level, code, field) for level, code, node_id, field in told(call, END, sections=[sub]) if node_id == "c"]
    assert found == ([code] if code else [])


def test_who_goes_for_good_may_have_set_the_parameter_before() -> None:
    sub = section("sub", node("e", "end"), params=PARAMS)
    assert told(node("g", "exit", {"mode": "go", "section": "sub"}), sections=[sub]) == []


def test_an_output_or_a_default_that_is_not_as_declared() -> None:
    call = node("c", "exit", {"mode": "call", "section": "sub"}, paid="end", next="end")
    sub = section("sub", node("r", "exit", {"mode": "return", "output": "payd"}), outputs=["paid"])
    assert told(call, END, sections=[sub]) == [("warning", "unknown_output", "r", "params.output")]
    late = section("sub", node("r", "exit", {"mode": "return"}), params=[{"name": "n", "type": "number", "default": "many"}])
    assert told(node("c", "exit", {"mode": "call", "section": "sub"}, next="end"), END, sections=[late]) == [
        ("error", "wrong_default", "", "params")
    ]


def test_a_form_of_a_newer_product_is_told_as_such() -> None:
    found = lint.check({"schema_version": 9, "sections": [section("main", END)]}, blocks=blocks, actions={})
    assert [(problem.code, problem.field, problem.message) for problem in found] == [
        ("structure", "schema_version", "schema_version: this product reads the forms up to 1. Export the scenario anew, or update the product.")
    ]  # fmt: skip


def test_mistakes_in_triggers_are_placed_without_their_kind() -> None:
    triggers = [
        {"kind": "schedule", "cron": "0 10 * *"},
        {"kind": "date", "attribute": "date", "days": "x"},
        {"kind": "keyword", "words": ["a", " "]},
    ]
    assert [problem.field for problem in check(END, triggers=triggers)] == ["triggers.0.cron", "triggers.1.days", "triggers.2.words"]


# --- circles ----------------------------------------------------------------------------------------------------------

GO = {"variables": [{"name": "a", "value": 1}]}
CALL_SUB = {"mode": "call", "section": "sub"}


@pytest.mark.parametrize(
    ("nodes", "sections", "circle"),
    [
        ([node("a", "set_variable", GO, next="b"), node("b", "message", {"text": "x"}, next="a")], [], "“a” → “b” → “a”"),
        ([node("a", "set_variable", GO, next="a")], [], "“a” → “a”"),
        ([node("a", "action", {"action": "call_system"}, ok="a")], [], "“a” → “a”"),
        ([node("a", "delay", {"amount": 1}, next="e", invalid="a"), END | {"id": "e"}], [], "“a” → “a”"),
        ([node("a", "exit", {"mode": "go", "section": "main"})], [], "“a” → “a”"),
        ([node("a", "exit", {"mode": "call", "section": "main"})], [], "“a” → “a”"),
        ([node("a", "exit", {"mode": "go", "section": "sub"})], [section("sub", node("b", "exit", {"mode": "go", "section": "main"}))], "“a” → “b” → “a”"),
        ([node("a", "exit", CALL_SUB, next="a")], [section("sub", node("b", "set_variable", GO))], "“a” → “a”"),
        ([node("a", "exit", CALL_SUB, x="a")], [section("sub", node("b", "exit", {"mode": "return", "output": "x"}), outputs=["x"])], "“a” → “a”"),
        ([node("a", "exit", CALL_SUB, x="a")], [section("sub", node("b", "exit", {"mode": "go", "section": "far"}), outputs=["x"]), section("far", node("c", "exit", {"mode": "return", "output": "x"}))], "“a” → “a”"),
        ([node("a", "operator", {}, limit="a")], [], "“a” → “a”"),
        ([node("a", "router", {"branches": [{"id": "x"}]}, x="b", **{"else": "q"}), node("q", "input", {"text": "?"}, ok="a"), node("b", "set_variable", GO, next="c"), node("c", "set_variable", GO, next="a")], [], "“a” → “b” → “c” → “a”"),
    ],
)  # fmt: skip
def test_circles_without_a_wait_are_drawn(nodes: list[Json], sections: list[Json], circle: str) -> None:
    found = [problem for problem in check(*nodes, sections=sections) if problem.code == "circle"]
    assert [(problem.level, problem.message) for problem in found] == [
        ("error", f"{circle} run in a circle without waiting. Put a question, buttons or a delay between them.")
    ]


@pytest.mark.parametrize(
    ("nodes", "sections"),
    [
        ([node("a", "input", {"text": "?"}, ok="a")], []),
        ([node("a", "delay", {"amount": 1}, next="a")], []),
        ([{**ASK, "exits": {"yes": "ask"}}], []),
        ([node("a", "operator", {}, limit="e", connected="a"), END | {"id": "e"}], []),
        # The same section called twice is no circle.
        ([node("a", "exit", CALL_SUB, next="b"), node("b", "exit", CALL_SUB, next="e"), END | {"id": "e"}], [section("sub", node("s", "set_variable", GO))]),
        # A section that always waits makes a loop around its call harmless.
        ([node("a", "exit", CALL_SUB, next="a")], [section("sub", node("s", "input", {"text": "?"}))]),
        # Only the output that comes back without waiting counts.
        (
            [node("a", "exit", CALL_SUB, x="a", y="e"), END | {"id": "e"}],
            [section("sub", node("r", "router", {"branches": [{"id": "b"}]}, b="q", **{"else": "ry"}), node("q", "input", {"text": "?"}, ok="rx"), node("rx", "exit", {"mode": "return", "output": "x"}), node("ry", "exit", {"mode": "return", "output": "y"}), outputs=["x", "y"])],
        ),
    ],
)  # fmt: skip
def test_loops_that_wait_are_fine(nodes: list[Json], sections: list[Json]) -> None:
    assert [problem.message for problem in check(*nodes, sections=sections) if problem.code == "circle"] == []


def test_a_long_chain_is_checked_quickly() -> None:
    nodes = [node(f"n{index}", "message", {"text": "x"}, next=f"n{index + 1}") for index in range(1_500)]
    assert told(*nodes, node("n1500", "end")) == []


# --- texts ------------------------------------------------------------------------------------------------------------


def test_missing_and_foreign_translations() -> None:
    nodes = [
        node(
            "m",
            "message",
            {"text": {"en": "Hi", "de": "Hallo"}, "buttons": [[{"id": "y", "label": "Yes"}, {"id": "n", "label": "👍"}]]},
            y="end",
            n="end",
        ),
        END,
    ]
    problems = check(*nodes, languages=["en", "ru"], policies={"error_text": "Sorry"})
    assert [(problem.code, problem.field, problem.message.split(". ")[0]) for problem in problems] == [
        ("translation", "policies.error_text", "No translation into ru"),
        ("translation", "params.text", "Block “m”: No translation into ru"),
        ("translation", "params.text", "Block “m”: de is not among the scenario's languages"),
        ("translation", "params.buttons.0.0.label", "Block “m”: No translation into ru"),
    ]


def test_a_regional_language_is_served_by_its_base() -> None:
    assert told(node("m", "message", {"text": {"en": "Hi", "ru": "Привет"}}), languages=["en", "ru"], default_language="en") == []


@pytest.mark.parametrize(
    "secret",
    [
        "123456789:AAHfiqksKZ8WmR2zSjiQ7_v4TMAKdiHm9T0",
        "Authorization: Bearer abcdefghijklmnop1234",
        "sk-proj-abcdefghijklmnop1234",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "https://x.example/?api_key=abcdefgh12345",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_secrets_in_texts_are_refused(secret: str) -> None:
    assert ("error", "secret", "m", "params.text") in told(node("m", "message", {"text": f"x {secret} y"}))
    body = node("m", "action", {"action": "call_system", "params": {"body": {"t": [secret]}}}, ok="end")
    assert ("error", "secret", "m", "params.params.body.t.0") in told(body, END)


def test_passwords_by_their_keys_and_settings_in_texts_are_told() -> None:
    headers = {"Authorization": "ApiKey 12345678", "X-Api-Key": "{{ instance_settings.key }}", "password": ""}
    assert told(node("m", "action", {"action": "call_system", "params": {"headers": headers}}, ok="end"), END) == [
        ("warning", "secret", "m", "params.params.headers.Authorization")
    ]
    assert told(node("m", "message", {"text": "Call {{ instance_settings.phone }}"})) == [("warning", "secret_shown", "m", "params.text")]


@pytest.mark.parametrize(
    "text",
    [
        "Your order 123456789 is ready",
        "Write to support@example.com or +998901234567",
        "Promo code SUMMER2026SALE",
        "{{ token }} basic plan",
        "https://example.com/?page=2",
    ],
)
def test_everyday_texts_are_no_secrets(text: str) -> None:
    assert told(node("m", "message", {"text": text}), params=[{"name": "token"}]) == []


def test_buttons_and_labels_against_connected_channels() -> None:
    narrow = Capabilities(text_chars=1000, inline_buttons=3, reply_buttons=10, label_chars=20)
    many = [[{"id": f"b{index}", "label": "Label"}] for index in range(4)]
    exits = {f"b{index}": "end" for index in range(4)}
    assert told(node("m", "message", {"text": "?", "buttons": many}, **exits), END, capabilities=[narrow]) == [
        ("warning", "too_many_buttons", "m", "params.buttons")
    ]
    assert told(node("m", "message", {"text": "?", "buttons": many, "keyboard": "reply"}, **exits), END, capabilities=[narrow]) == []
    long = node("q", "input", {"text": "?", "kind": "choice", "choices": [{"id": "a", "label": "A label that is far too long"}]}, a="end")
    assert told(long, END, capabilities=[narrow]) == [("warning", "long_label", "q", "params.choices.0.label")]
    assert told(long, END, capabilities=[Capabilities(text_chars=1000)]) == []


def test_small_findings_of_blocks() -> None:
    assert told(node("s", "set_variable", {"variables": [{"name": "constants", "value": 1}]})) == [
        ("error", "reserved", "s", "params.variables.0.name")
    ]
    assert told(node("m", "message", {"text": "Hi", "timeout": 60})) == [("warning", "no_buttons", "m", "params.timeout")]
    assert told(END, params=[{"name": "a"}, {"name": "a"}]) == [("error", "duplicate_param", "", "params")]
    assert told(END, params=[{"name": "instance_settings"}]) == [("error", "reserved", "", "params")]


def test_errors_come_first() -> None:
    problems = check(node("m", "message", {"text": "{{ nope }}"}, next="a"), node("a", "set_variable", GO, next="m"))
    assert [problem.level for problem in problems] == ["error", "warning"]


def test_texts_of_the_engine_are_translated_by_the_application() -> None:
    wording.translate_with(lambda text: text.replace("The scenario has no blocks.", "В сценарии нет блоков."))
    try:
        assert check()[0].message.startswith("В сценарии нет блоков.")
    finally:
        wording.translate_with(str)


def test_a_file_that_was_not_uploaded_is_an_error() -> None:
    said = {"text": "Our prices", "media": [{"kind": "file", "file": "price-list"}]}
    data = definition(node("start", "start", next="say"), node("say", "message", said))
    assert lint.check(data, blocks=blocks, actions={}, files=["price-list"]) == []
    assert lint.check(data, blocks=blocks, actions={}) == []
    [problem] = lint.check(data, blocks=blocks, actions={}, files=[])
    assert (problem.code, problem.field, problem.message) == (
        "unknown_file",
        "params.media.0.file",
        "Block “say”: There is no file “price-list”. Upload it under Settings, Files.",
    )
