"""Files of Typebot: drawn, checked, and played through the engine."""

from typing import Any

import pytest

from apps.scenarios.engine import lint
from apps.scenarios.engine.contract import Said
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.foreign.typebot.texts import Variables, path_of, plain
from apps.scenarios.importer import ForeignFileError, Imported
from apps.scenarios.importers.typebot import Typebot
from apps.scenarios.registry import actions, blocks
from tests.scenarios.engine.driving import Talk, press
from tests.scenarios.importers.files import TYPEBOT, bubble


def converted(data: Any) -> Imported:
    assert Typebot().recognises(data)
    return Typebot().convert(data)


def talk(found: Imported, *, seed: int = 0) -> Talk:
    return Talk(compile_definition(found.scenarios[0].definition, blocks=blocks, actions=actions), seed=seed).start()


def bot(*listed: dict[str, Any], variables: tuple[str, ...] = (), edges: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """A file with one group of these blocks."""
    return {
        "version": "6",
        "name": "Small",
        "groups": [{"id": "g", "title": "Group", "graphCoordinates": {"x": 0, "y": 0}, "blocks": list(listed)}],
        "variables": [{"id": f"v-{name}", "name": name} for name in variables],
        "edges": [{"id": name, "to": {"groupId": "g", "blockId": target}} for name, target in edges],
    }


def verdicts(found: Imported) -> list[tuple[str, str]]:
    return [(line.what, line.verdict) for line in found.lines]


def test_a_bot_goes_its_way_and_passes_the_check() -> None:
    found = converted(TYPEBOT)
    assert [p.message for p in lint.check(found.scenarios[0].definition, blocks=blocks, actions=actions) if p.level == "error"] == []
    chat = talk(found)
    assert chat.said == ["Hello, <b>guest</b> &lt;3", "Which company?"]
    chat.tell(Said("Acme"))
    assert chat.said[-1] == "How many people work at Acme?"
    assert chat.variables["lead_score"] == 10
    chat.tell(Said("0"))
    assert len(chat.said) == 4  # below the least: asked again
    chat.tell(Said("31"))
    assert chat.said[-1] == "A big one! Once more?"
    chat.tell(press("yes"))
    assert chat.said[-1] == "Which company?"
    chat.tell(Said("Acme")).tell(Said("3"))
    assert chat.said[-1] == "A small team: 10 points."
    assert chat.happened("ended") != []


def test_what_has_no_counterpart_is_told_and_noted() -> None:
    found = converted(TYPEBOT)
    assert ("Code", "unsupported") in verdicts(found)
    assert "Code: Make it a custom action" in found.scenarios[0].definition["sections"][0]["note"]


def test_the_older_start_block_begins() -> None:
    data = bot(
        {"id": "s", "type": "start", "outgoingEdgeId": "e"},
        bubble("a", {"text": "first"}),
        bubble("b", {"text": "second"}),
        edges=(("e", "b"),),
    )
    assert talk(converted(data)).said == ["second"]


def test_requests_jumps_waits_and_shares() -> None:
    data = bot(
        {
            "id": "call", "type": "Webhook",
            "options": {
                "webhook": {"url": "https://crm.example.com/{{Id}}", "method": "GET", "queryParams": [{"key": "q", "value": "{{Id}}"}]},
                "responseVariableMapping": [{"variableId": "v-Name", "bodyPath": "data.items[0].name"}],
            },
        },
        {"id": "ab", "type": "AB test", "options": {"aPercent": 100}, "items": [{"id": "a", "outgoingEdgeId": "e"}, {"id": "b"}]},
        bubble("never", {"text": "never"}),
        {"id": "wait", "type": "Wait", "options": {"secondsToWaitFor": "5"}},
        {"id": "jump", "type": "Jump", "options": {"groupId": "g", "blockId": "wait"}},
        variables=("Id", "Name"),
        edges=(("e", "wait"),),
    )  # fmt: skip
    found = converted(data)
    params = found.scenarios[0].definition["sections"][0]["nodes"][1]["params"]["params"]
    assert params == {
        "method": "GET",
        "url": "https://crm.example.com/{{ id }}",
        "query": {"q": "{{ id }}"},
        "save": {"name": "json.items.0.name"},
    }
    assert [p.code for p in lint.check(found.scenarios[0].definition, blocks=blocks, actions=actions) if p.level == "error"] == []


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("5", 5),
        ("{{Score}} * 2 + 1", "{{ score | times: 2 | plus: 1 }}"),
        ("Hello {{Score}}", "Hello {{ score }}"),
        ("word", "word"),
        ('"a" + {{Score}}', '{{ "a" | append: score }}'),
        ("Math.floor({{Score}})", None),
        ("const x = 1; return x", None),
    ],
)
def test_values_are_calculated_or_refused(expression: str, value: object) -> None:
    data = bot(
        {"id": "s", "type": "Set variable", "options": {"variableId": "v-Score", "expressionToEvaluate": expression}}, variables=("Score",)
    )
    found = converted(data)
    nodes = found.scenarios[0].definition["sections"][0]["nodes"]
    made = [one["params"]["variables"][0]["value"] for one in nodes if one["kind"] == "set_variable"]
    assert made == ([] if value is None else [value])
    assert verdicts(found) == [("Set variable", "unsupported" if value is None else "exact")]


def test_texts_are_parsed() -> None:
    known = Variables()
    assert plain("{{First Name}} {{=1 + 2=}} {%", known).text == '{{ first_name }} {{ 1 | plus: 2 }} {{ "{%" }}'
    assert plain("{{=alert(1)=}}", known).lost == ["kept as text: alert(1)"]
    assert path_of("data.items[0]['full name']") == "json.items.0.'full name'"


@pytest.mark.parametrize("data", [None, [], {}, {"groups": []}, {"groups": [{"blocks": []}]}, {"flows": []}])
def test_other_files_are_refused_with_a_reason(data: Any) -> None:
    assert not Typebot().recognises(data)
    with pytest.raises(ForeignFileError, match="no groups"):
        Typebot().convert(data)
