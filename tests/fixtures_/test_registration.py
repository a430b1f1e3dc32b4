"""The sources' full cycle of registration, in both directions."""

import pytest
from pytest_django.fixtures import Settings

from apps.identity import linking
from apps.identity.models import ExternalId, ProofCode
from apps.scenarios import botfile, fixtures_io
from tests.fixtures_.conftest import FIXTURES
from tests.fixtures_.crm import Crm
from tests.fixtures_.dialogue import Dialogue
from tests.making import make_lead

pytestmark = pytest.mark.django_db
HELLO = "Hello! To continue, please authorize. Enter your phone number or email."
ASK_PHONE = "Please share your phone number with the button, or type it with its country code."
PHONE = "+380501112233"


def test_the_bot_finds_the_user_by_the_own_contact_and_connects(registration: Dialogue, crm: Crm) -> None:
    assert registration.opens() == [HELLO]
    assert registration.presses("By phone") == [ASK_PHONE]
    assert registration.shares("380501112233") == ["Welcome, Anna! Your account is connected."]
    lead = registration.lead
    assert crm.asked == [
        ("GET /user", {"phone": PHONE}),
        ("POST /users/connect-bot", {"userId": 125, "leadId": lead.code, "chatId": "540278913", "source": "telegram"}),
    ]
    row = linking.mapping_row(lead)
    assert (row["userId"], row["chatId"], row["source"], row["connected_at"] is not None) == (125, 540278913, "telegram", True)
    assert registration.says("connect") == ["You are connected, Anna. We will write here about your account."]


def test_the_bot_creates_a_user_who_is_not_there(registration: Dialogue, crm: Crm) -> None:
    registration.opens()
    registration.presses("By phone")
    assert registration.shares("+380671112233") == ["Welcome, Anna! Your account is connected."]
    assert crm.calls("POST /user") == [{"phone": "+380671112233", "email": "", "name": "Anna", "source": "telegram"}]
    assert ExternalId.objects.get().value == "201"


def test_a_typed_phone_needs_a_code(registration: Dialogue, crm: Crm, settings: Settings) -> None:
    settings.DEBUG = True
    registration.opens()
    assert registration.says("+380 50 111 22 33") == [f"We have sent a code to {PHONE}. Please type it here."]
    assert crm.asked == []
    code = ProofCode.objects.get().code
    assert registration.says("000000" if code != "000000" else "000001") == ["This is not the code. Attempts left: 4"]
    assert registration.says(code) == ["Welcome, Anna! Your account is connected."]
    assert registration.lead.person.phone_verified


def test_an_address_works_as_well(registration: Dialogue, crm: Crm, settings: Settings) -> None:
    settings.DEBUG = True
    registration.opens()
    registration.presses("By e-mail")
    assert registration.says("ANNA@example.com") == ["We have sent a code to anna@example.com. Please type it here."]
    assert registration.says(ProofCode.objects.get().code) == ["Welcome, Anna! Your account is connected."]
    assert crm.calls("GET /user") == [{"email": "anna@example.com"}]


def test_anothers_contact_proves_nothing(registration: Dialogue, crm: Crm) -> None:
    registration.opens()
    registration.presses("By phone")
    assert registration.shares(PHONE, own=False) == ["Please share your own contact with the button below."]
    assert registration.says(PHONE) == ["We cannot confirm this here. In Telegram, please share your number with the button."]
    assert (crm.asked, ExternalId.objects.count()) == ([], 0)


def test_a_user_who_is_connected_in_another_chat_is_not_taken_over(registration: Dialogue, crm: Crm) -> None:
    registration.opens()
    registration.presses("By phone")
    registration.shares(PHONE)
    thief = Dialogue(registration.bot, channel=registration.channel, chat_id="666")
    thief.opens()
    thief.presses("By phone")
    assert thief.shares(PHONE) == ["This account is connected to another chat. This user has another active chat in this channel."]
    assert ExternalId.objects.get().person_id == registration.lead.person_id


def test_a_system_that_is_down_can_be_tried_again(registration: Dialogue, crm: Crm) -> None:
    crm.down = True
    registration.opens()
    registration.presses("By phone")
    assert registration.shares(PHONE) == ["Our system does not answer right now. Your answer is not lost: please try again in a minute."]
    crm.down = False
    assert registration.presses("Try again") == ["Welcome, Anna! Your account is connected."]


