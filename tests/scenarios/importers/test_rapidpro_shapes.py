"""Shapes that public exports of RapidPro and Glific have, older and newer ones: what they say and do here is what they said and did there."""

from typing import Any

import pytest

from apps.scenarios.engine import lint
from apps.scenarios.engine.contract import Facts, Fired, Said
from apps.scenarios.engine.flow import compile_definition
from apps.scenarios.foreign.rapidpro.texts import Used, write
from apps.scenarios.importer import Imported
from apps.scenarios.importers.rapidpro import RapidPro
from apps.scenarios.registry import actions, blocks
from tests.scenarios.engine.driving import NOON, Talk, fire, give_back, press
from tests.scenarios.importers.files import MESSAGE, Json, export, flow, node, said, switch

ANNA = Facts(person={"user_name": "Anna Smith"}, language="en")


def converted(data: Any) -> Imported:
    assert RapidPro().recognises(data)
    return RapidPro().convert(data)


def talk(found: Imported, *, facts: Facts = ANNA, key: str = "", entry: str = "") -> Talk:
    drawn = next(one for one in found.scenarios if one.key == key) if key else found.scenarios[0]
    problems = lint.check(drawn.definition, blocks=blocks, actions=actions, known_names=[*found.fields, "constants.crm_token"])
    assert [p.message for p in problems if p.level == "error" and p.code != "unknown_action"] == []
    return Talk(compile_definition(drawn.definition, blocks=blocks, actions=actions), facts=facts).start(
        **{"entry": entry} if entry else {}
    )


def told(found: Imported) -> list[tuple[str, str]]:
    return [(line.what, line.verdict) for line in found.lines]


def speaker(code: str) -> Facts:
    return Facts(person={"user_name": "Ana"}, language=code)


def older(*action_sets: Json, rules: tuple[Json, ...] = (), name: str = "Old", uuid: str = "old", **more: Any) -> Json:
    return {
        "base_language": "eng", "flow_type": "M", "version": "11.12", "entry": action_sets[0]["uuid"],
        "metadata": {"name": name, "uuid": uuid, "expires": 10080}, "action_sets": list(action_sets), "rule_sets": list(rules), **more,
    }  # fmt: skip


def acts(uuid: str, *listed: Json, to: str | None = None) -> Json:
    return {"uuid": uuid, "x": 0, "y": 0, "destination": to, "exit_uuid": f"{uuid}-out", "actions": list(listed)}


def reply(text: Any, **more: Any) -> Json:
    return {
        "type": "reply",
        "uuid": f"r-{text}",
        "msg": text if isinstance(text, dict) else {"eng": text},
        "media": {},
        "send_all": False,
        **more,
    }


def rules(uuid: str, kind: str | None, *listed: tuple[str, Json, str | None], label: str = "Response 1", **more: Any) -> Json:
    """Rules as category, test, destination."""
    return {
        "uuid": uuid, "x": 0, "y": 0, "ruleset_type": kind, "label": label, "operand": "@step.value", "config": {},
        "rules": [
            {"uuid": f"{uuid}-{index}", "category": {"eng": category}, "test": test, "destination": target}
            for index, (category, test, target) in enumerate(listed)
        ],
        **more,
    }  # fmt: skip


OTHER = {"type": "true", "test": "true"}


# --- older definitions -----------------------------------------------------------------------------------------------


def test_words_of_an_older_flow_are_understood_in_the_language_of_the_person() -> None:
    words = {"type": "contains_any", "test": {"eng": "green", "fra": "vert"}}
    data = {"version": "11.3", "flows": [older(
        acts("ask", reply({"eng": "Colour?", "fra": "Couleur ?"}), to="wait"), acts("good", reply("Fine: @flow.colour.category")), acts("bad", reply("No")),
        rules=(rules("wait", None, ("Green", words, "good"), ("Other", OTHER, "bad"), label="Colour"),),
    )]}  # fmt: skip
    found = converted(data)
    assert talk(found).tell(Said("dark GREEN!")).said[-1] == "Fine: Green"
    assert talk(found).tell(Said("vert")).said[-1] == "No"
    french = talk(found, facts=speaker("fr"))
    assert french.said == ["Couleur ?"]
    assert french.tell(Said("un vert, s'il vous plaît")).said[-1] == "Fine: Green"
    assert talk(found, facts=speaker("fr")).tell(Said("green")).said[-1] == "No"


