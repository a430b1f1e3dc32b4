"""Shapes that public files of Typebot have, from version 3 to 6: what they say and do here is what they said and did there."""

from typing import Any

import pytest

from apps.scenarios.engine import lint
from apps.scenarios.engine.contract import Facts, Said
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.importer import Imported
from apps.scenarios.importers.typebot import Typebot
from apps.scenarios.registry import actions, blocks
from tests.scenarios.engine.driving import Talk, give_back, press
from tests.scenarios.importers.files import Json, bubble

ANNA = Facts(person={"user_name": "Anna"}, language="en")


def file(*groups: tuple[str, list[Json]], edges: Json | None = None, variables: tuple[Any, ...] = (), **more: Any) -> Json:
    """Groups as name and blocks; edges as id → group or (group, block); a variable is a name, or a name with its value."""
    named = [(item, {}) if isinstance(item, str) else (item[0], {"value": item[1]}) for item in variables]
    targets = {name: {"groupId": to} if isinstance(to, str) else {"groupId": to[0], "blockId": to[1]} for name, to in (edges or {}).items()}
    return {
        "version": "6.1", "id": "cm", "name": "Bot", "icon": None, "theme": {}, "settings": {},
        "events": [{"id": "begin", "type": "start", "outgoingEdgeId": "e-begin", "graphCoordinates": {"x": 0, "y": 0}}],
        "groups": [{"id": name, "title": name, "graphCoordinates": {"x": 0, "y": 0}, "blocks": listed} for name, listed in groups],
        "variables": [{"id": f"v-{name}", "name": name, "isSessionVariable": True, **value} for name, value in named],
        "edges": [{"id": "e-begin", "from": {"eventId": "begin"}, "to": {"groupId": groups[0][0]}}, *({"id": name, "to": to} for name, to in targets.items())],
        **more,
    }  # fmt: skip


def text(block_id: str, said: str, **more: Any) -> Json:
    return bubble(block_id, {"text": said}, **more)


def asked(block_id: str, kind: str = "text input", variable: str = "", **options: Any) -> Json:
    more = {"outgoingEdgeId": options.pop("edge")} if "edge" in options else {}
    return {"id": block_id, "type": kind, "options": {**({"variableId": f"v-{variable}"} if variable else {}), **options}, **more}


def setting(block_id: str, variable: str, expression: str = "", **options: Any) -> Json:
    return {
        "id": block_id,
        "type": "Set variable",
        "options": {"variableId": f"v-{variable}", "expressionToEvaluate": expression, **options},
    }


def buttons(block_id: str, *labels: str, **more: Any) -> Json:
    return {"id": block_id, "type": "choice input", "items": [{"id": f"{block_id}-{label}", "content": label} for label in labels], **more}


def converted(data: Any) -> Imported:
    assert Typebot().recognises(data)
    return Typebot().convert(data)


def talk(found: Imported, *, entry: str = "", facts: Facts = ANNA) -> Talk:
    definition = found.scenarios[0].definition
    assert [p.message for p in lint.check(definition, blocks=blocks, actions=actions) if p.level == "error"] == []
    return Talk(compile_definition(definition, blocks=blocks, actions=actions), facts=facts).start(**{"entry": entry} if entry else {})


def told(found: Imported) -> list[tuple[str, str]]:
    return [(line.what, line.verdict) for line in found.lines]


# --- groups that are called ------------------------------------------------------------------------------------------


def test_a_link_into_the_same_bot_comes_back_to_what_follows_it() -> None:
    link = {"type": "Typebot link", "options": {"typebotId": "current", "groupId": "pick"}}
    data = file(
        ("one", [text("t1", "First wish?"), {"id": "l1", **link}, setting("s1", "First", "{{Wish}}"), text("t2", "Second wish?", outgoingEdgeId="e-two")]),
        ("two", [{"id": "l2", **link}, text("t3", "{{First}} and {{Wish}}.")]),
        ("pick", [buttons("b", "Tea", "Cake", options={"variableId": "v-Wish"}, outgoingEdgeId="e-thanks")]),
        ("thanks", [text("t4", "Noted.")]),
        edges={"e-two": "two", "e-thanks": "thanks"}, variables=("Wish", "First"),
    )  # fmt: skip
    found = converted(data)
    chat = talk(found).tell(press("tea"))
    assert chat.said == ["First wish?", "👇", "Noted.", "Second wish?", "👇"]
    chat.tell(press("cake"))
    assert chat.said[-2:] == ["Noted.", "Tea and Cake."]
    assert [section["name"] for section in found.scenarios[0].definition["sections"]] == ["Bot", "pick"]
    assert told(found).count(("choice input", "exact")) == 1


