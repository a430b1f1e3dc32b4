"""The sources' eCommerce table as dialogues: an event becomes a message, an answer becomes a call."""

import pytest

from apps.conversations.models import Call
from apps.identity.models import ExternalId
from apps.scenarios.models import Session
from tests.fixtures_.crm import Crm
from tests.fixtures_.dialogue import Dialogue
from tests.making import make_lead

pytestmark = pytest.mark.django_db
THANKS = "Thank you for your order, Anna! Amount 3,500"


@pytest.fixture(autouse=True)
def _anna(shop: Dialogue) -> None:
    lead = make_lead(shop.channel, shop.chat_id, name="Anna", language="en")
    ExternalId.objects.create(bot=shop.bot, person=lead.person, system="crm", value="125")


def test_a_new_order_is_thanked_for_and_its_confirmation_reaches_the_crm(shop: Dialogue, crm: Crm) -> None:
    assert shop.is_called("order-thank-you", order_id=9821, user_id="54321", amount=3500, status="paid") == [THANKS]
    assert shop.presses("Confirm") == ["Payment confirmed. We will tell you when your order 9821 is on its way."]
    assert crm.asked == [("POST /api/order/update", {"user_id": "54321", "order_id": 9821, "action": "confirm_payment"})]
    assert crm.tokens == {"Bearer crm-key-of-the-tests"}
    assert "crm-key-of-the-tests" not in str(list(Call.objects.values("shown")))
    assert Session.objects.get().status == Session.Status.ENDED


def test_pull_push_and_hybrid_give_the_same_message(shop: Dialogue, crm: Crm) -> None:
    assert shop.is_called("order-thank-you", orderId=9821, userId=125) == [THANKS]
    assert shop.is_called("order-thank-you", userId=125, order={"id": 9821, "status": "shipped", "amount": 3500}) == [THANKS]
    assert crm.calls("GET /orders/9821") == [{}]
    crm.down = True
    assert shop.is_called("order-thank-you", order_id=9821, userId=125) == ["Thank you for your order, Anna!", THANKS]


def test_a_crm_that_is_down_costs_the_customer_nothing(shop: Dialogue, crm: Crm) -> None:
    shop.is_called("order-thank-you", order_id=9821, amount=3500)
    crm.down = True
    trouble = ["Our system does not answer right now. Your answer is not lost: please try again in a minute."]
    assert shop.presses("Confirm") == trouble
    assert len(crm.asked) == 3  # the first attempt and two more
    crm.down = False
    assert shop.presses("Try again") == ["Payment confirmed. We will tell you when your order 9821 is on its way."]


def test_an_order_that_is_closed_is_told_so(shop: Dialogue, crm: Crm) -> None:
    shop.is_called("order-thank-you", order_id=1, amount=3500)
    assert shop.presses("Confirm") == ["This order can no longer be confirmed here. Please ask us if something is wrong."]


def test_the_address_is_asked_kept_and_sent(shop: Dialogue, crm: Crm) -> None:
    shop.is_called("order-thank-you", order_id=9821, amount=3500)
    assert shop.presses("Change address") == ["Where shall we deliver your order 9821?"]
    assert shop.says("Khreshchatyk 1") == ["We deliver to: Khreshchatyk 1", THANKS]
    assert crm.calls("POST /api/order/update") == [
        {"user_id": 125, "order_id": 9821, "action": "change_address", "address": "Khreshchatyk 1"}
    ]
    assert shop.lead.person.private == {"delivery_address": "Khreshchatyk 1"}
    shop.presses("Confirm")
    assert shop.is_called("order-status", order_id=9821, status="shipped") == [
        "Your order 9821 has been shipped! We deliver to: Khreshchatyk 1. Is this right?"
    ]
    assert shop.presses("Yes, that is right") == ["Thank you! The courier will come to: Khreshchatyk 1"]
    assert crm.asked[-1][1] == {"user_id": 125, "order_id": 9821, "action": "confirm_address", "address": "Khreshchatyk 1"}