def test_an_older_flow_calls_leaves_groups_and_keeps_phones() -> None:
    call = {"type": "api", "action": "POST", "webhook": "https://crm.example.com/code", "webhook_headers": [{"name": "Key", "value": "7"}]}
    save = {"type": "save", "field": "tel_e164", "label": "Phone", "value": "+12065550100"}
    groups = {"type": "add_group", "groups": [{"name": "Clients", "uuid": "g1"}, "Guests", "@contact.city"]}
    first = {"type": "save", "field": "first_name", "label": "First", "value": "Jo"}
    data = {
        "version": "11.3",
        "flows": [older(acts("go", groups, {"type": "del_group", "groups": []}, save, first, call, reply("Code @extra.code")))],
    }
    found = converted(data)
    chat = talk(found)
    for _times in range(4):
        chat.tell(give_back("ok"))
    kept = [act.params["values"] for act in chat.acts if act.action == "registered_users__set"]
    group_keys = {"group_clients", "group_guests"}
    assert kept == [dict.fromkeys(group_keys, True), dict.fromkeys(group_keys, False), {"phone": "+12065550100"}, {"name": "Jo Smith"}]
    assert (chat.acts[-1].params["method"], chat.acts[-1].params["headers"]) == ("POST", {"Key": "7"})
    assert chat.tell(give_back("ok", webhook={"code": "A1"})).said == ["Code A1"]
    assert ("add_contact_groups", "approximated") in told(found)
    assert {key: kind for key, (_label, kind) in found.fields.items()} == {"group_clients": "boolean", "group_guests": "boolean"}


def test_an_older_flow_calls_another_one_and_says_what_came_of_it() -> None:
    child = older(acts("ask", reply("Tea?"), to="wait"), name="Child", uuid="child", rules=(
        rules("wait", "wait_message", ("Yes", {"type": "contains", "test": {"eng": "yes"}}, None), ("No", OTHER, None), label="Tea Time"),))  # fmt: skip
    parent = older(acts("hi", reply("Hello @contact"), to="sub"), acts("done", reply("It was @child.tea_time.category, @parent.contact.name")), rules=(
        rules("sub", "subflow", ("Complete", {"type": "subflow", "exit_type": "completed"}, "done"), ("Expired", {"type": "subflow", "exit_type": "expired"}, None),
              config={"flow": {"name": "Child", "uuid": "child"}}),))  # fmt: skip
    chat = talk(converted({"version": 11, "flows": [parent, child]}), key="old")
    assert chat.said == ["Hello Anna Smith", "Tea?"]
    assert chat.tell(Said("oh yes")).said[-1] == "It was Yes, Anna Smith"


def test_the_oldest_files_name_flows_only_by_their_names_and_do_not_say_what_waits() -> None:
    def bare(name: str, *action_sets: Json, rules: tuple[Json, ...] = ()) -> Json:
        return {
            "definition": {"entry": (rules or action_sets)[0]["uuid"], "action_sets": list(action_sets), "rule_sets": list(rules)},
            "id": 7,
            "name": name,
        }

    split = rules("s", None, ("Set", {"type": "not_empty"}, "ask"), ("Other", OTHER, "none"), operand="@contact.visit")
    ask = rules("w", None, ("Yes", {"type": "contains_any", "test": "Yes Y"}, "go"), ("Other", OTHER, "none"))
    told_so = {"type": "reply", "msg": "You come on @contact.visit?"}
    data = {"version": 3, "flows": [
        bare("Confirm", acts("ask", told_so, to="w"), acts("go", {"type": "flow", "name": "Bye", "id": 8}), acts("none", {"type": "reply", "msg": "No visit"}), rules=(split, ask)),
        bare("Bye", acts("b", {"type": "reply", "msg": "See you"})),
    ], "campaigns": [{"name": "Visits", "group": {"name": "Guests", "id": 1}, "events": [
        {"event_type": "F", "relative_to": {"key": "visit", "label": "Visit"}, "flow": {"name": "Confirm", "id": 7}, "offset": -1, "delivery_hour": 10, "message": "", "unit": "D"}]}]}  # fmt: skip
    found = converted(data)
    assert talk(found, key="confirm").said == ["No visit"]
    chat = talk(found, key="confirm", facts=Facts(person={"visit": "Monday"}, language="en")).tell(Said("y"))
    assert chat.said == ["You come on Monday?", "See you"]
    assert found.scenarios[0].definition["triggers"][0]["days"] == -1


