"""Words that work anywhere: stop, back, another language, a scenario of the bot."""

import pytest
from django.core.exceptions import ValidationError

from apps.bots.models import Channel
from apps.conversations import advancing, inbox
from apps.conversations.models import Message
from apps.events.models import Event
from apps.identity.models import Lead, Person
from apps.scenarios import triggers
from apps.scenarios.commands import doing
from apps.scenarios.commands.models import Command
from apps.scenarios.models import Session
from tests.making import make_channel, make_lead, text
from tests.scenarios.definitions import Json, definition, node
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> Lead:
    triggers.forget()
    doing.forget()
    return make_lead(make_channel(), chat_id="77", name="Anna")


def form(**more: object) -> Json:
    """Asks for a name, a city and an age."""
    asked = [
        node("start", "start", next="name"),
        node("name", "input", {"text": {"en": "Name?", "ru": "Имя?"}, "save_as": "name"}, ok="city"),
        node("city", "input", {"text": {"en": "City of {{ name }}?", "ru": "Город {{ name }}?"}, "save_as": "city", **more}, ok="age"),
        node("age", "input", {"text": {"en": "Age?", "ru": "Возраст?"}, "kind": "number", "save_as": "age"}, ok="end"),
        node("end", "message", {"text": "{{ name }}, {{ city }}, {{ age }}"}),
    ]
    return {**definition(*asked), "languages": ["en", "ru"], "triggers": [{"kind": "keyword", "words": ["form"]}]}


def command(lead: Lead, kind: str, words: str, **fields: object) -> Command:
    made = Command(bot=lead.channel.bot, kind=kind, words=words, **fields)
    made.full_clean()
    made.save()
    doing.forget()
    return made


def write(lead: Lead, *several: str) -> list[str]:
    """What is answered to the last of these messages."""
    for words in several:
        before = Message.objects.filter(direction="out").count()
        inbox.accept(lead.channel, [text(words, chat_id=lead.chat_id)])
        advancing.drain()
    return list(Message.objects.filter(direction="out").order_by("pk").values_list("text", flat=True))[before:]


def test_back_asks_the_question_before_again_and_takes_another_answer(lead: Lead) -> None:
    make_scenario(lead.channel.bot, form())
    command(lead, "back", "back, /back", text="There is nothing to go back to.")
    assert write(lead, "back") == ["There is nothing to go back to."]
    assert write(lead, "form", "Ana", "Kyiv") == ["Age?"]
    assert write(lead, "BACK") == ["City of Ana?"]
    assert write(lead, "/back") == ["Name?"]
    assert write(lead, "back") == ["There is nothing to go back to."]
    assert write(lead, "Anna") == ["City of Anna?"]
    assert write(lead, "Lviv", "41") == ["Anna, Lviv, 41"]


def test_an_answer_that_was_refused_does_not_count_as_a_step(lead: Lead) -> None:
    make_scenario(lead.channel.bot, form())
    command(lead, "back", "back")
    write(lead, "form", "Anna", "Lviv", "old", "very old")
    assert write(lead, "back") == ["City of Anna?"]


def test_stop_ends_everything_also_a_question_that_lets_nothing_interrupt(lead: Lead) -> None:
    make_scenario(lead.channel.bot, form(interruptible=False))
    command(lead, "stop", "stop, стоп", text="Stopped.")
    command(lead, "back", "back")
    write(lead, "form", "Anna")
    assert write(lead, "back") == ["Age?"]  # it is the city's name: this question lets nothing interrupt
    assert write(lead, "СТОП") == ["Stopped."]
    assert list(Session.objects.values_list("status", flat=True)) == ["cancelled"]
    assert Event.objects.filter(kind="command.done").count() == 1


def test_another_language_is_kept_and_the_open_question_asked_in_it(lead: Lead) -> None:
    make_scenario(lead.channel.bot, form())
    command(lead, "language", "русский, /ru", language="ru", text="Говорю по-русски.")
    write(lead, "form", "Anna")
    assert write(lead, "/ru") == ["Говорю по-русски.", "Город Anna?"]
    lead.person.refresh_from_db()
    assert lead.person.language == "ru"
    assert write(lead, "Киев") == ["Возраст?"]


def test_a_scenario_starts_from_anywhere(lead: Lead) -> None:
    make_scenario(lead.channel.bot, form())
    menu = make_scenario(lead.channel.bot, definition(node("start", "start", next="menu"), node("menu", "message", {"text": "Menu"})))
    command(lead, "start", "menu", scenario=menu)
    assert write(lead, "form", "menu") == ["Menu"]
    assert Event.objects.filter(kind="session.started").order_by("-pk")[0].details["why"] == "command “menu”"


def test_the_same_word_is_answered_in_the_person_s_language(lead: Lead) -> None:
    command(lead, "stop", "/stop, stop", text="Stopped.")
    command(lead, "stop", "/stop, стоп", text="Остановлено.", speaks="ru")
    assert (write(lead, "/stop"), write(lead, "стоп")) == (["Stopped."], [])
    Person.objects.update(language="ru-RU")
    assert (write(lead, "/stop"), write(lead, "Стоп!"), write(lead, "stop")) == (["Остановлено."], ["Остановлено."], ["Stopped."])


def test_groups_address_the_bot_by_name_and_other_bots_are_left_alone(lead: Lead) -> None:
    Channel.objects.update(account={"username": "Shop_Bot"})
    menu = make_scenario(lead.channel.bot, definition(node("start", "start", next="menu"), node("menu", "message", {"text": "Menu"})))
    command(lead, "start", "/menu, menu", scenario=menu)
    heard = {
        words: write(lead, words)
        for words in ("/menu@shop_bot", "@Shop_bot menu", "@shop_bot, MENU!", "/menu@other_bot", "@other_bot menu")
    }
    assert heard == {
        "/menu@shop_bot": ["Menu"],
        "@Shop_bot menu": ["Menu"],
        "@shop_bot, MENU!": ["Menu"],
        "/menu@other_bot": [],
        "@other_bot menu": [],
    }


def test_a_word_of_another_command_is_refused(lead: Lead) -> None:
    command(lead, "stop", "stop, СТОП")
    with pytest.raises(ValidationError) as refused:
        command(lead, "back", "назад, Стоп!")
    assert refused.value.message_dict == {"words": ["“стоп” is a word of another command already: stop, СТОП."]}
    command(lead, "back", "стоп", speaks="uk")


@pytest.mark.parametrize(("fields", "field"), [({"kind": "language", "language": "по-русски"}, "language"), ({"kind": "stop", "speaks": "?"}, "speaks"), ({"kind": "stop", "words": " , "}, "words")])  # fmt: skip
def test_what_no_language_or_word_is(lead: Lead, fields: Json, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Command(bot=lead.channel.bot, **{"words": "x", **fields}).full_clean()
    assert list(refused.value.message_dict) == [field]


def test_commands_say_what_they_need(lead: Lead) -> None:
    for fields, field in (({"kind": "start"}, "scenario"), ({"kind": "language"}, "language")):
        with pytest.raises(ValidationError) as refused:
            Command(bot=lead.channel.bot, words="x", **fields).full_clean()
        assert list(refused.value.message_dict) == [field]