def test_a_shipment_without_a_known_address_clarifies_it(shop: Dialogue, crm: Crm) -> None:
    assert shop.is_called("order-status", userId=125, orderId=9821) == [
        "Your order 9821 has been shipped! Please tell us the delivery address."
    ]
    assert shop.says("Khreshchatyk 1") == ["Thank you! The courier will come to: Khreshchatyk 1"]


def test_any_other_status_is_simply_told(shop: Dialogue) -> None:
    assert shop.is_called("order-status", order_id=9821, status="packed") == ["The status of your order 9821 is now: packed"]
    assert shop.is_called("order-status", order={"id": 7, "status": "cancelled"}) == ["Your order 7 has been cancelled."]


def test_a_delivery_is_rated_and_the_crm_is_told(shop: Dialogue, crm: Crm) -> None:
    assert shop.is_called("order-delivered", user_id=125, order_id=9821) == [
        "Your order 9821 has been delivered. Please rate your delivery"
    ]
    assert shop.presses("5") == ["Thank you for your feedback!"]
    assert crm.asked == [("POST /api/feedback", {"user_id": 125, "order_id": 9821, "rating": "5", "comment": ""})]
    assert shop.lead.person.attributes == {"last_rating": 5}


def test_a_low_rating_asks_why(shop: Dialogue, crm: Crm) -> None:
    shop.is_called("order-delivered", user_id=125, order_id=9821)
    assert shop.says("2") == ["We are sorry. What went wrong? Write it in your own words, or skip."]
    assert shop.says("The box was open") == ["Thank you for your feedback!"]
    assert crm.asked[-1][1] == {"user_id": 125, "order_id": 9821, "rating": "2", "comment": "The box was open"}
    shop.is_called("order-delivered", user_id=125, order_id=9821)
    shop.presses("1")
    assert shop.presses("Skip") == ["Thank you for your feedback!"]
    assert crm.asked[-1][1]["comment"] == ""


def test_a_review_is_thanked_for_beside_an_open_question(shop: Dialogue) -> None:
    shop.is_called("order-thank-you", order_id=9821, amount=3500)
    assert shop.is_called("order-review", bonus=1500) == ["Thank you for your feedback! 1,500 bonus points are on your account.", THANKS]
    assert shop.is_called("order-review") == ["Thank you for your feedback!", THANKS]
    assert shop.lead.person.attributes == {"bonus": 1500}


def test_the_menu_answers_a_word_and_whatever_nothing_else_takes(shop: Dialogue, crm: Crm) -> None:
    menu = "Hello, Anna! How can I help?"
    assert shop.says("menu") == [menu]
    assert shop.presses("Where is my order?") == ["What is the number of your order?"]
    assert shop.says("9821") == ["Order 9821: shipped, amount 3,500"]
    assert shop.says("whatever") == [menu]
    shop.presses("Where is my order?")
    crm.orders["9821"]["user_id"] = 999
    assert shop.says("9821") == ["We found no order 9821 of yours. Please check the number."]
    shop.says("/help")
    assert shop.presses("Contact us") == ["Call us: +1 202 555 0123, Mon–Fri 9:00–18:00"]
    shop.says("меню")
    assert shop.presses("Delivery address") == ["What is your delivery address?"]
    assert shop.says("Khreshchatyk 1") == ["Done. We deliver to: Khreshchatyk 1"]


def test_an_open_question_comes_back_after_the_menu(shop: Dialogue) -> None:
    shop.is_called("order-thank-you", order_id=9821, amount=3500)
    assert shop.says("menu") == ["Hello, Anna! How can I help?"]
    assert shop.presses("Contact us") == ["Call us: +1 202 555 0123, Mon–Fri 9:00–18:00", THANKS]
    assert shop.presses("Confirm") == ["Payment confirmed. We will tell you when your order 9821 is on its way."]


def test_the_menu_changes_the_language(shop: Dialogue) -> None:
    shop.says("menu")
    shop.presses("Language")
    assert shop.presses("Русский") == ["Теперь говорим по-русски.", "Здравствуйте, Anna! Чем помочь?"]
    assert shop.lead.person.language == "ru"
