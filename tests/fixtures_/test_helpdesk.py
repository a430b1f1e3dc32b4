"""The sources' helpdesk: tickets made, answered, closed and rated in the chat."""

import pytest

from tests.fixtures_.crm import Crm
from tests.fixtures_.dialogue import Dialogue

pytestmark = pytest.mark.django_db


def test_a_request_becomes_a_ticket_also_after_the_system_was_down(client_of_helpdesk: Dialogue, crm: Crm) -> None:
    chat = client_of_helpdesk
    assert chat.opens() == ["Hello, Anna! How can we help?"]
    assert chat.presses("New request") == ["What happened? Several messages are fine, we take them together."]
    assert chat.passes("reminder") == ["We are listening: what happened?"]
    assert (chat.says("No water"), chat.says("since the morning")) == ([], [])
    assert chat.passes("collect") == ["A screenshot helps. Send one, or go on without."]
    crm.down = True
    assert chat.presses("Without")[0].startswith("Our system does not answer right now.")
    crm.down = False
    assert chat.presses("Try again") == ["We have your request and tell you here how it goes."]
    assert crm.calls("POST /api/tickets")[-1] == {"userId": 125, "text": "No water\nsince the morning", "screenshot": ""}
    assert chat.is_called("ticket-new", ticket_id=77, subject="No water", operator="Irina") == [
        "Your request has been created: № 77, “No water”. Irina works on it."
    ]


def test_a_yes_closes_the_ticket_and_a_no_goes_back_to_the_operator(client_of_helpdesk: Dialogue, crm: Crm) -> None:
    chat = client_of_helpdesk
    assert chat.is_called("ticket-reply", ticket_id=77, text="The water is back.", operator="Irina") == [
        "Irina: The water is back.", "Is your issue resolved?",
    ]  # fmt: skip
    assert chat.presses("No") == ["What is left to do?"]
    assert chat.says("It is cold") == ["Passed on. We will answer here."]
    chat.is_called("ticket-reply", ticket_id=77, text="And now?")
    assert chat.presses("Yes") == ["Glad to hear it!"]
    assert crm.asked == [
        ("POST /api/tickets/comment", {"ticketId": 77, "userId": 125, "text": "It is cold"}),
        ("POST /api/tickets/close", {"ticketId": 77, "userId": 125, "by": "client"}),
    ]


def test_the_service_is_rated(client_of_helpdesk: Dialogue, crm: Crm) -> None:
    assert client_of_helpdesk.is_called("ticket-feedback", ticket_id=77) == ["Please rate our service: request № 77"]
    assert client_of_helpdesk.presses("5") == ["Thank you for your feedback!"]
    assert crm.asked == [("POST /api/tickets/rating", {"ticketId": 77, "userId": 125, "rating": "5", "comment": ""})]
