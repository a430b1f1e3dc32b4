"""Message with buttons."""

from datetime import timedelta

from apps.scenarios.engine.contract import Cancelled, Facts, Resumed, Said
from tests.scenarios.blocks.cases import Case, run
from tests.scenarios.engine.driving import NOON, Talk, fire, flow_of, node, press

ASK = {
    "text": "Confirm?",
    "buttons": [
        [{"id": "yes", "label": {"en": "Confirm ✅", "ru": "Да"}, "value": "confirmed"}, {"id": "no", "label": "Cancel"}],
        [{"id": "site", "kind": "url", "label": "Open", "url": "https://example.com/{{ id }}"}],
    ],
    "save_as": "answer",
    "timeout": {"amount": 10, "unit": "minutes"},
}
CASES = [
    Case("says a text", {"text": "Hello, {{ user_name }}!"}, takes="next", says=("Hello, Anna!",)),
    Case("a text that turns out empty is not said", {"text": "{% if x %}Hello{% endif %}"}, takes="next", says=()),
    Case("waits for a button", ASK, takes="", says=("Confirm?",)),
    Case("a button", ASK, (press("yes"),), takes="yes", sets={"answer": "confirmed", "user_input": ""}),
    Case(
        "a button without a value stores its label",
        ASK,
        (press("no", label="Cancel"),),
        takes="no",
        sets={"answer": "Cancel", "user_input": "Cancel"},
    ),
    Case("the label typed", ASK, (Said(" cancel "),), takes="no", sets={"user_input": " cancel "}),
    Case("the label typed without its emoji variation", ASK, (Said("confirm ✅"),), takes="yes"),
    Case("the number typed", ASK, (Said("2."),), takes="no"),
    Case("the keycap sent", ASK, (Said("1️⃣"),), takes="yes"),
    Case("another answer with its exit", ASK, (Said("perhaps"),), takes="other"),
    Case("another answer without its exit", ASK, (Said("perhaps"),), takes="", handled=False, open_exits=frozenset({"other"})),
    Case("a photo without its exit", ASK, (Said(kind="photo"),), takes="", handled=False, open_exits=frozenset({"other"})),
    Case("a button that is not there", ASK, (press("maybe"),), takes="", handled=False),
    Case("an address button is no answer", ASK, (press("site"),), takes="", handled=False),
    Case("a button of another block", ASK, (press("yes", node_id="other"),), takes="", handled=False),
    Case("no answer in time", ASK, (timedelta(minutes=10), fire("timeout")), takes="timeout"),
    Case("cancelled", ASK, (Cancelled(),), takes="cancelled"),
    Case("cancelled without its exit", ASK, (Cancelled(),), open_exits=frozenset({"cancelled"}), takes="cancelled"),
    Case("comes back and asks again", ASK, (Resumed(),), takes="", says=("Confirm?", "Confirm?")),
    Case("buttons without a text fail", {"text": "{{ nope }}", "buttons": [[{"id": "yes", "label": "A"}]]}, status="failed"),
    Case("no place on earth fails", {"location": {"latitude": "{{ lat }}", "longitude": 200}}, given={"lat": 1}, status="failed"),
    Case("a template that breaks fails with the node", {"text": "{{ user_name | divided_by: 0 }}"}, status="failed"),
]


def test_the_content_is_the_neutral_shape() -> None:
    talk = run("message", Case("", ASK, given={"id": "a/b"}))
    assert talk.contents == [
        {
            "text": "Confirm?",
            "buttons": [
                [{"id": "yes", "label": "Confirm ✅"}, {"id": "no", "label": "Cancel"}],
                [{"id": "site", "kind": "url", "label": "Open", "url": "https://example.com/a%2Fb"}],
            ],
        }
    ]
    assert talk.timers == [("timeout", NOON + timedelta(minutes=10))]


