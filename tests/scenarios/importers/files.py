"""Files of other systems in the small: every shape that their exports have, written for these tests."""

from typing import Any

Json = dict[str, Any]


def exits(*targets: str | None) -> list[Json]:
    return [{"uuid": f"exit-{index}-{target}", "destination_uuid": target} for index, target in enumerate(targets)]


def node(uuid: str, *actions: Json, to: str | None = None, **more: Any) -> Json:
    return {"uuid": uuid, "actions": list(actions), "exits": exits(to), **more}


def said(uuid: str, text: str, **more: Any) -> Json:
    return {"uuid": uuid, "type": "send_msg", "text": text, **more}


def switch(uuid: str, ways: Json, *cases: tuple[str, list[Any], str], actions: tuple[Json, ...] = (), **router: Any) -> Json:
    """A node with a router: `ways` are category → node, the last one is the default; a case is (test, arguments, category)."""
    outs = {name: f"{uuid}-{name}-exit" for name in ways}
    return {
        "uuid": uuid,
        "actions": list(actions),
        "router": {
            "type": "switch",
            "categories": [{"uuid": f"{uuid}-{name}", "name": name, "exit_uuid": outs[name]} for name in ways],
            "cases": [
                {"uuid": f"{uuid}-case-{index}", "type": kind, "arguments": arguments, "category_uuid": f"{uuid}-{name}"}
                for index, (kind, arguments, name) in enumerate(cases)
            ],
            "default_category_uuid": f"{uuid}-{list(ways)[-1]}",
            **router,
        },
        "exits": [{"uuid": outs[name], "destination_uuid": target} for name, target in ways.items()],
    }


MESSAGE = {"type": "msg"}


def flow(uuid: str, name: str, *nodes: Json, **more: Any) -> Json:
    return {"uuid": uuid, "name": name, "spec_version": "13.1.0", "language": "eng", "type": "messaging", "nodes": list(nodes), **more}


def export(*flows: Json, **more: Any) -> Json:
    return {"version": "13", "site": "https://flows.example.com", "flows": list(flows), **more}


SURVEY = export(
    flow(
        "f-colours",
        "Favourite colours",
        node("hi", said("m-hi", "Hi @contact.first_name, write to me@@example.com or bob@example.com {{ not ours }}"), to="ask"),
        node("ask", said("m-ask", "Which colour?", quick_replies=["Red", "Blue"]), to="answer"),
        switch(
            "answer",
            {"Red": "keep", "Blue": "keep", "No Response": None, "Other": "again"},
            ("has_any_word", ["red crimson"], "Red"),
            ("has_any_word", ["blue"], "Blue"),
            operand="@input.text",
            result_name="Colour",
            wait={**MESSAGE, "timeout": {"seconds": 600, "category_uuid": "answer-No Response"}},
        ),
        node("again", said("m-again", "I do not know that colour."), to="answer"),
        node(
            "keep",
            {
                "uuid": "a-keep",
                "type": "set_contact_field",
                "field": {"key": "colour", "name": "Colour"},
                "value": "@results.colour.category",
            },
            {"uuid": "a-groups", "type": "add_contact_groups", "groups": [{"uuid": "g", "name": "Painters"}]},
            {"uuid": "a-air", "type": "transfer_airtime"},
            to="age",
        ),
        switch(
            "age",
            {"Complete": "bye", "Expired": None},
            ("has_only_text", ["completed"], "Complete"),
            operand="@child.run.status",
            actions=({"uuid": "a-age", "type": "enter_flow", "flow": {"uuid": "f-age", "name": "Age"}},),
        ),
        node("bye", said("m-bye", "Next year you are @(results.age + 1). @(epoch(now()))")),
        localization={"spa": {"m-ask": {"text": ["¿Qué color?"], "quick_replies": ["Rojo", "Azul"]}}},
        _ui={"nodes": {"hi": {"position": {"left": 100, "top": 40}}}},
    ),
    flow(
        "f-age",
        "Age",
        switch(
            "age",
            {"Ok": None, "Other": "age"},
            ("has_number_between", ["1", "120"], "Ok"),
            operand="@input.text",
            result_name="Age",
            wait=MESSAGE,
            actions=(said("m-age", "How old are you?"),),
        ),
    ),
    triggers=[
        {"trigger_type": "K", "keywords": ["colour"], "match_type": "F", "flow": {"uuid": "f-colours", "name": "Favourite colours"}},
        {"trigger_type": "S", "flow": {"uuid": "f-colours", "name": "Favourite colours"}},
    ],
    fields=[{"key": "colour", "name": "Colour", "type": "text"}, {"key": "born", "name": "Born", "type": "datetime"}],
    campaigns=[
        {
            "name": "Reminders",
            "events": [
                {
                    "event_type": "F",
                    "offset": -1,
                    "unit": "W",
                    "delivery_hour": 9,
                    "relative_to": {"key": "born"},
                    "flow": {"uuid": "f-age"},
                },
                {"event_type": "M", "offset": 1, "unit": "D", "relative_to": {"key": "born"}, "message": {"eng": "Hello"}},
            ],
        }
    ],
)

