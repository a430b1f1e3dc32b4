"""The form of a definition: migrations, what is refused and how it is told, the hash of the logic, the schema help."""

import copy
from typing import Any

import jsonschema
import pytest

from apps.scenarios.engine import described
from apps.scenarios.engine.contract import Json
from apps.scenarios.engine.definition import logic_hash
from apps.scenarios.engine.flow import DefinitionError, compile_definition
from apps.scenarios.engine.migrating import MIGRATIONS, SCHEMA_VERSION, migrate
from apps.scenarios.registry import blocks
from tests.scenarios.engine.driving import ACTIONS, Talk, definition, node, section

# Per version that is migrated from: what was stored, what it becomes.
MIGRATED: dict[int, list[tuple[Json, Json]]] = {
    0: [
        (
            {"name": "Old", "nodes": [{"id": "a", "kind": "start", "next": "b"}, {"id": "b", "kind": "end"}]},
            {
                "schema_version": 1,
                "name": "Old",
                "sections": [
                    {
                        "id": "main",
                        "name": "Old",
                        "nodes": [{"id": "a", "kind": "start", "exits": {"next": "b"}}, {"id": "b", "kind": "end"}],
                    }
                ],
            },
        ),
        (
            {"schema_version": 0, "nodes": [{"id": "a", "kind": "router", "next": "b", "exits": {"else": "c"}}]},
            {
                "schema_version": 1,
                "sections": [{"id": "main", "name": "", "nodes": [{"id": "a", "kind": "router", "exits": {"next": "b", "else": "c"}}]}],
            },
        ),
        ({"sections": []}, {"schema_version": 1, "sections": []}),
        ({"nodes": "not a list"}, {"schema_version": 1}),
        ({"nodes": ["x"]}, {"schema_version": 1, "sections": [{"id": "main", "name": "", "nodes": ["x"]}]}),
    ]
}