def test_a_jump_comes_back_only_from_where_a_return_stands() -> None:
    data = file(
        ("one", [{"id": "j", "type": "Jump", "options": {"groupId": "hey"}}, buttons("b", "Hi!", outgoingEdgeId="e-name")]),
        ("hey", [text("h", "Hey!"), {"id": "r", "type": "Return"}]),
        ("name", [text("n", "What is your name?"), asked("i", variable="Name", edge="e-menu")]),
        ("menu", [text("m", "Bye {{Name}}"), {"id": "j2", "type": "Jump", "options": {}}]),
        edges={"e-name": "name", "e-menu": "menu"}, variables=("Name",),
    )  # fmt: skip
    found = converted(data)
    chat = talk(found)
    assert chat.said == ["Hey!", "👇"]
    chat.tell(press("hi")).tell(Said("Jo"))
    assert chat.said[2:] == ["What is your name?", "Bye Jo"]
    assert ("Jump", "unsupported") in told(found)  # it names no group


def test_a_link_at_the_end_is_a_way_like_any_other() -> None:
    link = {"id": "l", "type": "Typebot link", "options": {"typebotId": "current", "groupId": "menu"}}
    data = file(
        ("menu", [text("t", "Menu"), buttons("b", "More", outgoingEdgeId="e")]),
        ("more", [text("m", "More of it"), link]),
        edges={"e": "more"},
    )
    found = converted(data)
    chat = talk(found).tell(press("more"))
    assert chat.said == ["Menu", "More of it", "Menu"]
    assert len(found.scenarios[0].definition["sections"]) == 1


def test_calls_that_call_each_other_are_drawn_once_each() -> None:
    def link(block_id: str, group: str) -> Json:
        return {"id": block_id, "type": "Typebot link", "options": {"typebotId": "current", "groupId": group}}

    data = file(("a", [link("l1", "b"), text("t1", "a")]), ("b", [link("l2", "c"), text("t2", "b")]), ("c", [text("t3", "c")]))
    assert talk(converted(data)).said == ["c", "b", "a"]
    circle = file(("a", [link("l1", "b"), text("t1", "a")]), ("b", [asked("i"), link("l2", "a"), text("t2", "b")]))
    assert [section["name"] for section in converted(circle).scenarios[0].definition["sections"]] == ["Bot", "b", "a"]


def test_commands_start_where_they_lead() -> None:
    events = [
        {"id": "begin", "type": "start", "outgoingEdgeId": "e-begin"},
        {"id": "c", "type": "command", "outgoingEdgeId": "e-leave", "options": {"command": "leave"}},
        {"id": "r", "type": "reply", "outgoingEdgeId": "e-leave"},
    ]
    found = converted(
        file(("one", [text("t", "Hello"), asked("i")]), ("bye", [text("b", "Leaving!")]), edges={"e-leave": "bye"}, events=events)
    )
    trigger = found.scenarios[0].definition["triggers"][0]
    assert (trigger["words"], trigger["match"]) == (["leave"], "exact")
    assert talk(found, entry=trigger["entry"]).said == ["Leaving!"]
    assert [line.verdict for line in found.lines if line.what.startswith("event")] == ["approximated", "unsupported"]


# --- values ----------------------------------------------------------------------------------------------------------


def test_variables_begin_with_their_values() -> None:
    data = file(
        ("one", [setting("s", "Score", "{{Score}} + 1"), text("t", "{{Score}} {{Shop}}")]),
        variables=(("Score", 4), ("Shop", "{{ Anna's }}"), "Name"),
    )
    assert talk(converted(data)).said == ["5 {{ Anna's }}"]


def test_values_are_appended_to_a_list() -> None:
    more = {"id": "a", "type": "Set variable", "options": {"variableId": "v-All", "type": "Append value(s)", "item": "{{Wish}}"}}
    rule = {"comparisons": [{"id": "c", "variableId": "v-All", "comparisonOperator": "Contains", "value": "cake"}]}
    condition = {
        "id": "if",
        "type": "Condition",
        "items": [{"id": "i", "content": rule, "outgoingEdgeId": "e-cake"}],
        "outgoingEdgeId": "e-again",
    }
    data = file(("one", [text("t", "Wish?"), asked("w", variable="Wish"), more, condition]), ("cake", [text("c", "Cake at last"), asked("i")]),
                edges={"e-cake": "cake", "e-again": "one"}, variables=("Wish", "All"))  # fmt: skip
    chat = talk(converted(data)).tell(Said("tea")).tell(Said("cake"))
    assert (chat.said[-1], chat.variables["all"]) == ("Cake at last", ["tea", "cake"])