ORDER = export(
    flow(
        "f-order",
        "Order",
        switch(
            "call",
            {"Success": "good", "Failure": "bad"},
            ("has_only_text", ["Success"], "Success"),
            operand="@results.order.category",
            actions=(
                {
                    "uuid": "a-call", "type": "call_webhook", "method": "POST", "url": "https://crm.example.com/o/@(url_encode(input.text))",
                    "headers": {"Authorization": "Token @globals.crm_token"}, "body": '{"name": "@contact.name"}', "result_name": "Order",
                },
            ),
        ),
        node("good", said("m-good", "Order @webhook.json.id: @results.order.extra.state")),
        node("bad", said("m-bad", "Sorry")),
    )
)  # fmt: skip

LEGACY = {
    "version": "11.12",
    "flows": [
        {
            "base_language": "eng",
            "flow_type": "F",
            "version": "11.12",
            "metadata": {"name": "Sign up", "uuid": "old"},
            "entry": "first",
            "action_sets": [
                {
                    "uuid": "last", "x": 10, "y": 400, "destination": None,
                    "actions": [
                        {"type": "save", "field": "name", "label": "Name", "value": "@flow.name"},
                        {"type": "reply", "msg": {"eng": "Thank you, @(UPPER(flow.name))!", "fra": "Merci, @flow.name !"}},
                    ],
                },
                {
                    "uuid": "first", "x": 10, "y": 0, "destination": "wait",
                    "actions": [{"type": "reply", "msg": {"eng": "What is your name?", "fra": "Votre nom ?"}}],
                },
            ],
            "rule_sets": [
                {
                    "uuid": "wait", "x": 10, "y": 200, "label": "Name", "ruleset_type": "wait_message", "operand": "@step.value",
                    "rules": [
                        {"uuid": "r1", "category": {"eng": "Short"}, "destination": "first", "test": {"type": "regex", "test": {"eng": "^.$"}}},
                        {"uuid": "r2", "category": {"eng": "All Responses"}, "destination": "last", "test": {"type": "true"}},
                    ],
                }
            ],
        }
    ],
}  # fmt: skip


def paragraph(*children: Json) -> Json:
    return {"type": "p", "children": list(children)}


def bubble(block_id: str, *children: Json, **more: Any) -> Json:
    return {"id": block_id, "type": "text", "content": {"richText": [paragraph(*children)]}, **more}


TYPEBOT = {
    "version": "6",
    "id": "cl-lead",
    "name": "Lead score",
    "events": [{"id": "begin", "type": "start", "outgoingEdgeId": "e-begin", "graphCoordinates": {"x": 0, "y": 0}}],
    "variables": [{"id": "v-score", "name": "Lead Score"}, {"id": "v-company", "name": "Company"}, {"id": "v-staff", "name": "Staff"}],
    "groups": [
        {
            "id": "g-hello", "title": "Welcome", "graphCoordinates": {"x": 0, "y": 0},
            "blocks": [
                bubble("b-hi", {"text": "Hello, "}, {"text": "guest", "bold": True}, {"text": " <3"}),
                {"id": "b-zero", "type": "Set variable", "options": {"variableId": "v-score", "expressionToEvaluate": "0"}},
                bubble("b-which", {"text": "Which company?"}),
                {"id": "b-company", "type": "text input", "options": {"variableId": "v-company"}, "outgoingEdgeId": "e-company"},
            ],
        },
        {
            "id": "g-staff", "title": "Staff", "graphCoordinates": {"x": 400, "y": 0},
            "blocks": [
                {"id": "b-ten", "type": "Set variable", "options": {"variableId": "v-score", "expressionToEvaluate": "{{Lead Score}} + 10"}},
                bubble("b-many", {"text": "How many people work at {{Company}}?"}),
                {"id": "b-staff", "type": "number input", "options": {"variableId": "v-staff", "min": 1}},
                {
                    "id": "b-if", "type": "Condition",
                    "items": [
                        {
                            "id": "i-big", "outgoingEdgeId": "e-big",
                            "content": {
                                "logicalOperator": "AND",
                                "comparisons": [{"id": "c", "variableId": "v-staff", "comparisonOperator": "Greater than", "value": "30"}],
                            },
                        }
                    ],
                },
                bubble("b-small", {"text": "A small team: {{Lead Score}} points."}),
                {"id": "b-code", "type": "Code", "options": {"content": "alert(1)"}},
            ],
        },
        {
            "id": "g-big", "title": "Big", "graphCoordinates": {"x": 800, "y": 0},
            "blocks": [
                bubble("b-again", {"text": "A big one! Once more?"}),
                {
                    "id": "b-choice", "type": "choice input", "outgoingEdgeId": None,
                    "items": [{"id": "i-yes", "content": "Yes", "outgoingEdgeId": "e-yes"}, {"id": "i-no", "content": "No"}],
                },
            ],
        },
    ],
    "edges": [
        {"id": "e-begin", "from": {"eventId": "begin"}, "to": {"groupId": "g-hello"}},
        {"id": "e-company", "from": {"blockId": "b-company"}, "to": {"groupId": "g-staff"}},
        {"id": "e-big", "from": {"blockId": "b-if", "itemId": "i-big"}, "to": {"groupId": "g-big"}},
        {"id": "e-yes", "from": {"blockId": "b-choice", "itemId": "i-yes"}, "to": {"groupId": "g-hello", "blockId": "b-zero"}},
    ],
}  # fmt: skip