def test_older_rules_on_fields_of_a_form_and_on_a_call() -> None:
    asked = older(acts("ask", reply("Age and city?"), to="form"), acts("end", reply("Hi")), acts("bad", reply("Failed")), rules=(
        rules("form", "wait_message", ("All", OTHER, "first"), label="Form"),
        rules("first", "form_field", ("Adult", {"type": "gt", "test": "17"}, "hook"), ("Other", OTHER, None), label="Age",
              operand="@flow.form", config={"field_index": 0, "field_delimiter": "."}),
        rules("hook", "webhook", ("Success", {"type": "webhook_status", "status": "success"}, "end"),
              ("Failure", {"type": "webhook_status", "status": "failure"}, "bad"), label="Response 2",
              config={"webhook": "https://crm.example.com/a?b=@(WORD(flow.form, 1))", "webhook_action": "GET", "webhook_headers": []}),
    ))  # fmt: skip
    chat = talk(converted({"flows": [asked]})).tell(Said("42.Tashkent town"))
    assert chat.acts[-1].params["url"] == "https://crm.example.com/a?b=42.Tashkent"
    assert chat.tell(give_back("server_error", error="500")).said[-1] == "Failed"


def test_a_file_of_an_older_message_comes_only_with_an_address() -> None:
    picture = reply("Look", media={"eng": "image/png:attachments/3/x.png"}, quick_replies=[{"eng": "Ok", "fra": "Bon"}])
    other = reply("And", media={"eng": "image:https://img.example.com/a.png?g=@contact.city", "fra": "image:https://img.example.com/f.png"})
    found = converted({"flows": [older(acts("a", picture, other))]})
    near = next(line.message for line in found.lines if line.verdict == "approximated")
    assert "its address is not complete: attachments/3/x.png" in near
    chat = talk(found, facts=Facts(person={"city": "New York"}, language="en"))
    assert chat.contents[1]["media"][0]["url"] == "https://img.example.com/a.png?g=New%20York"
    assert talk(found, facts=speaker("fr")).contents[1]["media"][0]["url"] == "https://img.example.com/f.png"


# --- definitions 13 and 14 -------------------------------------------------------------------------------------------


def test_a_call_is_routed_by_its_status_and_a_ticket_by_what_it_opened() -> None:
    call = {"uuid": "c", "type": "call_webhook", "url": "https://crm.example.com/", "method": "GET", "headers": {}}
    ticket = {"uuid": "t", "type": "open_ticket", "note": "Help @contact", "topic": {"name": "Sales"}}
    data = flow("f", "New", switch("call", {"Success": "ticket", "Failure": "no"}, ("has_number_between", ["200", "299"], "Success"),
                                   operand="@webhook.status", actions=(call,)),
                switch("ticket", {"Success": "yes", "Failure": "no"}, ("has_text", [], "Success"), operand="@locals._new_ticket", actions=(ticket,)),
                node("yes", said("my", "An operator is here")), node("no", said("mn", "Nobody is here")), spec_version="14.4.0", language="und")  # fmt: skip
    found = converted(data)
    assert talk(found).tell(give_back("client_error", request_status=404)).said == ["Nobody is here"]
    chat = talk(found).tell(give_back("ok", request_status=200, webhook={}))
    assert chat.acts[-1].params["message"] == "Help Anna Smith"
    assert chat.tell(give_back("connected")).said == ["An operator is here"]
    again = talk(found).tell(give_back("ok", request_status=200, webhook={}))
    assert again.tell(give_back("limit")).said == ["Nobody is here"]


EDITORS_BODY = """@(json(object(
  "contact", object(
    "uuid", contact.uuid,
    "name", contact.name,
    "urn", contact.urn
  ),
  "flow", object(
    "uuid", run.flow.uuid,
    "name", run.flow.name
  ),
  "results", foreach_value(results, extract_object, "value", "category"),
  "source", "bot",
  "hash", sha256(contact.uuid)
)))"""


def test_the_body_that_the_editor_writes_is_an_object() -> None:
    call = {"uuid": "c", "type": "call_webhook", "url": "https://crm.example.com/", "method": "POST", "headers": {}, "body": EDITORS_BODY}
    data = flow(
        "f-7", "Order", switch("w", {"All": "c"}, wait=MESSAGE, result_name="Dish"), node("c", call, said("m", "@results.dish.category"))
    )
    found = converted(data)
    chat = talk(found, facts=Facts(person={"user_name": "Anna", "user_phone": "+1"}, lead={"id": "TG-1"}, language="en")).tell(Said("Soup"))
    assert chat.acts[0].params["body"] == {
        "contact": {"uuid": "TG-1", "name": "Anna", "urn": "+1"}, "flow": {"uuid": "f-7", "name": "Order"},
        "results": {"dish": {"value": "Soup", "category": "All"}}, "source": "bot",
    }  # fmt: skip
    message = next(line.message for line in found.lines if line.what == "call_webhook")
    assert message == "“hash” is left out of the body (the function sha256() has no counterpart)"