def test_media_place_and_keyboard() -> None:
    params = {
        "text": "<b>{{ name }}</b>",
        "format": "html",
        "media": [
            {"kind": "image", "url": "https://example.com/{{ id }}.png", "caption": "{{ name }}"},
            {"kind": "file", "url": "{{ nope }}"},
            {"kind": "file", "attachment": 12},
        ],
        "location": {"latitude": "{{ place.lat }}", "longitude": "69,25", "title": "Shop"},
        "keyboard": "reply",
        "buttons": [[{"id": "a", "label": "{{ name }}"}]],
        "typing": 2,
        "silent": True,
    }
    talk = run("message", Case("", params, given={"name": "A & <B>", "id": 5, "place": {"lat": "41.31"}}))
    assert talk.contents == [
        {"location": {"latitude": 41.31, "longitude": 69.25, "title": "Shop"}},
        {
            "text": "<b>A &amp; &lt;B&gt;</b>",
            "format": "html",
            "media": [
                {"kind": "image", "url": "https://example.com/5.png", "caption": "A &amp; &lt;B&gt;"},
                {"kind": "file", "attachment": 12},
            ],
            "keyboard": "reply",
            "buttons": [[{"id": "a", "label": "A & <B>"}]],
            "typing": 2.0,
            "silent": True,
        },
    ]


def test_texts_follow_the_language_and_routing_does_not() -> None:
    flow = flow_of(
        node(
            "it",
            "message",
            {"text": {"en": "Confirm?", "ru": "Подтвердить?"}, "buttons": [[{"id": "yes", "label": {"en": "Yes", "ru": "Да"}}]]},
            yes="end",
        ),
        node("end", "end", {"outcome": "yes"}),
        languages=["ru", "en"],
    )
    talk = Talk(flow, facts=Facts(language="ru-RU")).start()
    assert talk.said == ["Подтвердить?"]
    assert talk.tell(Said("да")).last.outcome == "yes"
    assert Talk(flow, facts=Facts(language="de")).start().said == ["Confirm?"]


def test_a_press_on_an_earlier_showing_follows_the_policy() -> None:
    nodes = [
        node(
            "menu",
            "message",
            {"text": "Menu", "buttons": [[{"id": "prices", "label": "Prices"}, {"id": "bye", "label": "Bye"}]]},
            prices="prices",
            bye="end",
        ),
        node("prices", "message", {"text": "Prices"}, next="menu"),
        node("end", "end", {"outcome": "bye"}),
    ]
    for accepted in (True, False):
        flow = flow_of(*nodes, policies={"old_buttons": {"accept_if_open": accepted}})
        talk = Talk(flow).start().tell(press("prices"))
        assert talk.wait["visit"] == 3
        talk.tell(press("bye", visit=1))
        assert talk.last.handled is accepted
        assert talk.last.status == ("ended" if accepted else "waiting")


def test_a_press_on_the_first_showing_of_a_question_that_was_asked_again_counts() -> None:
    flow = flow_of(
        node("it", "message", {"text": "?", "buttons": [[{"id": "yes", "label": "Yes"}]]}, yes="end"),
        node("end", "end", {"outcome": "yes"}),
        policies={"old_buttons": {"accept_if_open": False}},
    )
    talk = Talk(flow).start().tell(Resumed())
    assert talk.wait["visits"] == [1, 2]
    assert talk.tell(press("yes", visit=1)).last.outcome == "yes"


def test_the_same_press_twice_takes_one_branch() -> None:
    flow = flow_of(
        node("a", "message", {"text": "A", "buttons": [[{"id": "yes", "label": "Yes"}]]}, yes="b"),
        node("b", "message", {"text": "B", "buttons": [[{"id": "yes", "label": "Yes"}]]}, yes="end"),
        node("end", "end"),
    )
    talk = Talk(flow).start()
    twice = press("yes")(talk.wait)
    talk.tell(twice).tell(twice)
    assert talk.last.handled is False
    assert talk.path == ["a", "b"]