@pytest.mark.parametrize(
    ("expression", "options", "value"),
    [
        ("42", {}, 42),
        ("return 7.5;", {}, 7.5),
        ('return [\n "a",\n "b"\n]', {"isCode": True}, ["a", "b"]),
        ("{{Wish}} * 2", {}, 6),
        ('"Hi " + {{Wish}}', {}, "Hi 3"),
        ("Hello there", {}, "Hello there"),
        ("document.location.origin", {"isCode": True}, None),
        ("document.location.origin", {}, None),
        ("new Date().getFullYear()", {}, None),
        ("{{Wish}}.toUpperCase()", {}, None),
        ('{{Wish}} > 2 ? "a" : "b"', {}, None),
        ("", {}, ""),
    ],
)
def test_expressions_are_values_or_told_to_be_code(expression: str, options: Json, value: Any) -> None:
    found = converted(file(("one", [setting("s", "Out", expression, **options), asked("i")]), variables=(("Wish", 3), "Out")))
    assert ("Set variable", "unsupported" if value is None else "exact") in told(found)
    assert talk(found).variables.get("out") == value


def test_the_moment_of_the_day_is_known() -> None:
    data = file(("one", [setting("s", "Part", type="Moment of the day"), text("t", "Good {{Part}}")]), variables=("Part",))
    assert talk(converted(data)).said == ["Good afternoon"]


# --- questions -------------------------------------------------------------------------------------------------------


def test_cards_are_pictures_with_a_button_for_each_of_their_ways() -> None:
    cards = {
        "id": "c", "type": "cards",
        "items": [
            {"id": "p", "imageUrl": "https://img.example.com/p.png", "title": "Paris", "description": "A city", "paths": [
                {"id": "p1", "text": "Go on"}, {"id": "p2", "text": "Tell more", "outgoingEdgeId": "e-more"}]},
            {"id": "l", "imageUrl": "https://img.example.com/l.png", "title": "London", "paths": [{"id": "l1", "text": "Go on"}]},
        ],
        "options": {"saveResponseMapping": [{"field": "Title", "variableId": "v-City"}]}, "outgoingEdgeId": "e-next",
    }  # fmt: skip
    data = file(("one", [text("t", "Where to?"), cards]), ("more", [text("m", "{{City}} is large")]), ("next", [text("n", "Off to {{City}}")]),
                edges={"e-more": "more", "e-next": "next"}, variables=("City",))  # fmt: skip
    found = converted(data)
    chat = talk(found)
    assert [(item["url"], item["caption"]) for item in chat.contents[-1]["media"]] == [
        ("https://img.example.com/p.png", "Paris\nA city"), ("https://img.example.com/l.png", "London"),
    ]  # fmt: skip
    assert [button["label"] for row in chat.contents[-1]["buttons"] for button in row] == [
        "Paris · Go on",
        "Paris · Tell more",
        "London · Go on",
    ]
    assert chat.tell(press("paris-tell-more")).said[-1] == "Paris is large"
    assert talk(found).tell(press("london-go-on")).said[-1] == "Off to London"
    assert ("cards", "approximated") in told(found)


def test_buttons_keep_their_values_and_conditions_of_theirs_are_told() -> None:
    hidden = {"isEnabled": True, "condition": {"comparisons": []}}
    choice = {"id": "b", "type": "choice input", "options": {"variableId": "v-Plan"}, "items": [
        {"id": "x", "content": "Small", "value": "S"}, {"id": "y", "content": "Large", "displayCondition": hidden},
        {"id": "z", "content": "None", "displayCondition": {"isEnabled": False}}]}  # fmt: skip
    found = converted(file(("one", [text("t", "Plan?"), choice, text("o", "{{Plan}} it is")]), variables=("Plan",)))
    assert talk(found).tell(press("small")).said[-1] == "S it is"
    assert talk(found).tell(press("large")).said[-1] == "Large it is"
    assert [line.message for line in found.lines if line.what == "choice input"] == [
        "a button that was shown under a condition is always shown"
    ]