def test_the_system_begins_and_the_person_confirms(registration: Dialogue, crm: Crm) -> None:
    make_lead(registration.channel, registration.chat_id)
    assert registration.is_called("users-connect-bot", userId=125, name="Anna", chatId=540278913) == [
        "Hello, Anna! To activate your personal account, please confirm your phone number."
    ]
    assert registration.shares("380501112233") == ["Welcome, Anna! Your personal account has been activated."]
    assert crm.asked == [("GET /user", {"phone": PHONE}), ("POST /api/user/confirm", {"userId": 125, "phone": PHONE})]
    assert ExternalId.objects.get().value == "125"


def test_a_phone_of_another_user_activates_nobody(registration: Dialogue, crm: Crm) -> None:
    crm.users[126] = {"userId": 126, "phone": "+380671112233", "name": "Olena"}
    registration.is_called("users-connect-bot", userId=125, name="Anna")
    assert registration.shares("+380671112233") == ["This number is not the one in your account."]
    assert registration.presses("Try another number") == [
        "Hello, Anna! To activate your personal account, please confirm your phone number."
    ]
    assert registration.shares(PHONE) == ["Welcome, Anna! Your personal account has been activated."]
    assert crm.calls("POST /api/user/confirm") == [{"userId": 125, "phone": PHONE}]


def test_a_link_connects_and_tells_the_system(registration: Dialogue, crm: Crm) -> None:
    made = linking.make_link(registration.bot, registration.channel, system="crm", external_id=125)
    assert registration.opens(made.token) == ["Hello, Anna! Your account is connected to this chat."]
    assert crm.calls("POST /users/connect-bot") == [
        {"userId": 125, "leadId": registration.lead.code, "chatId": "540278913", "source": "telegram"}
    ]
    other = Dialogue(registration.bot, channel=registration.channel, chat_id="666")
    assert other.opens(made.token) == ["This link has been used already. Ask for a new one."]
    assert other.presses("Connect by phone") == [HELLO]


def test_a_link_in_a_second_messenger_makes_both_chats_one_person(registration: Dialogue, crm: Crm) -> None:
    registration.opens()
    registration.presses("By phone")
    registration.shares(PHONE)
    second = Dialogue(registration.bot, chat_id="777")
    second.says("hi")
    made = linking.make_link(registration.bot, second.channel, system="crm", external_id=125)
    assert second.opens(made.token) == ["Hello, Anna! Your account is connected to this chat."]
    assert second.lead.person_id == registration.lead.person_id


def test_both_bots_can_be_one(shop: Dialogue, crm: Crm) -> None:
    """As in the demo: registration is imported into the shop's bot; opening the chat does not lose the order's question."""
    fixtures_io.import_bot(botfile.read(FIXTURES / "registration" / "bot.json"), bot=shop.bot)
    lead = make_lead(shop.channel, shop.chat_id, name="Anna", language="en")
    ExternalId.objects.create(bot=shop.bot, person=lead.person, system="crm", value="125")
    thanks = "Thank you for your order, Anna! Amount 3,500"
    assert shop.is_called("order-thank-you", order_id=9821, amount=3500) == [thanks]
    assert shop.opens() == ["You are connected, Anna. We will write here about your account.", thanks]
    assert shop.presses("Confirm") == ["Payment confirmed. We will tell you when your order 9821 is on its way."]


def test_the_profile_is_changed_here_and_there(registration: Dialogue, crm: Crm) -> None:
    assert registration.says("profile") == ["Please connect your account first: write “connect”."]
    registration.opens()
    registration.presses("By phone")
    registration.shares(PHONE)
    assert registration.says("profile") == ["What is your e-mail address now?"]
    registration.says("new@domain.com")
    assert registration.says("Kyiv") == ["Thank you, your profile is up to date."]
    assert crm.calls("POST /api/user/update") == [{"userId": 125, "email": "new@domain.com", "city": "Kyiv"}]
    person = registration.lead.person
    assert (person.email, person.attributes) == ("new@domain.com", {"city": "Kyiv"})