def problems_of(data: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(DefinitionError) as caught:
        compile_definition(data, blocks=blocks, actions=ACTIONS)
    return [(problem.code, problem.field, problem.message) for problem in caught.value.problems]


def test_every_migration_has_cases() -> None:
    assert set(MIGRATED) == set(MIGRATIONS) == set(range(SCHEMA_VERSION))


@pytest.mark.parametrize(("before", "after"), [case for cases in MIGRATED.values() for case in cases])
def test_migrations(before: Json, after: Json) -> None:
    kept = copy.deepcopy(before)
    assert migrate(before) == after
    assert before == kept
    assert migrate(after) == after


def test_an_old_definition_runs() -> None:
    data = {"name": "Old", "nodes": [{"id": "a", "kind": "start", "next": "b"}, {"id": "b", "kind": "message", "params": {"text": "Hi"}}]}
    assert Talk(compile_definition(data, blocks=blocks)).start().said == ["Hi"]


@pytest.mark.parametrize("version", [2, -1, "1", None, [], 1.5])
def test_an_unknown_version_is_refused(version: Any) -> None:
    data = {**definition(node("a", "end")), "schema_version": version}
    assert problems_of(data)[0][:2] == ("structure", "schema_version")


@pytest.mark.parametrize(
    "data", [None, [], "x", 5, {}, {"sections": 5}, {"sections": [5]}, {"sections": [{"id": "a", "nodes": [5]}]}, {"nodes": 5}]
)
def test_what_is_no_scenario_is_refused(data: Any) -> None:
    assert problems_of(data)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"nodes": [{"id": "a", "kind": "nope"}]}, ("unknown_kind", "kind", "Block “a”: there is no kind “nope”. Use one of: ")),
        ({"nodes": [{"id": "a"}]}, ("structure", "kind", "Block “a”, kind: Fill it in; it is required.")),
        ({"nodes": [{"id": "a b", "kind": "end"}]}, ("structure", "id", "Block “a b”, id: It may hold letters")),
        ({"nodes": [node("a", "end", {"outcom": 1})]}, ("params", "params.outcom", "Block “a”, outcom: There is no such field here. Remove it or correct its name.")),
        ({"nodes": [node("a", "message", {"text": 5})]}, ("params", "params.text", "Block “a”, text: Write a text in quotes.")),
        ({"nodes": [node("a", "message", {"text": {"english": "x"}})]}, ("params", "params.text", "Block “a”, text: ")),
        ({"nodes": [node("a", "message", {"format": "markdown"})]}, ("params", "params.format", "Block “a”, format: Choose one of: 'plain' or 'html'.")),
        ({"nodes": [node("a", "input", {"kind": "regex"})]}, ("params", "params", "Block “a”, params: Give the pattern that the answer must match.")),
        ({"nodes": [node("a", "input", {"kind": "choice"})]}, ("params", "params", "Block “a”, params: Give the choices")),
        ({"nodes": [node("a", "input", {"pattern": "(("})]}, ("params", "params.pattern", "Block “a”, pattern: The pattern is not a regular expression")),
        ({"nodes": [node("a", "input", {"choices": [{"id": "ok", "label": "x"}]})]}, ("params", "params", "Block “a”, params: Give each choice its own id")),
        ({"nodes": [node("a", "input", {"timeout": "5 m", "reminders": [{"after": "9 m", "text": "?"}]})]}, ("params", "params", "Block “a”, params: Put the reminders")),
        ({"nodes": [node("a", "message", {"buttons": [[{"id": "next", "label": "x"}]]})]}, ("params", "params.buttons", "Block “a”, buttons: Give each button its own id")),
        ({"nodes": [node("a", "exit", {"mode": "call"})]}, ("params", "params", "Block “a”, params: Choose a section or an entry")),
        ({"nodes": [node("a", "delay", {})]}, ("params", "params", "Block “a”, params: Give how long to wait")),
        ({"nodes": [node("a", "router", {"branches": []})]}, ("params", "params.branches", "Block “a”, branches: Give at least 1.")),
        ({"nodes": [node("a", "message", {"text": "Hi\n{{ x | up }}"})]}, ("template", "params.text", "Block “a”, text (line 2, column 8): There is no filter “up”.")),
        ({"nodes": [node("a", "router", {"branches": [{"id": "b", "when": {"expression": "a >"}}]})]}, ("template", "params.branches.0.when.expression", "Block “a”, branches.0.when.expression")),
        ({"nodes": [node("a", "message", next="b")]}, ("exit_to_nowhere", "exits.next", "Block “a”: the exit “next” leads to “b”, which does not exist.")),
        ({"nodes": [node("a", "end"), node("a", "end")]}, ("duplicate_node", "", "2 blocks have the id “a”. Give each its own.")),
        ({"nodes": [node("a", "entry", {"alias": "x"}), node("b", "entry", {"alias": "x"})]}, ("duplicate_alias", "params.alias", "The entry alias “x” is used twice.")),
        ({"nodes": [node("a", "exit", {"section": "gone"})]}, ("unknown_target", "params.section", "Block “a” leads to “gone”, but this scenario has no such section")),
        ({"nodes": [node("a", "exit", {"entry": "gone/away"})]}, ("unknown_target", "params.entry", "Block “a” leads to “gone/away”")),
        ({"surprise": 1}, ("structure", "surprise", "Section “main”, surprise: There is no such field here.")),
        ({"params": [{"name": "1x"}]}, ("structure", "params.0.name", "Section “main”, params.0.name: It may hold letters")),
    ],
)  # fmt: skip
def test_problems_name_their_place_and_say_what_to_do(change: Json, expected: tuple[str, str, str]) -> None:
    data = definition()
    data["sections"][0] |= change
    code, field, message = problems_of(data)[0]
    assert (code, field) == expected[:2]
    assert message.startswith(expected[2])