def jump(block_id: str, kind: str, group: str) -> Json:
    return {"id": block_id, "type": kind, "options": {"groupId": group, **({"typebotId": "current"} if kind == "Typebot link" else {})}}


CALLS = {
    "version": "6.1",
    "name": "Calls",
    "events": [
        {"id": "begin", "type": "start", "outgoingEdgeId": "e-begin"},
        {"id": "leave", "type": "command", "outgoingEdgeId": "e-pick", "options": {"command": "leave"}},
    ],
    "variables": [{"id": "v-all", "name": "All", "value": ["a"]}, {"id": "v-city", "name": "City", "value": "Paris"}],
    "groups": [
        {"id": "one", "title": "One", "blocks": [
            jump("l", "Typebot link", "pick"), jump("j", "Jump", "hey"),
            {"id": "s", "type": "Set variable", "options": {"variableId": "v-all", "type": "Append value(s)", "item": "{{City}}"}},
            bubble("t", {"text": "{{City}}"}),
        ]},
        {"id": "pick", "title": "Pick", "blocks": [
            {"id": "c", "type": "cards", "options": {"saveResponseMapping": [{"variableId": "v-city"}]}, "items": [
                {"id": "p", "title": "Paris", "imageUrl": "https://img.example.com/p.png", "paths": [{"id": "p1", "text": "Go", "outgoingEdgeId": "e-hey"}]}]},
            jump("l2", "Typebot link", "one"), bubble("t2", {"text": "After"}),
        ]},
        {"id": "hey", "title": "Hey", "blocks": [bubble("h", {"text": "Hey"}), {"id": "r", "type": "Return"}]},
    ],
    "edges": [{"id": "e-begin", "to": {"groupId": "one"}}, {"id": "e-hey", "to": {"groupId": "hey"}}, {"id": "e-pick", "to": {"groupId": "pick"}}],
}  # fmt: skip

WHOLE = {
    "flows": [
        {
            "keywords": ["menu"],
            "definition": flow(
                "f", "Whole",
                node("n", {"uuid": "a", "type": "send_interactive_msg", "id": 5, "name": "Lunch"}, {"uuid": "k", "type": "remove_contact_groups", "all_groups": True}, to="w"),
                switch("w", {"Soup": "t", "Other": "n"}, ("has_any_word", ["soup"], "Soup"), ("has_phrase", ["hot soup"], "Soup"), wait=MESSAGE, result_name="Dish"),
                switch("t", {"Success": None, "Failure": "n"}, ("has_category", ["Success"], "Success"), operand="@results.hook",
                       actions=({"uuid": "h", "type": "call_resthook", "resthook": "new", "result_name": "Hook"}, {"uuid": "o", "type": "open_ticket", "note": "x"})),
                localization={"hin": {"w-case-0": {"arguments": ["सूप"]}, "a": {"text": ["x"]}}},
                _ui={"stickies": {"s": {"title": "Why", "body": "Because"}}},
            ),
        }
    ],
    "interactive_templates": [{"source_id": 5, "label": "Lunch", "interactive_content": {
        "type": "quick_reply", "content": {"type": "image", "url": "https://img.example.com/l.png", "text": "What?"}, "options": [{"title": "Soup"}, {"title": "None"}]}}],
    "triggers": [{"trigger_type": "K", "keywords": ["go"], "flow": {"uuid": "f"}, "groups": [{"name": "A"}], "exclude_groups": [{"name": "B"}], "match_type": "O"}],
    "campaigns": [{"name": "C", "group": {"name": "A"}, "events": [
        {"event_type": "M", "relative_to": {"key": "born"}, "offset": 1, "unit": "W", "delivery_hour": 8, "message": {"eng": "Hi"}},
        {"event_type": "F", "relative_to": {"key": "born"}, "offset": 1, "unit": "D", "delivery_hour": 8, "flow": {"uuid": "f"}}]}],
    "groups": [{"name": "A"}, {"name": "Q", "query": "age > 1"}],
    "fields": [{"key": "born", "name": "Born", "type": "datetime"}],
    "contact_field": ["role"],
    "collections": ["Helpers"],
}  # fmt: skip