def test_functions_and_code_of_glific_are_told() -> None:
    call = {"uuid": "c", "type": "call_webhook", "url": "parse_via_chat_gpt", "method": "FUNCTION", "body": "{}", "result_name": "gpt"}
    found = converted(flow("f", "One", node("n", call, said("m", "Even: <%= rem(@results.n, 2) %>"))))
    assert told(found) == [("call_webhook", "unsupported"), ("send_msg", "approximated")]
    assert talk(found).said == ["Even: <%= rem(, 2) %>"]


def test_a_resthook_is_an_event_and_goes_the_good_way() -> None:
    hook = {"uuid": "h", "type": "call_resthook", "resthook": "New Registration", "result_name": "Hook"}
    data = flow("f", "Hook", switch("call", {"Success": "good", "Failure": "bad"}, ("has_category", ["Success"], "Success"), operand="@results.hook",
                                    actions=(hook,)), node("good", said("g", "Sent")), node("bad", said("b", "Lost")))  # fmt: skip
    found = converted(data)
    chat = talk(found)
    assert chat.said == ["Sent"]
    assert [event.name for event in chat.emitted] == ["resthook.new-registration"]
    assert ("call_resthook", "approximated") in told(found)


def test_what_is_left_out_of_a_message_is_told() -> None:
    sent = said("m", "Hello", template={"uuid": "t", "name": "welcome"}, template_variables=["@contact.name"], all_urns=True)
    found = converted(flow("f", "One", node("n", sent)))
    assert found.lines[0].verdict == "approximated"
    assert "template of WhatsApp" in found.lines[0].message
    assert "every address" in found.lines[0].message


def test_quick_replies_wait_although_something_is_kept_after_the_question() -> None:
    keep = {"uuid": "k", "type": "set_run_result", "name": "Asked", "value": "yes", "category": ""}
    replies: list[Any] = [{"text": "Red", "extra": "x"}, {"text": "Blue"}]
    data = flow("f", "One", node("n", said("m", "Colour?", quick_replies=replies), keep, to="w"),
                switch("w", {"Red": "r", "Other": "o"}, ("has_only_phrase", ["red"], "Red"), wait=MESSAGE, operand="@input.text", result_name="C"),
                node("r", said("mr", "Red it is")), node("o", said("mo", "Other")))  # fmt: skip
    chat = talk(converted(data))
    assert [button["label"] for row in chat.contents[-1]["buttons"] for button in row] == ["Red", "Blue"]
    assert chat.variables["asked"] == "yes"
    assert chat.tell(press("red")).said[-1] == "Red it is"
    assert talk(converted(data)).tell(Said("Red!")).said[-1] == "Red it is"
    assert talk(converted(data)).tell(Said("red wine")).said[-1] == "Other"


def test_answers_and_files_follow_the_language_of_the_person() -> None:
    ask = said("m", "Continue?", attachments=["image/jpeg:https://img.example.com/en.jpg"], quick_replies=["Yes", "No"])
    hindi = {
        "m": {"text": ["जारी रखें?"], "attachments": ["image/jpeg:https://img.example.com/hi.jpg"], "quick_replies": ["हाँ", "नहीं"]},
        "w-case-0": {"arguments": ["हाँ ठीक"]},
        "w-Yes": {"name": ["हाँ"]},
    }
    data = flow("f", "One", node("n", ask, to="w"), switch("w", {"Yes": "y", "Other": "o"}, ("has_any_word", ["yes, ok"], "Yes"), wait=MESSAGE),
                node("y", said("my", "Good")), node("o", said("mo", "Bye")), localization={"hin": hindi})  # fmt: skip
    found = converted(data)
    assert ("has_any_word", "exact") in told(found)
    chat = talk(found, facts=speaker("hi"))
    assert (chat.said, chat.contents[0]["media"][0]["url"]) == (["जारी रखें?"], "https://img.example.com/hi.jpg")
    assert chat.tell(press("yes")).said[-1] == "Good"
    assert talk(found, facts=speaker("hi")).tell(Said("नहीं")).said[-1] == "Bye"
    assert talk(found, facts=speaker("hi")).tell(Said("हाँस")).said[-1] == "Bye"  # a longer word
    assert talk(found).tell(Said("yes")).said[-1] == "Good"
    assert talk(found).tell(Said("okay")).said[-1] == "Bye"


def test_a_wait_for_a_place_takes_any_other_message_its_own_way() -> None:
    wait = {**MESSAGE, "hint": {"type": "location"}, "timeout": {"seconds": 60, "category_uuid": "w-Late"}}
    ways = {"Place": "p", "Late": "l", "Other": "o"}
    data = flow("f", "One", node("n", said("m", "Where?"), to="w"), switch("w", ways, ("has_text", [], "Place"), wait=wait, result_name="Place"),
                node("p", said("mp", "Thanks")), node("l", said("ml", "Too late")), node("o", said("mo", "That is no place")))  # fmt: skip
    found = converted(data)
    assert talk(found).tell(Said("", location={"latitude": 41.3, "longitude": 69.2})).said[-1] == "Thanks"
    assert talk(found).tell(Said("here")).said[-1] == "That is no place"
    assert talk(found).tell(lambda wait: Fired(visit=wait["visit"], reason="timeout")).said[-1] == "Too late"


