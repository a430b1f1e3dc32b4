"""What starts a scenario when a person writes: words that are nearly right, and the opening of a chat."""

import pytest

from apps.conversations import advancing, inbox
from apps.conversations.models import Message
from apps.events.models import Event
from apps.identity.models import Lead
from apps.scenarios import triggers
from apps.scenarios.triggers import is_slip
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
