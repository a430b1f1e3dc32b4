"""Shapes of Weni's exports, a system that grew out of RapidPro: lists and buttons of WhatsApp, channels, a router with an AI, its own actions."""

import pytest

from apps.scenarios.engine.contract import Facts, Said
from tests.scenarios.engine.driving import fire, give_back, press
from tests.scenarios.importers.files import MESSAGE, RATING, Json, export, flow, node, said, switch
from tests.scenarios.importers.test_rapidpro_shapes import converted, speaker, talk, told


def on(kind: str, code: str = "pt") -> Facts:
    return Facts(person={"user_name": "Ana"}, language=code, channel={"kind": kind, "name": kind})


def labels(content: Json) -> list[str]:
    return [button["label"] for row in content["buttons"] for button in row]


def test_a_list_of_whatsapp_asks_with_its_items_in_every_language() -> None:
    found = converted(RATING)
    chat = talk(found, facts=on("whatsapp"))
    assert chat.said == ["Antes de sair", "Sua visita\nComo foi?\nLeva um minuto."]
    assert labels(chat.contents[-1]) == ["Muito bom 😃", "Ruim 😣"]
    chat.tell(press("muito-bom"))
    assert chat.acts[-1].params["values"] == {"nota_final": "5"}

    spanish = talk(found, facts=on("whatsapp", "es"))
    assert spanish.said[-1] == "Su visita\n¿Cómo fue?\nUn minuto."
    assert labels(spanish.contents[-1]) == ["Muy bien 😃", "Mal 😣"]
    assert spanish.tell(Said("mal 😣")).acts[-1].params["values"] == {"nota_final": "1"}
    assert ("send_msg and wait", "exact") in told(found)


def test_the_kind_of_the_channel_leads_to_buttons_of_their_own_and_is_told() -> None:
    found = converted(RATING)
    assert talk(found, facts=on("telegram")).said == ["Antes de sair", "Como foi?"]
    lines = [line.message for line in found.lines if line.what == "router"]
    assert lines == ["it looks at the kind of the channel: telegram, widget, api or one of your own"]


def test_one_more_try_and_then_the_end() -> None:
    chat = talk(converted(RATING), facts=on("telegram"))
    assert chat.tell(Said("???")).said[-2:] == ["Por favor", "Como foi?"]
    assert chat.later(minutes=11).tell(fire("timeout")).last.status == "ended"
    assert chat.said.count("Como foi?") == 2


def test_what_the_start_gave_is_sent() -> None:
    chat = talk(converted(RATING), facts=on("telegram")).tell(Said("Ótimo!")).tell(give_back("ok"))
    assert chat.acts[-1].params["body"] == {"room": "", "rating": "5"}
    assert chat.tell(give_back("ok")).said[-1] == "Nota 5"


@pytest.mark.parametrize(
    ("more", "text", "verdict"),
    [
        ({"text": "Oi", "messageType": "simple", "header_type": "media"}, "Oi", "exact"),
        ({"text": "Oi", "interaction_type": "cta_url", "button_text": "Abrir", "action_url": "https://example.com/@results.x"}, "Oi\nAbrir: https://example.com/", "approximated"),
        ({"text": "Oi", "interaction_type": "flow_msg", "flow_id": "1", "flow_screen": "S"}, None, "unsupported"),
        ({"text": "Oi", "interaction_type": "order_details", "order_details": {}}, None, "unsupported"),
        ({"text": 5, "list_items": "x", "quick_replies": {"a": 1}, "attachment": [1], "header_type": "media"}, "5", "exact"),
    ],
)  # fmt: skip
def test_other_messages_of_whatsapp(more: Json, text: str | None, verdict: str) -> None:
    found = converted(export(flow("f", "One", node("n", {"type": "send_whatsapp_msg", "uuid": "m", **more}, said("z", "After")))))
    assert talk(found).said == [*filter(None, [text]), "After"]
    assert told(found)[0][1] == verdict


def test_a_picture_over_a_question_for_a_place() -> None:
    message = {
        "type": "send_whatsapp_msg", "uuid": "m", "text": "Onde?", "interaction_type": "location", "header_type": "media",
        "attachment": "image:https://example.com/a.png",
    }  # fmt: skip
    found = converted(
        export(flow("f", "One", node("n", message, to="w"), switch("w", {"All": "e"}, wait=MESSAGE), node("e", said("e", "Obrigado"))))
    )
    chat = talk(found)
    assert chat.contents[0]["media"][0]["url"] == "https://example.com/a.png"
    assert chat.tell(Said("", location={"latitude": 1.0, "longitude": 2.0})).said[-1] == "Obrigado"


def test_a_router_with_an_ai_looks_at_its_examples() -> None:
    ask = node("n", said("m", "What is it about?"), to="w")
    wise = switch(
        "w", {"Price": "p", "Other": "o"}, ("has_any_word", ["price", "cost"], "Price"),
        type="smart", wait=MESSAGE, operand="@input.text", result_name="about",
    )  # fmt: skip
    found = converted(export(flow("f", "One", ask, wise, node("p", said("p", "Ten")), node("o", said("o", "Sorry")))))
    assert talk(found).tell(Said("what does it cost")).said[-1] == "Ten"
    assert ("smart router", "approximated") in told(found)


@pytest.mark.parametrize("kind", ["call_brain", "call_wenigpt", "call_external_service", "run_code_action", "send_msg_catalog"])
def test_actions_of_its_own_say_what_to_use_instead(kind: str) -> None:
    found = converted(export(flow("f", "One", node("n", {"type": kind, "uuid": "a"}, said("m", "After")))))
    assert [line.message for line in found.lines if line.verdict == "unsupported"] != ["There is no such action here."]
    assert talk(found, facts=speaker("en")).said == ["After"]


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("@(urn_parts(contact.urn).path)", "777"),
        ("@(urn_parts(urns.tel).display)", "+1"),
        ("@(urn_parts(contact.urn).scheme)", "telegram"),
        ("@contact.urns.tel", "+1"),
        ("@urns.telegram", "777"),
    ],
)
def test_parts_of_an_address(formula: str, shown: str) -> None:
    facts = Facts(person={"user_phone": "+1"}, lead={"chat_id": "777"}, channel={"kind": "telegram"}, language="en")
    assert talk(converted(flow("f", "One", node("n", said("m", formula)))), facts=facts).said == [shown]