def test_a_result_that_is_said_is_told_to_hold_the_whole_answer() -> None:
    data = flow("f", "One", switch("w", {"Red": "r", "Other": None}, ("has_any_word", ["red"], "Red"), wait=MESSAGE, result_name="Colour"),
                node("r", said("m", "@results.colour and @results.colour.category")))  # fmt: skip
    found = converted(data)
    assert ("result", "approximated") in told(found)
    assert talk(found).tell(Said("red, please")).said == ["red, please and Red"]


def test_a_number_in_a_sentence_is_told_not_to_be_found() -> None:
    data = flow("f", "One", switch("w", {"Adult": "a", "Other": "o"}, ("has_number_gte", ["18"], "Adult"), wait=MESSAGE),
                node("a", said("ma", "Adult")), node("o", said("mo", "Child")))  # fmt: skip
    found = converted(data)
    assert ("has_number_gte", "approximated") in told(found)
    assert talk(found).tell(Said("19")).said == ["Adult"]


def test_notes_of_the_canvas_and_attributes_of_texts_come_over() -> None:
    ui = {"stickies": {"s": {"title": "Why", "body": "Ask the law first", "position": {}}}, "nodes": {}}
    found = converted(flow("f", "One", node("n", said("m", "You are @fields.age, @contact.fields.email")), _ui=ui))
    assert found.scenarios[0].definition["sections"][0]["note"] == "Why: Ask the law first"
    assert found.fields == {"age": ("age", "text")}  # an e-mail address is no attribute, every person has one
    assert talk(found, facts=Facts(person={"age": 7, "user_email": "a@example.com"}, language="en")).said == ["You are 7, a@example.com"]


def test_a_split_by_a_field_as_the_migration_of_older_flows_writes_it() -> None:
    operand = '@(if(is_error(fields.gender), "@contact.gender", fields.gender))'
    data = flow("f", "One", switch("s", {"Female": "a", "Other": "b"}, ("has_any_word", ["female"], "Female"), operand=operand),
                switch("a", {"All": "c"}, operand="@(upper(fields.gender))", result_name="Kept"), node("b", said("mb", "Other")),
                node("c", said("mc", "Kept @results.kept")))  # fmt: skip
    found = converted(data)
    assert [verdict for _what, verdict in told(found)] == ["exact", "exact", "exact"]
    assert talk(found, facts=Facts(person={"gender": "Female"}, language="en")).said == ["Kept FEMALE"]
    assert talk(found).said == ["Other"]


# --- whole exports ---------------------------------------------------------------------------------------------------


def test_triggers_for_groups_begin_where_the_groups_are_looked_at() -> None:
    one, two = {"uuid": "g1", "name": "Clients"}, {"uuid": "g2", "name": "Staff"}
    target = {"uuid": "f", "name": "One"}
    data = export(
        flow("f", "One", node("n", said("m", "Welcome"))),
        triggers=[
            {"trigger_type": "K", "keyword": "go", "keywords": ["go", "start"], "flow": target, "groups": [one], "exclude_groups": [two], "match_type": "O"},
            {"trigger_type": "N", "flow": target, "groups": [], "exclude_groups": [], "keywords": [], "channel": None},
            {"trigger_type": "R", "flow": target, "groups": [], "referrer_id": "Promo 5"},
            {"trigger_type": "M", "flow": target, "groups": [one]},
        ],
        groups=[one, two, {"uuid": "g3", "name": "Adults", "query": "age > 17"}],
        fields=[{"key": "born", "name": "Born", "type": "datetime"}, {"key": "email", "name": "E-mail", "type": "text"}],
    )  # fmt: skip
    found = converted(data)
    keyword, new, referral = found.scenarios[0].definition["triggers"]
    assert (keyword["words"], keyword["match"], new) == (["go", "start"], "exact", {"kind": "new_chat"})
    assert referral == {"kind": "deep_link", "payload": "promo_5", "match": "exact"}
    for groups, expected in (({}, []), ({"group_clients": True}, ["Welcome"]), ({"group_clients": True, "group_staff": True}, [])):
        assert talk(found, facts=Facts(person=groups, language="en"), entry=keyword["entry"]).said == expected
    assert ("trigger missed call", "unsupported") in told(found)
    assert [(line.place, line.verdict) for line in found.lines if line.what == "group"][-1] == ("Adults", "unsupported")
    assert found.fields["born"] == ("Born", "date")
    assert {key for key, (_label, kind) in found.fields.items() if kind == "boolean"} == {"group_clients", "group_staff", "group_adults"}