def test_questions_keep_their_country_and_tell_what_they_cannot() -> None:
    data = file(("one", [
        asked("p", "phone number input", "Phone", defaultCountryCode="FR"), asked("d", "date input", "Day", isRange=True),
        asked("f", "file input", "Files", isMultipleAllowed=True), asked("r", "rating input", "Stars", length=7, startsAt=1),
        text("t", "{{Phone}} {{Day}} {{Stars}}"),
    ]), variables=("Phone", "Day", "Files", "Stars"))  # fmt: skip
    found = converted(data)
    chat = talk(found).tell(Said("0612345678")).tell(Said("2026-05-31"))
    chat.tell(Said("", media=({"kind": "image", "url": "https://f.example.com/1"},)))
    assert chat.tell(Said("8")).variables.get("stars") is None
    assert chat.tell(Said("7")).said[-1] == "+33612345678 2026-05-31 7"
    assert told(found)[:4] == [
        ("phone number input", "exact"), ("date input", "approximated"), ("file input", "approximated"), ("rating input", "exact"),
    ]  # fmt: skip


def test_a_pattern_is_compared_without_its_slashes_and_flags() -> None:
    rule = {"comparisons": [{"id": "c", "variableId": "v-Code", "comparisonOperator": "Matches regex", "value": "/^[a-z]{2}-\\d$/i"}]}
    condition = {"id": "if", "type": "Condition", "items": [{"id": "i", "content": rule, "outgoingEdgeId": "e-good"}]}
    data = file(
        ("one", [asked("c", variable="Code"), condition, text("b", "Wrong")]),
        ("good", [text("g", "Right")]),
        edges={"e-good": "good"},
        variables=("Code",),
    )
    assert talk(converted(data)).tell(Said("AB-7")).said[-1] == "Right"
    assert talk(converted(data)).tell(Said("AB-77")).said[-1] == "Wrong"


def test_lists_are_numbered_and_links_stay() -> None:
    items = [{"type": "li", "children": [{"type": "lic", "children": [{"text": said}]}]} for said in ("One", "Two")]
    link = {"type": "a", "url": "https://example.com/?q={{Name}}", "children": [{"text": "here"}]}
    rich = {
        "id": "t",
        "type": "text",
        "content": {"richText": [{"type": "ol", "children": items}, {"type": "p", "children": [{"text": "See "}, link]}]},
    }
    data = file(("one", [rich]), variables=(("Name", "a"),))
    assert talk(converted(data)).said == ['1. One\n2. Two\n\nSee <a href="https://example.com/?q=a">here</a>']


# --- what has no counterpart -----------------------------------------------------------------------------------------


def test_blocks_of_other_services_are_passed_and_told_with_what_to_do() -> None:
    kinds = ["openai", "mistral", "anthropic", "Google Sheets", "Email", "cal-com", "payment input", "Script", "Return", "made up"]
    listed = [{"id": f"b{index}", "type": kind, "options": {}} for index, kind in enumerate(kinds)]
    found = converted(file(("one", [*listed, text("t", "After")])))
    assert talk(found).said == ["After"]
    messages = {line.what: line.message for line in found.lines if line.verdict == "unsupported"}
    assert list(messages) == kinds
    assert messages["mistral"] == "Use an agent."
    note = found.scenarios[0].definition["sections"][0]["note"]
    assert all(kind in note for kind in kinds)


def test_a_call_of_version_three_has_its_request_beside_the_options() -> None:
    hook = {
        "id": "w", "type": "Webhook", "webhookId": "x",
        "webhook": {"url": "https://crm.example.com/{{Id}}", "method": "POST", "headers": [{"id": "h", "key": "K", "value": "1"}], "queryParams": [], "body": '{"a": "{{Id}}"}'},
        "options": {"responseVariableMapping": [{"id": "m", "bodyPath": "data.items[0].name", "variableId": "v-Got"}]},
    }  # fmt: skip
    data = file(("start", [{"id": "s", "type": "start", "label": "Start", "outgoingEdgeId": "e"}]), ("one", [hook, text("t", "Got {{Got}}")]),
                edges={"e": "one"}, variables=(("Id", "7"), "Got"), events=None, version="3")  # fmt: skip
    found = converted(data)
    chat = talk(found)
    assert (chat.acts[0].params["url"], chat.acts[0].params["save"]) == ("https://crm.example.com/7", {"got": "json.items.0.name"})
    assert chat.tell(give_back("ok", got="tea")).said == ["Got tea"]


def test_groups_that_nothing_leads_to_are_drawn_as_well() -> None:
    found = converted(file(("one", [text("t", "Add your key first")]), ("real", [text("r", "Real beginning")])))
    titles = [one.get("title") for one in found.scenarios[0].definition["sections"][0]["nodes"]]
    assert "real" in titles