def test_problems_of_the_whole_scenario() -> None:
    data = definition(
        node("a", "end"),
        sections=[section("main"), section("two", node("b", "start", next="a"))],
        error_section="gone",
        triggers=[{"kind": "keyword", "words": ["hi"], "entry": "no"}],
    )
    assert [(problem[0], problem[1]) for problem in problems_of(data)] == [
        ("duplicate_section", ""),
        ("exit_to_nowhere", "exits.next"),
        ("unknown_target", "error_section"),
        ("unknown_target", "triggers.0.entry"),
    ]
    wrong_trigger = definition(node("a", "end"), triggers=[{"kind": "keyword", "words": []}, {"kind": "smell"}])
    assert [(problem[0], problem[1]) for problem in problems_of(wrong_trigger)] == [
        ("structure", "triggers.0.words"),
        ("structure", "triggers.1"),
    ]


def test_every_kind_of_trigger_is_taken() -> None:
    triggers = [
        {"kind": "keyword", "words": ["menu", "/start"], "match": "prefix", "language": "ru", "entry": "menu"},
        {"kind": "deep_link", "payload": "promo", "match": "exact", "entry": "menu"},
        {"kind": "any_message", "entry": "menu"},
        {"kind": "event", "name": "order.confirmed"},
    ]
    flow = compile_definition(
        definition(node("a", "entry", {"alias": "menu"}, next="b"), node("b", "end"), triggers=triggers), blocks=blocks
    )
    assert [trigger.kind for trigger in flow.definition.triggers] == ["keyword", "deep_link", "any_message", "event"]


def test_the_hash_follows_the_logic_and_nothing_else() -> None:
    data = definition(node("a", "message", {"text": "Hi"}, next="b"), node("b", "end"))
    same = copy.deepcopy(data)
    same["sections"][0]["note"] = "for colleagues"
    same["sections"][0]["nodes"][0]["note"] = "also"
    same = {key: same[key] for key in reversed(same)}
    assert logic_hash(same) == logic_hash(data)
    changed = copy.deepcopy(data)
    changed["sections"][0]["nodes"][0]["params"]["text"] = "Hello"
    assert logic_hash(changed) != logic_hash(data)
    old = {"name": "Test", "nodes": [{"id": "a", "kind": "end"}]}
    assert logic_hash(old) == logic_hash(migrate(old))
    assert compile_definition(data, blocks=blocks).logic_hash == logic_hash(data)
    assert len(logic_hash({"sections": [5, {"nodes": [5]}], "x": "\ud800"})) == 64


# --- the schema help --------------------------------------------------------------------------------------------------


def test_the_schema_is_valid_and_takes_what_the_engine_takes() -> None:
    schema = described.definition_schema(blocks=blocks, actions=ACTIONS)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(described.MINIMAL)
    assert compile_definition(described.MINIMAL, blocks=blocks).entries.keys() == {"order/thank-you"}
    wrong = definition(node("a", "message", {"tex": 1}))
    assert [error.message for error in validator.iter_errors(wrong)] == ["Additional properties are not allowed ('tex' was unexpected)"]


def test_the_schema_tells_roles_titles_and_actions() -> None:
    schema = described.definition_schema(blocks=blocks, actions=ACTIONS, translate=lambda text: f"<{text}>")
    assert schema["$defs"]["Text"]["x-role"] == "text"
    assert schema["x-kinds"]["message"]["title"] == "<Message with buttons>"
    assert schema["$defs"]["MessageParams"]["properties"]["save_as"]["title"] == "<Store the choice in>"
    assert [one["name"] for one in schema["x-actions"]["call_system"]["exits"]] == ["ok", "error"]


def test_the_help_of_filters_and_names() -> None:
    assert {
        "name": "number",
        "example": "{{ amount | number }}",
        "help": "A number with separators as the language writes them.",
    } in described.filters()
    assert set(described.world_names()) >= {"constants", "instance_settings", "bot", "lead", "now", "user_name"}