def test_campaigns_speak_and_start_flows_for_their_group() -> None:
    around = {"label": "Enrolled", "key": "enrolled"}
    data = {
        "version": "13", "flows": [], "triggers": [],
        "campaigns": [{
            "name": "Follow up", "group": {"name": "New ones", "uuid": "g"},
            "events": [
                {"event_type": "M", "relative_to": around, "offset": 15, "unit": "D", "delivery_hour": 9, "message": {"swa": "Hujambo", "eng": "Hello @contact"}, "base_language": "eng", "flow": None},
                {"event_type": "F", "relative_to": around, "offset": 2, "unit": "H", "delivery_hour": -1, "message": None, "flow": {"uuid": "gone", "name": "Gone"}},
                {"event_type": "M", "relative_to": {"key": "created_on", "label": "Created On"}, "offset": 1, "unit": "D", "delivery_hour": 9, "message": {"eng": "Day one"}},
            ],
        }],
    }  # fmt: skip
    found = converted(data)
    assert [drawn.key for drawn in found.scenarios] == ["follow-up-15d", "follow-up-1d"]
    trigger = found.scenarios[0].definition["triggers"][0]
    assert trigger == {
        "kind": "date", "attribute": "enrolled", "days": 15, "at": "09:00", "when": {"variable": "group_new_ones", "operator": "is_yes"},
    }  # fmt: skip
    assert talk(found).said == ["Hello Anna Smith"]
    assert talk(found, facts=speaker("sw")).said == ["Hujambo"]
    assert [line.verdict for line in found.lines if line.what == "campaign"] == ["exact", "unsupported", "unsupported"]
    assert found.fields == {"enrolled": ("Enrolled", "text"), "group_new_ones": ("New ones", "boolean")}


# --- Glific ----------------------------------------------------------------------------------------------------------


def glific(*flows: Json, **more: Any) -> Json:
    return {
        "flows": [{"definition": one, "keywords": ["menu"]} for one in flows],
        "contact_field": ["full_name", "role"],
        "collections": ["Helpers"],
        **more,
    }


def test_interactive_messages_ask_with_their_buttons() -> None:
    quick = '{"type":"quick_reply","content":{"type":"text","header":"Lunch","text":"What would you like, @contact?","caption":"Closed at 4"},"options":[{"type":"text","title":"Soup"},{"type":"text","title":"Salad"}]}'
    listed = {
        "type": "list", "title": "Menu", "body": "Choose one", "globalButtons": [{"type": "text", "title": "Open"}],
        "items": [{"title": "Hot", "options": [{"type": "text", "title": "Tea"}]}, {"title": "Cold", "options": [{"type": "text", "title": "Water"}]}],
    }  # fmt: skip
    place = {"type": "location_request_message", "body": {"type": "text", "text": "Where are you?"}, "action": {"name": "send_location"}}
    data = glific(
        flow("f", "Lunch", node("n", {"uuid": "a", "type": "send_interactive_msg", "id": 5, "name": "Lunch", "text": quick}, to="w"),
             switch("w", {"Soup": "d", "Other": None}, ("has_any_word", ["soup"], "Soup"), wait=MESSAGE, operand="@input.text", result_name="dish"),
             node("d", {"uuid": "b", "type": "send_interactive_msg", "id": 6, "name": "Drinks"}, to="v"),
             switch("v", {"Tea": "p", "Other": "p"}, ("has_phrase", ["tea"], "Tea"), wait=MESSAGE, operand="@input.text", result_name="drink"),
             node("p", {"uuid": "c", "type": "send_interactive_msg", "id": 7, "name": "Place"}, to="u"),
             switch("u", {"Here": "e", "Other": None}, ("has_location", [], "Here"), wait=MESSAGE, operand="@input.text", result_name="place"),
             node("e", said("e", "On our way")), language="base"),
        interactive_templates=[
            {"source_id": 6, "label": "Drinks", "type": "list", "interactive_content": listed, "translations": {"1": listed, "2": listed}, "language_id": 1},
            {"source_id": 7, "label": "Place", "type": "location_request_message", "interactive_content": place, "translations": {"1": place}},
        ],
    )  # fmt: skip
    found = converted(data)
    chat = talk(found)
    assert chat.said == ["Lunch\nWhat would you like, Anna Smith?\nClosed at 4"]
    assert chat.tell(press("soup")).said[-1] == "Menu\nChoose one"
    assert [button["label"] for row in chat.contents[-1]["buttons"] for button in row] == ["Tea", "Water"]
    assert chat.tell(press("water")).said[-1] == "Where are you?"
    assert chat.tell(Said("", location={"latitude": 1.0, "longitude": 2.0})).said[-1] == "On our way"
    near = [line.message for line in found.lines if line.what == "send_msg and wait"]
    assert near == [
        "",
        "the groups of its list are one row of buttons; its translations are left out, because the file does not name their languages",
        "",
    ]
    assert found.scenarios[0].definition["triggers"][0]["words"] == ["menu"]
    assert found.fields == {"full_name": ("full_name", "text"), "role": ("role", "text"), "group_helpers": ("Helpers", "boolean")}


