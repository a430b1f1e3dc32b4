"""What starts a scenario when a person writes: words that are nearly right, and the opening of a chat."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.conversations import advancing, inbox
from apps.conversations.models import Message
from apps.events.models import Event
from apps.identity.models import Lead, Person
from apps.scenarios import publishing, triggers
from apps.scenarios.commands.models import Command
from apps.scenarios.matching import is_slip
from tests.making import make_channel, make_lead, text
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    return make_lead(make_channel(), chat_id="77", name="Anna")


def saying(answer: str, /, **trigger: object) -> Json:
    return {**definition(node("start", "start", next="say"), node("say", "message", {"text": answer})), "triggers": [trigger]}


def write(lead: Lead, words: str) -> str:
    inbox.accept(lead.channel, [text(words, chat_id=lead.chat_id)])
    advancing.drain()
    return str(Message.objects.filter(direction="out").order_by("-pk").values_list("text", flat=True).first())


@pytest.mark.parametrize(
    ("word", "said", "meant"),
    [
        ("menu", "meun", True), ("menu", "mennu", True), ("menu", "mnu", True), ("menu", "me", False), ("menu", "mango", False),
        ("отмена", "отмна", True), ("cancel order", "cancle oder", True), ("stop", "stop it", False), ("yes", "yep", False),
    ],
)  # fmt: skip
def test_slips_of_the_fingers(word: str, said: str, *, meant: bool) -> None:
    assert is_slip(word, said) is meant


def test_a_word_nearly_right_starts_what_was_meant_and_the_trace_says_why(lead: Lead) -> None:
    make_scenario(lead.channel.bot, saying("The menu", kind="keyword", words=["menu"], match="fuzzy"))
    make_scenario(lead.channel.bot, saying("Manual", kind="keyword", words=["manu"], match="exact"))
    assert write(lead, "Meun") == "The menu"
    assert Event.objects.get(kind="session.started").details["why"] == "keyword “menu”, written “meun”"
    assert write(lead, "manu") == "Manual"  # what fits exactly comes first


def keyword(*words: str, match: str = "exact", **more: Any) -> Json:
    return {"kind": "keyword", "words": list(words), "match": match, **more}


def test_what_fits_most_exactly_starts_whoever_stands_first(lead: Lead) -> None:
    bot = lead.channel.bot
    for answer, trigger in (
        ("slip", keyword("refund", match="fuzzy")), ("part", keyword("fund", match="contains")), ("longer part", keyword("refun", match="contains")),
        ("beginning", keyword("refund", match="prefix")), ("whole", keyword("refund please")), ("for Russians", keyword("refund please", language="ru")),
    ):  # fmt: skip
        make_scenario(bot, saying(answer, **trigger))
    said = ["Refund, please", "REFUND   please!", "refund me", "a refun", "the fund", "refnud"]
    assert [write(lead, words) for words in said] == ["beginning", "whole", "beginning", "longer part", "part", "slip"]
    Person.objects.update(language="ru-RU")
    assert write(lead, "refund please") == "for Russians"


def test_the_trace_says_why_one_started_and_the_others_did_not(lead: Lead, client: Client) -> None:
    bot = lead.channel.bot
    make_scenario(bot, saying("Menu", **keyword("menu")), key="menu")
    make_scenario(bot, saying("Part", **keyword("men", match="contains")), key="part")
    make_scenario(bot, saying("Меню", **keyword("menu", language="ru")), key="russian")
    make_scenario(bot, saying("Manu", **keyword("manu")), key="manu")
    make_scenario(bot, saying("Help", **keyword("help")), key="help")
    write(lead, "menu")
    started = Event.objects.get(kind="session.started")
    assert (started.details["why"], started.details["others"]) == (
        "keyword “menu”",
        [
            "keyword “men” (contains) fits too; another fits more exactly or stands before it (scenario part)",
            "keyword “menu” is for the language ru, the person's is en (scenario russian)",
            "keyword “manu” (exact) forgives no slip of the fingers (scenario manu)",
            "keyword “help” (exact) is not what was written (scenario help)",
        ],
    )
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(f"/admin/events/event/trace/{started.trace_id}/").content.decode()
    assert "keyword “menu”" in page


def test_what_nothing_took_says_why_as_well(lead: Lead) -> None:
    make_scenario(lead.channel.bot, saying("Menu", **keyword("menu")), key="menu")
    for number in range(9):
        make_scenario(lead.channel.bot, saying("x", **keyword(f"word{number}")), key=f"word{number}")
    write(lead, "meun")
    others = Event.objects.get(kind="message.untaken").details["others"]
    assert (others[0], len(others), others[-1]) == (
        "keyword “menu” (exact) forgives no slip of the fingers (scenario menu)",
        9,
        "and 2 more keywords",
    )


def test_a_question_that_lets_nothing_interrupt_keeps_the_keyword_and_says_so(lead: Lead) -> None:
    ask = definition(
        node("start", "start", next="q"), node("q", "input", {"text": "City?", "interruptible": False}, ok="end"), node("end", "end")
    )
    make_scenario(lead.channel.bot, {**ask, "triggers": [keyword("ask")]})
    make_scenario(lead.channel.bot, saying("Menu", **keyword("menu")))
    write(lead, "ask")
    write(lead, "menu")
    assert Event.objects.get(kind="trigger.held").details == {"why": "keyword “menu”: the open question lets nothing interrupt"}


def test_words_that_start_something_else_are_told_before_publishing(lead: Lead) -> None:
    bot = lead.channel.bot
    menu = make_scenario(bot, saying("Menu", **keyword("menu", "/menu")))
    Command.objects.create(bot=bot, kind="stop", words="stop")

    def told(own: int | None = None, **more: Any) -> list[tuple[str, str, str]]:
        found = publishing.check(saying("x", **keyword("Menu!", "STOP", "help", **more)), bot=bot, own=own)
        return [(problem.level, problem.code, problem.field) for problem in found]

    command = ("warning", "command_word", "triggers.0.words")
    assert told() == [("warning", "same_word", "triggers.0.words"), command]
    assert (told(menu.pk), told(language="ru")) == ([command], [command])


def test_start_in_a_language_of_its_own(lead: Lead) -> None:
    make_scenario(lead.channel.bot, saying("Привет", **keyword("/start", language="ru")))
    make_scenario(lead.channel.bot, saying("Hello", **keyword("/start")))
    Person.objects.update(language="ru")
    inbox.accept(lead.channel, [text("/start", chat_id=lead.chat_id, kind="start")])
    advancing.drain()
    assert Message.objects.filter(direction="out").values_list("text", flat=True)[0] == "Привет"


def test_the_longest_beginning_of_a_link_takes_it(lead: Lead) -> None:
    for answer, payload, match in (
        ("any promo", "promo", "prefix"),
        ("spring", "promo-spring", "prefix"),
        ("exactly", "promo-spring-5", "exact"),
    ):
        make_scenario(lead.channel.bot, saying(answer, kind="deep_link", payload=payload, match=match))
    for number, payload in enumerate(("promo-7", "promo-spring-6", "promo-spring-5")):
        inbox.accept(lead.channel, [text("/start", chat_id=lead.chat_id, kind="start", payload=payload, event_key=f"k{number}")])
        advancing.drain()
    assert list(Message.objects.filter(direction="out").order_by("pk").values_list("text", flat=True)) == ["any promo", "spring", "exactly"]


def test_the_first_message_opens_the_chat_and_later_ones_do_not(lead: Lead) -> None:
    make_scenario(lead.channel.bot, saying("Welcome!", kind="new_chat"))
    make_scenario(lead.channel.bot, saying("What?", kind="any_message"))
    assert write(lead, "hi") == "Welcome!"
    assert write(lead, "hi") == "What?"


def test_start_opens_the_chat_unless_something_more_exact_takes_it(lead: Lead) -> None:
    make_scenario(lead.channel.bot, saying("Welcome!", kind="new_chat"))
    inbox.accept(lead.channel, [text("/start", chat_id=lead.chat_id, kind="start")])
    advancing.drain()
    assert Message.objects.filter(direction="out").values_list("text", flat=True)[0] == "Welcome!"
