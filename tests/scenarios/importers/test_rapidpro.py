"""Flows of RapidPro and Glific: drawn, checked, and played through the engine as their authors meant them."""

from typing import Any

import pytest

from apps.scenarios.engine import lint
from apps.scenarios.engine.contract import Act, Facts, Fired, Said
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.foreign.rapidpro.texts import Used, write
from apps.scenarios.importer import ForeignFileError, Imported
from apps.scenarios.importers.rapidpro import RapidPro
from apps.scenarios.registry import actions, blocks
from tests.scenarios.engine.driving import Talk, give_back
from tests.scenarios.importers.files import LEGACY, ORDER, SURVEY, export, flow, node, said, switch

ANNA = Facts(person={"user_name": "Anna Smith"}, language="en")


def converted(data: Any) -> Imported:
    assert RapidPro().recognises(data)
    return RapidPro().convert(data)


def talk(found: Imported, key: str, *, facts: Facts = ANNA) -> Talk:
    drawn = next(one for one in found.scenarios if one.key == key)
    return Talk(compile_definition(drawn.definition, blocks=blocks, actions=actions), facts=facts).start()


def lines(found: Imported) -> dict[tuple[str, str], str]:
    return {(line.place, line.what): line.verdict for line in found.lines}


def errors(found: Imported) -> list[str]:
    return [
        problem.message
        for drawn in found.scenarios
        for problem in lint.check(drawn.definition, blocks=blocks, actions=actions, known_names=["constants.crm_token"])
        if problem.level == "error"
    ]


@pytest.mark.parametrize("data", [SURVEY, ORDER, LEGACY], ids=["survey", "order", "legacy"])
def test_drafts_pass_the_check(data: Any) -> None:
    assert errors(converted(data)) == []


def test_a_survey_goes_its_way() -> None:
    chat = talk(converted(SURVEY), "favourite-colours")
    assert chat.said == ["Hi Anna, write to me@example.com or bob@example.com {{ not ours }}", "Which colour?"]
    assert [button["label"] for row in chat.contents[-1]["buttons"] for button in row] == ["Red", "Blue"]
    chat.tell(Said("Green"))
    assert chat.said[-1] == "I do not know that colour."
    chat.tell(Said("CRIMSON, please"))
    assert chat.acts[-1].params == {"values": {"colour": "Red"}}
    chat.tell(give_back("ok")).tell(give_back("ok"))
    assert chat.said[-1] == "How old are you?"
    chat.tell(Said("300"))
    assert chat.said[-1] == "How old are you?"
    chat.tell(Said("41"))
    assert chat.said[-1] == "Next year you are 42. @(epoch(now()))"
    assert chat.happened("ended") != []


def test_the_timeout_of_a_wait_takes_its_own_way() -> None:
    chat = talk(converted(SURVEY), "favourite-colours")
    assert [reason for reason, _due in chat.timers] == ["timeout"]
    chat.tell(lambda wait: Fired(visit=wait["visit"], reason="timeout"))
    assert chat.happened("set")[-1] == {"name": "colour_category", "value": "No Response"}
    assert chat.happened("ended") != []


def test_translations_and_buttons_route_alike() -> None:
    found = converted(SURVEY)
    chat = talk(found, "favourite-colours", facts=Facts(person={"user_name": "Ana"}, language="es"))
    assert chat.said[-1] == "¿Qué color?"
    assert found.scenarios[0].definition["languages"] == ["en", "es"]


def test_everything_is_reported_and_what_is_lost_is_noted() -> None:
    found = converted(SURVEY)
    told = lines(found)
    assert told["Favourite colours / keep", "transfer_airtime"] == "unsupported"
    assert told["Favourite colours / keep", "add_contact_groups"] == "approximated"
    assert told["Favourite colours / “Next year you are @(results.age + 1). @…”", "send_msg"] == "approximated"
    assert told["Favourite colours", "trigger keyword"] == "approximated"  # RapidPro compares whole words
    assert told["Favourite colours", "trigger schedule"] == "unsupported"
    assert told["Reminders", "campaign"] == "approximated"  # no hour was given
    assert sum(line.what == "has_number_between" for line in found.lines) == 1  # a flow that is a section elsewhere is told once
    section = found.scenarios[0].definition["sections"][0]
    assert "transfer_airtime" in section["note"]
    assert any("epoch" in one.get("note", "") for one in section["nodes"])


def test_triggers_fields_and_places_come_over() -> None:
    found = converted(SURVEY)
    assert found.scenarios[0].definition["triggers"] == [{"kind": "keyword", "words": ["colour"], "match": "prefix"}]
    assert found.fields == {"colour": ("Colour", "text"), "born": ("Born", "date"), "group_painters": ("Painters", "boolean")}
    assert found.scenarios[0].layout["nodes"]["message"] == [150, 60]
    assert [drawn.key for drawn in found.scenarios] == ["favourite-colours", "age", "reminders-1d"]