def test_a_template_that_the_file_does_not_hold_is_told() -> None:
    found = converted(
        glific(flow("f", "One", node("n", {"uuid": "a", "type": "send_interactive_msg", "id": 9, "name": "Gone"}, said("m", "After"))))
    )
    assert told(found)[1:3] == [("send_interactive_msg", "unsupported"), ("send_msg", "exact")]


def test_languages_are_named_by_words_and_flows_come_alone_in_a_definition() -> None:
    keep = {"uuid": "l", "type": "set_contact_language", "language": "hindi"}
    clear = {"uuid": "k", "type": "set_contact_language", "language": ""}
    found = converted({"definition": flow("f", "One", node("n", keep, clear, said("m", "Done"))), "metadata": {"issues": []}})
    chat = talk(found).tell(give_back("ok")).tell(give_back("ok"))
    assert [act.params["values"] for act in chat.acts] == [{"language": "hi"}, {"language": ""}]
    assert chat.said == ["Done"]


# --- formulas --------------------------------------------------------------------------------------------------------


def test_a_flow_that_was_over_after_an_hour_is_over_after_an_hour() -> None:
    call = {"uuid": "e", "type": "enter_flow", "flow": {"uuid": "ask", "name": "Ask"}}
    ways = (("has_only_text", ["completed"], "Complete"), ("has_only_text", ["expired"], "Expired"))
    data = export(
        flow("main", "Main", switch("n", {"Complete": "c", "Expired": "x"}, *ways, operand="@child.run.status", actions=(call,)),
             node("c", said("c", "Thank you")), node("x", said("x", "Another time then"), to="later"),
             switch("later", {"All": "c"}, wait=MESSAGE), expire_after_minutes=10_080),
        flow("ask", "Ask", node("q", said("q", "Sure?"), to="w"), switch("w", {"All": None}, wait=MESSAGE),
             expire_after_minutes=60, ignore_triggers=True),
    )  # fmt: skip
    found = converted(data)
    assert talk(found).tell(Said("yes")).said == ["Sure?", "Thank you"]
    silent = talk(found).later(minutes=61).tell(fire("timeout"))
    assert silent.said == ["Sure?", "Another time then"]
    assert silent.later(days=30).timers[1:] == []  # a week is what every flow has there
    alone = talk(found, key="ask")
    assert alone.wait["interruptible"] is False
    assert alone.later(minutes=61).tell(fire("timeout")).last.status == "ended"


def test_an_older_flow_is_over_after_its_time_too() -> None:
    rule = rules("r", "wait_message", ("All", OTHER, None))
    asked = older(acts("a", reply("Sure?"), to="r"), rules=(rule,))
    asked["metadata"]["expires"] = 30
    chat = talk(converted({"version": "11.12", "flows": [asked]}))
    assert chat.later(minutes=31).tell(fire("timeout")).last.status == "ended"


def based(**localization: Json) -> Json:
    ask = switch("w", {"Yes": "y", "Other": "o"}, ("has_any_word", ["sim"], "Yes"), wait=MESSAGE, actions=(said("q", "Tudo bem?"),))
    return flow("f", "One", node("m", said("m", "Bom dia"), to="w"), ask, node("y", said("y", "Que bom")), node("o", said("o", "Pena")),
                language="base", localization=localization)  # fmt: skip


def test_texts_of_no_language_are_of_the_one_whose_translations_say_the_same() -> None:
    english = {"m": {"text": ["Good morning"]}, "q": {"text": ["All fine?"]}, "w-case-0": {"arguments": ["yes"]}}
    portuguese = {
        "m": {"text": ["Bom dia"]}, "q": {"text": ["Tudo certo?"]}, "y": {"text": ["Que bom"]}, "w-case-0": {"arguments": ["claro"]},
    }  # fmt: skip
    found = converted(based(eng=english, por=portuguese))
    assert found.scenarios[0].definition["default_language"] == "pt"
    assert talk(found, facts=speaker("en")).tell(Said("yes")).said == ["Good morning", "All fine?", "Que bom"]
    for answer, last in (("sim", "Que bom"), ("claro", "Que bom"), ("não", "Pena")):
        assert talk(found, facts=speaker("pt")).tell(Said(answer)).said == ["Bom dia", "Tudo certo?", last]