# Of Weni: a list of WhatsApp, the kind of the channel, one more try, a call with what the start gave.
WHATSAPP_LIST: Json = {
    "type": "send_whatsapp_msg", "uuid": "list", "messageType": "interactive", "interaction_type": "list", "header_type": "text",
    "header_text": "Sua visita", "text": "Como foi?", "footer": "Leva um minuto.", "button_text": "Escolher", "quick_replies": [],
    "flow_data_attachment_name_map": {},
    "list_items": [{"uuid": "good", "title": "Muito bom 😃", "description": ""}, {"uuid": "bad", "title": "Ruim 😣", "description": ""}],
}  # fmt: skip
RATED = switch(
    "rating",
    {"5": "keep", "1": "keep", "No Response": "tries", "Other": "tries"},
    ("has_only_phrase", ["Muito bom 😃"], "5"), ("has_only_phrase", ["Ruim 😣"], "1"), ("has_any_word", ["ótimo otimo"], "5"),
    operand="@input.text", result_name="nota", wait={**MESSAGE, "timeout": {"seconds": 600, "category_uuid": "rating-No Response"}},
)  # fmt: skip
RATING = export(
    flow(
        "csat", "Pesquisa",
        node("hi", {"uuid": "zero", "type": "set_run_result", "name": "tentativa", "value": "0", "category": ""}, said("hi", "Antes de sair"), to="scheme"),
        switch("scheme", {"WhatsApp": "list", "Other": "plain"}, ("has_only_phrase", ["whatsapp"], "WhatsApp"), operand="@(urn_parts(contact.urn).scheme)", result_name=""),
        node("list", WHATSAPP_LIST, to="rating"),
        node("plain", said("plain", "Como foi?", quick_replies=["Muito bom 😃", "Ruim 😣"]), to="rating"),
        RATED,
        switch("tries", {"Once": None, "Other": "again"}, ("has_any_word", ["1"], "Once"), operand="@results.tentativa"),
        node("again", said("again", "Por favor"), {"uuid": "one", "type": "set_run_result", "name": "tentativa", "value": "@(results.tentativa +1)"}, to="scheme"),
        node("keep", {"uuid": "k", "type": "set_contact_field", "field": {"key": "nota_final", "name": "Nota"}, "value": "@results.nota.category"}, to="call"),
        switch("call", {"Success": "bye", "Failure": "bye"}, ("has_only_text", ["Success"], "Success"), operand="@results.result.category",
               actions=({"uuid": "c", "type": "call_webhook", "url": "@trigger.params.webhook_url", "method": "POST", "result_name": "Result",
                         "headers": {"Authorization": "Token @trigger.params.token"},
                         "body": '@(json(object("room", trigger.params.room, "rating", results.nota.category)))'},)),
        node("bye", said("bye", "Nota @results.nota.category")),
        language="base",
        localization={
            "spa": {
                "list": {"header_text": ["Su visita"], "text": ["¿Cómo fue?"], "footer": ["Un minuto."], "button_text": ["Elegir"], "quick_replies": []},
                "good": {"title": ["Muy bien 😃"], "description": [""]}, "bad": {"title": ["Mal 😣"], "description": [""]},
                "rating-case-0": {"arguments": ["Muy bien 😃"]}, "rating-case-1": {"arguments": ["Mal 😣"]},
                "again": {"text": ["Por favor, conteste"], "attachments": []},
            }
        },
        _ui={"nodes": {"hi": {"position": {"left": "521.5", "top": "2346"}}}},
    )
)  # fmt: skip