def test_a_campaign_starts_its_flow_around_the_date() -> None:
    found = converted(SURVEY)
    assert found.scenarios[1].definition["triggers"] == [{"kind": "date", "attribute": "born", "days": -7, "at": "09:00"}]
    told = [(line.verdict, line.message[:14]) for line in found.lines if line.what == "campaign"]
    assert told == [("exact", ""), ("approximated", "no hour was gi")]
    assert talk(found, "reminders-1d").said == ["Hello"]


def test_a_webhook_is_a_call_and_its_result_routes() -> None:
    found = converted(ORDER)
    assert found.constants == {"crm_token": ""}
    chat = talk(found, "order", facts=Facts(constants={"crm_token": "k7"}, language="en"))
    act: Act = chat.acts[0]
    assert (act.action, act.params["method"], act.params["headers"]) == ("action_send_request", "POST", {"Authorization": "Token k7"})
    good = {"id": 9, "state": "paid"}
    assert chat.tell(give_back("ok", webhook=good, order=good)).said == ["Order 9: paid"]
    assert talk(found, "order").tell(give_back("server_error", error="500")).said == ["Sorry"]


def test_the_older_form_runs_like_the_newer() -> None:
    chat = talk(converted(LEGACY), "sign-up")
    assert chat.said == ["What is your name?"]
    assert chat.tell(Said("X")).said[-1] == "What is your name?"
    chat.tell(Said("Xenia"))
    assert chat.acts[-1].params == {"values": {"name": "Xenia"}}
    assert chat.tell(give_back("ok")).said[-1] == "Thank you, XENIA!"


def test_a_flow_alone_a_list_of_flows_and_glific_s_wrapping_are_taken() -> None:
    one = flow("f", "One", node("n", said("m", "Hello")))
    for data in (one, [one], {"flows": [{"definition": one, "keywords": ["help", "menu"]}]}):
        assert [drawn.name for drawn in converted(data).scenarios] == ["One"]
    assert converted({"flows": [{"definition": one, "keywords": ["help", "menu"]}]}).scenarios[0].definition["triggers"] == [
        {"kind": "keyword", "words": ["help", "menu"], "match": "prefix"}
    ]


def test_a_random_router_shares_evenly() -> None:
    ways = switch("split", {"A": "a", "B": "b"}, type="random")
    found = converted(export(flow("f", "Split", ways, node("a", said("ma", "a")), node("b", said("mb", "b")))))
    flow_of = compile_definition(found.scenarios[0].definition, blocks=blocks, actions=actions)
    assert {Talk(flow_of, seed=seed).start().said[0] for seed in range(20)} == {"a", "b"}
    assert errors(found) == []


def test_a_flow_that_is_not_in_the_file_is_told() -> None:
    enter = {"uuid": "a", "type": "enter_flow", "flow": {"uuid": "gone", "name": "Gone"}}
    found = converted(export(flow("f", "One", node("n", enter, said("m", "After")))))
    assert [(line.what, line.verdict) for line in found.lines] == [("enter_flow", "unsupported"), ("send_msg", "exact")]
    assert talk(found, "one").said == ["After"]


def test_flows_that_enter_each_other_are_drawn_once_each() -> None:
    enter = {"uuid": "a", "type": "enter_flow", "terminal": True}
    first = flow("1", "First", node("n", said("m", "1"), {**enter, "flow": {"uuid": "2", "name": "Second"}}))
    second = flow("2", "Second", node("n", {**enter, "flow": {"uuid": "1", "name": "First"}}))
    found = converted(export(first, second))
    assert [[section["id"] for section in drawn.definition["sections"]] for drawn in found.scenarios] == [
        ["first", "second"],
        ["second", "first"],
    ]


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("Hi @contact, @@home", "Hi {{ user_name }}, @home"),
        ('@(upper(contact.name) & "!")', '{{ user_name | upcase | append: "!" }}'),
        ("@(10 + fields.age * 2)", "{{ age | times: 2 | plus: 10 }}"),
        ("@(results.a / results.b)", "{{ a | times: 1.0 | divided_by: b }}"),
        ("@globals.shop @urns.tel @results.x.category", "{{ constants.shop }} {{ user_phone }} {{ x_category }}"),
        ("@(trigger.params.order.id)", "{{ order.id }}"),
        ("@(if(fields.a > 1, 1, 2)) @(", "{% if a > 1 %}{{ 1 }}{% else %}{{ 2 }}{% endif %} @("),
        ("@(rand_between(1, 2))", "@(rand_between(1, 2))"),
        ("a@(b", "a@(b"),
    ],
)
def test_templates_are_parsed(template: str, written: str) -> None:
    assert write(template, Used()).text == written


@pytest.mark.parametrize("data", [None, [], {}, {"flows": []}, {"flows": [1]}, {"nodes": {}}, "x", {"groups": [], "edges": []}])
def test_other_files_are_refused_with_a_reason(data: Any) -> None:
    assert not RapidPro().recognises(data)
    with pytest.raises(ForeignFileError, match="no flow"):
        RapidPro().convert(data)
