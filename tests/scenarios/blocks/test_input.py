"""Input wait: every kind of question, its answers and its exits."""

from datetime import timedelta
from typing import Any

import pytest

from apps.scenarios.engine.contract import Cancelled, Facts, Json, Resumed, Said
from tests.scenarios.blocks.cases import Case, run
from tests.scenarios.engine.driving import ANNA, NOON, Talk, fire, flow_of, node, press

NO_MATCH = frozenset({"no_match"})
SIZES = [{"id": "s", "label": {"en": "Small", "ru": "Маленький"}}, {"id": "l", "label": "Large", "value": "XL"}]
CHOICE = {"text": "Size?", "kind": "choice", "choices": SIZES, "unrecognised_text": "Choose one."}
NUMBER = {
    "text": "How many?",
    "kind": "number",
    "save_as": "count",
    "validation": "value > 0",
    "invalid_text": "More than zero, please.",
    "unrecognised_text": "A number, please.",
    "attempts": 2,
    "timeout": "1 hour",
    "reminders": [{"after": "10 minutes", "text": "Still there?"}, {"after": "30 minutes", "text": "Last call."}],
}
CASES = [
    Case("an answer", NUMBER, (Said("3 500,50"),), takes="ok", sets={"count": 3500.5, "user_input": "3 500,50"}),
    Case("not understood, with its exit", NUMBER, (Said("many"),), takes="no_match"),
    Case("not understood, once more", NUMBER, (Said("many"), Said("5")), open_exits=NO_MATCH, takes="ok", says=("How many?", "A number, please.")),
    Case("the condition does not hold", NUMBER, (Said("0"),), open_exits=NO_MATCH, takes="", says=("How many?", "More than zero, please.")),
    Case("no attempts left", NUMBER, (Said("0"), Said("many")), open_exits=NO_MATCH, takes="attempts"),
    Case("no attempts left and no exit for it", NUMBER, (Said("0"), Said("0")), open_exits=frozenset({"no_match", "attempts"}), status="failed"),
    Case("without end of attempts", {**NUMBER, "attempts": 0}, (Said("a"), Said("b"), Said("c"), Said("d")), open_exits=NO_MATCH, takes=""),
    Case("a reminder", NUMBER, (timedelta(minutes=10), fire("reminder")), takes="", says=("How many?", "Still there?")),
    Case("both reminders, then the timeout", NUMBER, (fire("reminder"), fire("reminder"), fire("timeout")), takes="timeout", says=("How many?", "Still there?", "Last call.")),
    Case("an answer after a reminder", NUMBER, (fire("reminder"), Said("2")), takes="ok"),
    Case("a third reminder is not expected", NUMBER, (fire("reminder"), fire("reminder"), fire("reminder")), takes="", handled=False),
    Case("cancelled", NUMBER, (Cancelled(),), takes="cancelled"),
    Case("comes back and asks again with the tries that were left", NUMBER, (Said("x"), Resumed(), Said("y")), open_exits=NO_MATCH, takes="attempts"),
    Case("a choice pressed, by its own exit", CHOICE, (press("s"),), takes="s", sets={"answer": "Small"}),
    Case("a choice stores its value", CHOICE, (press("l"),), takes="l", sets={"answer": "XL"}),
    Case("a choice without its own exit", CHOICE, (Said("small"),), open_exits=frozenset({"s"}), takes="ok"),
    Case("a choice by its number", CHOICE, (Said("2"),), takes="l"),
    Case("no such choice", CHOICE, (Said("medium"),), open_exits=NO_MATCH, takes="", says=("Size?", "Choose one.")),
    Case("a button that is not one of them", CHOICE, (press("m"),), takes="", handled=False),
    Case("choices from data", {"text": "Shop?", "kind": "choice", "options": "{{ shops }}"}, (Said("Chilanzar"),), given={"shops": [{"id": 7, "name": "Center"}, {"id": 9, "name": "Chilanzar"}]}, takes="ok", sets={"answer": {"id": 9, "name": "Chilanzar"}}),
    Case("choices from data, pressed", {"text": "Day?", "kind": "choice", "options": "{{ days }}"}, (press("option-2"),), given={"days": ["Mon", "Tue"]}, takes="ok", sets={"answer": "Tue"}),
    Case("nothing to choose from", {"text": "Shop?", "kind": "choice", "options": "{{ shops }}"}, takes="no_match"),
    Case("nothing to choose from and no exit for it", {"text": "Shop?", "kind": "choice", "options": "{{ shops }}"}, open_exits=NO_MATCH, status="failed"),
    Case("a quick reply of a typed question is read as its kind", {"text": "?", "kind": "number", "choices": [{"id": "ten", "label": "Ten", "value": "10"}]}, (press("ten"),), open_exits=frozenset({"ten"}), takes="ok", sets={"answer": 10}),
    Case("a quick reply with its exit keeps its kind", {"text": "?", "kind": "number", "choices": [{"id": "ten", "label": "Ten", "value": "10"}]}, (press("ten"),), takes="ten", sets={"answer": 10}),
    Case("a typed number is not the number of a quick reply", {"text": "?", "kind": "number", "choices": [{"id": "ten", "label": "Ten", "value": "10"}]}, (Said("1"),), takes="ok", sets={"answer": 1}),
    Case("a quick reply with an exit of its own", {"text": "E-mail?", "kind": "email", "choices": [{"id": "skip", "label": "Skip"}]}, (Said("skip"),), takes="skip", sets={"answer": "Skip"}),
    Case("a wrong validation fails with the node", {"text": "?", "validation": "value > 5"}, (Said("text"),), status="failed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "said", "value"),
    [
        ("text", Said("  Hello  "), "Hello"),
        ("text", Said(kind="sticker"), None),
        ("number", Said("−5"), -5),
        ("number", Said("five"), None),
        ("date", Said("31 мая"), "2026-05-31"),
        ("date", Said("31.02.2026"), None),
        ("phone", Said("90 123 45 67"), "+998901234567"),
        ("phone", Said("8-800"), None),
        ("phone", Said(kind="contact", contact={"phone": "998901234567", "name": "Anna", "own": True}), "+998901234567"),
        ("phone", Said(kind="contact", contact={"phone": "998901234567", "own": False}), None),
        ("email", Said("Anna@Example.com"), "anna@example.com"),
        ("email", Said("anna@example"), None),
        ("contact", Said(kind="contact", contact={"phone": "+998901234567", "name": "Anna", "own": True}), {"phone": "+998901234567", "name": "Anna", "own": True}),
        ("contact", Said(kind="contact", contact={"phone": "+998901234567", "own": False}), None),
        ("contact", Said("+998901234567"), None),
        ("location", Said(kind="location", location={"latitude": 41.3, "longitude": 69.2}), {"latitude": 41.3, "longitude": 69.2}),
        ("location", Said("here"), None),
        ("photo", Said("look", kind="photo", media=({"kind": "image", "url": "u"},)), {"kind": "image", "url": "u", "caption": "look"}),
        ("photo", Said(kind="file", media=({"kind": "file", "url": "u"},)), None),
        ("file", Said(kind="file", media=({"kind": "file", "url": "a"}, {"kind": "file", "url": "b"})), {"kind": "file", "url": "a", "caption": "", "others": [{"kind": "file", "url": "b"}]}),
        ("file", Said("no"), None),
        ("voice", Said(kind="voice", media=({"kind": "voice", "url": "u"},)), {"kind": "voice", "url": "u", "caption": ""}),
        ("voice", Said("hm"), None),
        ("regex", Said("AB-123"), "AB-123"),
        ("regex", Said("AB"), None),
    ],
)  # fmt: skip
def test_kinds_of_answers(kind: str, said: Said, value: Any) -> None:
    params: Json = {"text": "?", "kind": kind, "attempts": 0}
    talk = run("input", Case("", {**params, "pattern": r"^[A-Z]{2}-\d+$"} if kind == "regex" else params, (said,), open_exits=NO_MATCH))
    values = [details["value"] for details in talk.happened("set") if details["name"] == "answer"]
    assert values == ([] if value is None else [value])
    assert talk.last.status == ("waiting" if value is None else "ended")


def test_timers_are_set_one_reminder_at_a_time_from_the_moment_of_asking() -> None:
    talk = run("input", Case("", NUMBER, (timedelta(minutes=11), fire("reminder"))))
    assert talk.timers == [
        ("timeout", NOON + timedelta(hours=1)),
        ("reminder", NOON + timedelta(minutes=10)),
        ("reminder", NOON + timedelta(minutes=30)),
    ]
    assert talk.wait["timers"] == ["reminder", "timeout"]


def test_a_question_that_was_asked_again_has_new_timers() -> None:
    talk = run("input", Case("", NUMBER, (Resumed(),)))
    assert talk.wait["visit"] == 2
    assert talk.tell(lambda _wait: fire("timeout")({"visit": 1})).last.handled is False
    assert talk.tell(fire("timeout")).last.outcome == "timeout"


def test_the_share_button_asks_for_the_contact() -> None:
    talk = run("input", Case("", {"text": "Phone?", "kind": "phone", "share_label": "Share"}))
    assert talk.contents == [{"text": "Phone?", "buttons": [[{"id": "share", "kind": "contact", "label": "Share"}]], "keyboard": "reply"}]


def test_anothers_contact_is_no_answer_and_the_own_one_is_asked_for() -> None:
    params = {"text": "Phone?", "kind": "phone", "share_label": "Share"}
    card = {"phone": "+998901234567", "name": "Bob", "own": False}
    talk = run("input", Case("", params, (Said(kind="contact", contact=card),), open_exits=NO_MATCH))
    assert [content["text"] for content in talk.contents] == ["Phone?", "Please share your own contact with the button below."]


def test_choices_stand_in_columns_and_are_shown_again_with_the_hint() -> None:
    params = {**CHOICE, "columns": 2}
    talk = run("input", Case("", params, (Said("?"),), open_exits=NO_MATCH))
    rows = [[{"id": "s", "label": "Small"}, {"id": "l", "label": "Large"}]]
    assert talk.contents == [{"text": "Size?", "buttons": rows}, {"text": "Choose one.", "buttons": rows}]


def test_hints_follow_the_language() -> None:
    flow = flow_of(node("it", "input", {"text": "?", "kind": "email"}), languages=["en", "ru"])
    talk = Talk(flow, facts=Facts(language="ru")).start().tell(Said("нет"))
    assert talk.said[-1] == "Пожалуйста, отправьте адрес электронной почты."


def test_the_wait_tells_whether_keywords_may_interrupt() -> None:
    assert run("input", Case("", {"text": "?"})).wait["interruptible"] is True
    assert run("input", Case("", {"text": "?", "interruptible": False})).wait["interruptible"] is False


def test_long_texts_of_customers_are_cut_and_never_evaluated() -> None:
    talk = run("input", Case("", {"text": "{{ answer }}?", "attempts": 0}, (Said("{{ instance_settings }}" + "x" * 5_000),)))
    answer = next(details["value"] for details in talk.happened("set") if details["name"] == "answer")
    assert answer.startswith("{{ instance_settings }}xxx")
    flow = flow_of(node("it", "input", {"text": "?"}, ok="m"), node("m", "message", {"text": "You said: {{ answer }}"}))
    evil = "{{ 'a' | upcase }}{% for i in (1..9) %}x{% endfor %}"
    assert Talk(flow).start().tell(Said(evil)).said[-1] == f"You said: {evil}"
    assert len(Talk(flow).start().tell(Said("x" * 5_000)).said[-1]) == len("You said: ") + 4_096


def test_quick_messages_are_collected_into_one_answer() -> None:
    flow = flow_of(
        node("it", "input", {"text": "?"}, ok="m"),
        node("m", "message", {"text": "{{ answer }}"}),
        policies={"two_messages": "collect", "collect_seconds": 3},
    )
    talk = Talk(flow, facts=ANNA).start().tell(Said("My order")).later(seconds=1).tell(Said("is late"))
    assert talk.last.status == "waiting"
    assert talk.timers == [("collect", NOON + timedelta(seconds=3))]
    answered = talk.later(seconds=2).tell(fire("collect"))
    assert answered.said == ["?", "My order\nis late"]
    assert answered.steps[-1].status == "ended"


def test_the_timeout_takes_what_was_collected() -> None:
    flow = flow_of(
        node("it", "input", {"text": "?", "kind": "number", "timeout": 5}, ok="m", timeout="late"),
        node("m", "message", {"text": "{{ answer }}"}),
        node("late", "message", {"text": "Late"}),
        policies={"two_messages": "collect"},
    )
    assert Talk(flow).start().tell(Said("5")).tell(fire("timeout")).said == ["?", "5"]
    assert Talk(flow).start().tell(Said("many")).tell(fire("timeout")).said[-1] == "Late"


def test_a_button_does_not_wait_for_the_collection() -> None:
    flow = flow_of(
        node("it", "input", {"text": "?", "choices": [{"id": "skip", "label": "Skip"}]}, ok="m"),
        node("m", "message", {"text": "{{ answer }}"}),
        policies={"two_messages": "collect"},
    )
    assert Talk(flow).start().tell(Said("wait")).tell(press("skip")).said == ["?", "Skip"]