def test_texts_of_no_language_stay_beside_english_ones() -> None:
    found = converted(based(eng={"m": {"text": ["Good morning"]}, "w-case-0": {"arguments": ["yes"]}}))
    assert found.scenarios[0].definition["languages"] == ["und", "en"]
    assert talk(found, facts=speaker("en")).said[0] == "Good morning"
    assert talk(found, facts=speaker("ru")).tell(Said("sim")).said == ["Bom dia", "Tudo bem?", "Que bom"]
    assert ("language", "approximated") in told(found)
    assert converted(based(hi={"m": {"text": ["..."]}})).scenarios[0].definition["default_language"] == "en"


def test_small_losses_are_told() -> None:
    listed = '{"type":"list","title":"Teams","body":"Choose","items":[{"title":"All","options":[{"type":"text","title":"A","description":"north"}]}]}'
    found = converted(
        flow("f", "One", node("n",
            said("l", "Hi", labels=[{"name": "Started", "uuid": "1"}]),
            said("t", "", templating={"template": {"name": "ticket", "uuid": "2"}, "variables": ["a"]}),
            said("p", "Choose @contact.list_profiles"),
            {"uuid": "i", "type": "send_interactive_msg", "id": 1, "name": "Teams", "text": listed, "labels": [{"name": "x"}]}, to="w"),
            switch("w", {"All": None}, wait=MESSAGE))
    )  # fmt: skip
    assert [line.message for line in found.lines] == [
        "its labels are left out",
        "The words of a message template of WhatsApp are not in the file.",
        "kept as text: @contact.list_profiles (nothing here is “contact.list_profiles”)",
        "its labels are left out; what stands below the items of its list is left out",
    ]
    assert "list_profiles" not in found.fields


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("@(format_location(fields.state)) Members", "Kigali City Members"),
        ('@(replace(lower(contact.name), " ", "_"))', "anna_smith"),
        ("@(word(fields.list, 1)) of @(word_count(fields.list))", "two of 3"),
        ("@(word_slice(fields.list, 1, -1))", "two three"),
        ("@(remove_first_word(fields.list))", "two three"),
        ('@(field(fields.parts, 1, ";"))', "b"),
        ("@(title(fields.list))!", "One Two Three!"),
        ("@(left(fields.list, 3))@(right(fields.list, 2))", "oneee"),
        ('@(datetime_add(now(), -1, "D"))', "2026-05-19T12:00:00+00:00"),
        ('@(format_date(now(), "YYYY-MM-DD")) @(format_datetime(now(), "tt:mm"))', "2026-05-20 12:00"),
        ("@(date.today + 3) @date.tomorrow @date.yesterday", "2026-05-23 2026-05-21 2026-05-19"),
        ('@(if(is_error(fields.gone), "none", fields.gone))', "none"),
        ('@(if(fields.age >= 18, if(fields.age > 65, "old", "adult"), "child"))', "adult"),
        ("@(trigger.params.coupons[0].code)", "C1"),
        ("@(max(fields.age, 50)) @(len(fields.list)) @(text_length(fields.list))", "50 13 13"),
        ("@results.list.values @resume.x", "@results.list.values @resume.x"),
    ],
)
def test_formulas_say_what_they_said_there(template: str, shown: str) -> None:
    values = {"state": "Rwanda > Kigali City", "list": "one two three", "parts": "a;b;c", "age": 40, "coupons": [{"code": "C1"}]}
    found = converted(flow("f", "One", node("n", said("m", template))))
    chat = talk(found, facts=Facts(person={"user_name": "Anna Smith", **values}, language="en"))
    assert (chat.said, chat.now) == ([shown], NOON)


@pytest.mark.parametrize(
    "bomb",
    ["@(" + "(" * 5_000, "@(" + "if(true, " * 500 + "1" + ", 2)" * 500 + ")", "@(1" + "+1" * 5_000 + ")", '@("' + "a" * 9_000 + '")', "@(word(x, 1e999))",
     "@(" * 3_000, "@" * 9_001, "@(a" + "[0]" * 900 + ")", '@(field(x, -99999999999999999999, "\\""))', "@(datetime_add(now(), 9, 9))", "@(format_date(1, 2, 3))"],
)  # fmt: skip
def test_bombs_of_formulas_stay_text(bomb: str) -> None:
    assert isinstance(write(bomb, Used()).text, str)
