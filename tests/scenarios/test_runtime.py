"""Scenarios in chats: starts, answers, buttons, timers, interruptions, failures, and one effect per update."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.bots import tokens
from apps.bots.content import Media
from apps.conversations import advancing, awaiting, filelinks, inbox, sweeping
from apps.conversations.inbox import Posting
from apps.conversations.models import Attachment, Conversation, Lane, Message, Timer, Update
from apps.events.models import Event
from apps.events.tracing import chain
from apps.identity.models import Lead
from apps.scenarios import publishing, triggers
from apps.scenarios.models import Scenario, Session, SessionStep
from tests.making import make_channel, make_lead, text
from tests.scenarios.definitions import Json, definition, node, question, says, thank_you
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    return make_lead(make_channel(), chat_id="540278913", name="Anna")


def start(lead: Lead, scenario: Scenario, *, key: str = "", **params: Any) -> Update:
    posted = inbox.post(
        [
            Posting(
                channel_id=lead.channel_id,
                bot_id=lead.channel.bot_id,
                chat_id=lead.chat_id,
                kind=Update.Kind.START,
                source="call",
                event_key=key or f"{timezone.now().timestamp()}",
                payload={"scenario_id": scenario.pk, "entry": "", "params": params},
                trace_id="trace-start",
            ),
        ]
    )[0]
    return awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=5)


def write(lead: Lead, words: str, **fields: Any) -> None:
    inbox.accept(lead.channel, [text(words, chat_id=lead.chat_id, **fields)])
    advancing.drain()


def press(lead: Lead, label: str, *, message: Message | None = None) -> None:
    message = message or Message.objects.filter(direction="out").order_by("-seq").first()
    assert message is not None
    labels = [item["label"] for row in message.content["buttons"] for item in row]
    write(lead, "", kind="button", button=tokens.encode(message.pk, labels.index(label)), callback_id="77")


def said(lead: Lead) -> list[str]:
    return list(
        Message.objects.filter(conversation__lead=lead, direction="out").order_by("conversation_id", "seq").values_list("text", flat=True)
    )


def test_an_event_becomes_a_message_and_a_press_its_answer(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, thank_you())
    update = start(lead, scenario, amount=3500)
    session = Session.objects.get()
    assert update.outcome == {"status": "waiting", "session": session.pk}
    assert said(lead) == ["Thank you, Anna! Amount 3500"]
    assert (session.status, session.node, session.waits_for, session.version_id) == ("active", "thanks", "answer", scenario.published_id)
    press(lead, "Confirm")
    assert said(lead) == ["Thank you, Anna! Amount 3500", "Confirmed."]
    session.refresh_from_db()
    assert (session.status, session.state) == ("ended", None)
    assert list(SessionStep.objects.values_list("node", flat=True)) == ["start", "thanks", "done", "end"]


def test_the_same_call_twice_has_one_effect(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, thank_you())
    first = start(lead, scenario, key="order-1", amount=1)
    second = start(lead, scenario, key="order-1", amount=1)
    assert first.pk == second.pk
    assert Session.objects.count() == 1
    assert len(said(lead)) == 1


def test_a_typed_label_counts_as_its_button(lead: Lead) -> None:
    start(lead, make_scenario(lead.channel.bot, thank_you()), amount=1)
    write(lead, "later")
    assert said(lead)[-1] == "As you like."


def test_a_question_validates_counts_attempts_and_stores_the_answer(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, question())
    start(lead, scenario)
    write(lead, "many")
    write(lead, "3 500,50")
    assert said(lead) == ["How many?", "A number, please.", "You said 3500.5."]
    start(lead, scenario)
    write(lead, "many")
    write(lead, "very many")
    assert said(lead)[-1] == "Never mind."


def test_a_timeout_fires_once_however_late_and_not_after_an_answer(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, question())
    start(lead, scenario)
    Timer.objects.update(due_at=timezone.now() - timedelta(days=3))
    assert (sweeping.sweep(), sweeping.sweep()) == (1, 0)
    advancing.drain()
    assert said(lead) == ["How many?", "Too late."]
    start(lead, scenario)
    write(lead, "5")
    assert Timer.objects.count() == 0
    assert said(lead)[-1] == "You said 5."


def test_a_stale_timer_changes_nothing(lead: Lead) -> None:
    start(lead, make_scenario(lead.channel.bot, question()))
    timer = Timer.objects.get()
    write(lead, "5")
    timer.pk = None
    timer.due_at = timezone.now()
    timer.save()
    sweeping.sweep()
    advancing.drain()
    assert said(lead) == ["How many?", "You said 5."]


def test_an_old_button_never_takes_a_branch(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, thank_you())
    start(lead, scenario, amount=1)
    old = Message.objects.get(direction="out")
    press(lead, "Confirm")
    press(lead, "Later", message=old)
    assert said(lead)[-1] == "This question is already closed."
    assert "As you like." not in said(lead)
    assert Event.objects.filter(kind="button.old").count() == 1


def test_a_button_of_another_chat_is_refused(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, thank_you())
    other = make_lead(lead.channel, chat_id="666")
    start(lead, scenario, amount=1)
    theirs = Message.objects.get(direction="out")
    press(other, "Confirm", message=theirs)
    assert Session.objects.get().status == "active"
    assert Event.objects.get(kind="button.refused").status == "fail"


def test_keywords_start_and_interrupt_and_anything_else_goes_to_the_fallback(lead: Lead) -> None:
    bot = lead.channel.bot
    make_scenario(bot, says("The menu.", triggers=[{"kind": "keyword", "words": ["menu", "меню"]}]))
    make_scenario(bot, says("I did not get that.", triggers=[{"kind": "any_message"}]))
    write(lead, " МЕНЮ ")
    write(lead, "hello?")
    assert said(lead) == ["The menu.", "I did not get that."]
    start(lead, make_scenario(bot, question()))
    write(lead, "menu")
    assert said(lead)[-1] == "The menu."
    assert Session.objects.filter(status="cancelled").count() == 1


def test_asking_for_the_same_scenario_again_does_not_pile_it_up(lead: Lead) -> None:
    menu = {"triggers": [{"kind": "keyword", "words": ["count"]}], "policies": {"arrival": "interrupt_return"}}
    make_scenario(lead.channel.bot, question(**menu))
    for _time in range(3):
        write(lead, "count")
    write(lead, "5")
    assert said(lead) == ["How many?", "How many?", "How many?", "You said 5."]
    assert sorted(Session.objects.values_list("status", flat=True)) == ["cancelled", "cancelled", "ended"]


def test_a_deep_link_starts_its_scenario(lead: Lead) -> None:
    make_scenario(lead.channel.bot, says("Welcome to the sale.", triggers=[{"kind": "deep_link", "payload": "sale"}]))
    write(lead, "/start sale", kind="start", payload="sale")
    assert said(lead) == ["Welcome to the sale."]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("interrupt", ["How many?", "News!"]),
        ("interrupt_return", ["How many?", "News!", "How many?", "You said 5."]),
        ("after_current", ["How many?", "You said 5.", "News!"]),
        ("skip", ["How many?", "You said 5."]),
        ("notify", ["How many?", "News!", "How many?", "You said 5."]),
    ],
)
def test_arrival_policies_while_a_question_is_open(lead: Lead, policy: str, expected: list[str]) -> None:
    start(lead, make_scenario(lead.channel.bot, question()))
    start(lead, make_scenario(lead.channel.bot, says("News!", policies={"arrival": policy})))
    write(lead, "5")
    assert said(lead) == expected
    assert not Session.objects.filter(status="active").exists()


def divides(**more: Any) -> Json:
    """Fails at its message when `count` is 0."""
    return definition(
        node("start", "start", next="tell"),
        node("tell", "message", {"text": "Each gets {{ amount | divided_by: count }}."}, next="end"),
        node("end", "end"),
        **more,
    )


def test_a_scenario_that_fails_says_so_and_names_its_place(lead: Lead) -> None:
    update = start(lead, make_scenario(lead.channel.bot, divides()), amount=10, count=0)
    why = "Script error at node “tell”: The placeholder at “divided_by” does not fit its value. Check the filter and its arguments."
    assert update.outcome["status"] == "failed"
    assert update.outcome["failure"] == {"message": why, "node": "tell", "section": "main"}
    assert said(lead) == ["Something went wrong. We are already looking into it."]
    assert (Session.objects.get().status, Session.objects.get().error) == ("failed", why)
    log = Event.objects.get(kind="session.failed")
    assert (log.status, log.details["node"], log.details["reason"]) == ("fail", "tell", why)


def test_a_failure_in_between_brings_the_open_question_back(lead: Lead) -> None:
    start(lead, make_scenario(lead.channel.bot, question()))
    start(lead, make_scenario(lead.channel.bot, divides(policies={"arrival": "interrupt_return"})), amount=10, count=0)
    write(lead, "5")
    assert said(lead) == ["How many?", "Something went wrong. We are already looking into it.", "How many?", "You said 5."]


def test_the_trace_tells_the_failure_where_it_happened(lead: Lead) -> None:
    start(lead, make_scenario(lead.channel.bot, question()))
    start(lead, make_scenario(lead.channel.bot, divides(policies={"arrival": "interrupt_return"})), amount=10, count=0)
    [part] = chain("trace-start", viewer=User.objects.create_superuser("admin")).parts
    assert [str(line.title) for line in part.lines] == [
        *("The scenario began", "Start: start", "Input wait: ask", "Message to the client"),
        *("The scenario began", "The scenario was interrupted", "Start: start", "Message with buttons: tell", "Message to the client"),
        *("The scenario failed", "The scenario came back", "Input wait: ask", "Message to the client"),
    ]


def test_a_reminder_comes_once_and_before_the_timeout(lead: Lead) -> None:
    asks = question()
    asks["sections"][0]["nodes"][1]["params"]["reminders"] = [{"after": {"amount": 30, "unit": "seconds"}, "text": "Still there?"}]
    start(lead, make_scenario(lead.channel.bot, asks))
    assert list(Timer.objects.order_by("due_at").values_list("reason", flat=True)) == ["reminder", "timeout"]
    Timer.objects.filter(reason="reminder").update(due_at=timezone.now())
    assert (sweeping.sweep(), sweeping.sweep()) == (1, 0)
    advancing.drain()
    assert said(lead) == ["How many?", "Still there?"]
    write(lead, "5")
    assert said(lead)[-1] == "You said 5."
    assert Timer.objects.count() == 0


def test_two_bots_that_talk_to_each_other_are_stopped(lead: Lead, settings: Settings) -> None:
    settings.MESSAGES_PER_HOUR = 10
    make_scenario(lead.channel.bot, says("And you?", triggers=[{"kind": "any_message"}]))
    for _turn in range(20):
        write(lead, "And you?")
    assert len(said(lead)) == 5
    assert Session.objects.filter(status="failed").first().error.startswith("More than 10 messages went to and fro within an hour")  # type: ignore[union-attr]


def test_of_two_quick_messages_the_latest_may_win(lead: Lead) -> None:
    start(lead, make_scenario(lead.channel.bot, question(policies={"two_messages": "latest"})))
    inbox.accept(lead.channel, [text("3", chat_id=lead.chat_id), text("5", chat_id=lead.chat_id)])
    advancing.drain()
    assert said(lead) == ["How many?", "You said 5."]


def test_a_button_of_an_interrupted_question_brings_it_back(lead: Lead) -> None:
    bot = lead.channel.bot
    start(lead, make_scenario(bot, thank_you()), amount=1)
    first = Message.objects.get(direction="out")
    start(lead, make_scenario(bot, question(policies={"arrival": "interrupt_return"})))
    assert said(lead)[-1] == "How many?"
    press(lead, "Confirm", message=first)
    assert said(lead)[-1] == "Confirmed."
    write(lead, "7")
    assert said(lead)[-1] == "You said 7."
    assert not Session.objects.filter(status__in=["active", "suspended"]).exists()


def test_sessions_stay_on_their_version(lead: Lead) -> None:
    scenario = make_scenario(lead.channel.bot, question())
    start(lead, scenario)
    scenario.draft = says("All new.")
    scenario.save()
    publishing.publish(scenario, note="simpler")
    write(lead, "5")
    assert said(lead) == ["How many?", "You said 5."]
    start(lead, scenario)
    assert said(lead)[-1] == "All new."


def test_an_event_of_a_scenario_starts_the_one_that_listens(lead: Lead) -> None:
    bot = lead.channel.bot
    make_scenario(bot, says("Heard {{ event }} about {{ order }}.", triggers=[{"kind": "event", "name": "paid"}]))
    first = make_scenario(
        bot,
        definition(
            node("start", "start", next="emit"),
            node("emit", "emit_event", {"name": "paid", "data": {"order": "{{ order }}"}}, next="end"),
            node("end", "end"),
        ),
    )
    start(lead, first, order=9821)
    advancing.drain()
    assert said(lead) == ["Heard paid about 9821."]


def test_scenarios_that_start_one_another_stop_after_five_generations(lead: Lead) -> None:
    loop = make_scenario(
        lead.channel.bot,
        definition(
            node("start", "start", next="say"),
            node("say", "message", {"text": "again"}, next="emit"),
            node("emit", "emit_event", {"name": "again"}, next="end"),
            node("end", "end"),
            triggers=[{"kind": "event", "name": "again"}],
        ),
    )
    start(lead, loop)
    advancing.drain()
    assert said(lead) == ["again"] * 6
    assert Event.objects.filter(kind="session.skipped").count() == 1


def test_the_answer_for_the_endpoint_is_in_the_outcome(lead: Lead) -> None:
    scenario = make_scenario(
        lead.channel.bot,
        definition(
            node("start", "start", next="respond"),
            node("respond", "respond", {"data": {"order": "{{ order }}"}}, next="end"),
            node("end", "end"),
        ),
    )
    assert start(lead, scenario, order=9821).outcome["data"] == {"order": 9821}


def test_a_conversation_in_the_hands_of_a_colleague_is_not_answered_by_the_bot(lead: Lead) -> None:
    make_scenario(lead.channel.bot, says("I am the bot.", triggers=[{"kind": "any_message"}]))
    write(lead, "hi")
    Conversation.objects.update(owner="operator")
    write(lead, "hello?")
    assert said(lead) == ["I am the bot."]
    assert Message.objects.filter(direction="in").count() == 2


def test_a_photo_can_be_passed_on_to_another_system_by_its_address(lead: Lead, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bus.example"
    asked = node("ask", "input", {"kind": "photo", "text": "A photo, please.", "save_as": "photo"}, ok="say")
    start(
        lead,
        make_scenario(
            lead.channel.bot, definition(node("start", "start", next="ask"), asked, node("say", "message", {"text": "{{ photo.url }}"}))
        ),
    )
    write(lead, "", media=(Media(kind="image", external="AgA1", name="p.jpg"),))
    stored = Attachment.objects.get()
    assert said(lead)[-1] == f"https://bus.example{filelinks.of(stored)}"


def test_an_album_answers_one_question_with_all_its_photos(lead: Lead) -> None:
    asked = node("ask", "input", {"kind": "photo", "text": "Photos, please.", "save_as": "photo"}, ok="say")
    text_of = "{{ photo.name }} and {{ photo.others | size }} more: {{ photo.caption }}"
    start(
        lead,
        make_scenario(lead.channel.bot, definition(node("start", "start", next="ask"), asked, node("say", "message", {"text": text_of}))),
    )
    album = [
        text(
            "broken" if not number else "",
            chat_id=lead.chat_id,
            album="7",
            media=(Media(kind="image", external=f"A{number}", name=f"{number}.jpg"),),
        )
        for number in range(3)
    ]
    inbox.accept(lead.channel, album)
    Lane.objects.update(wake_at=timezone.now())
    advancing.drain()
    assert said(lead) == ["Photos, please.", "0.jpg and 2 more: broken"]
