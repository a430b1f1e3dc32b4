"""The sources' map of installers: registration and a quiz, an invitation with its reminder, a rating, thanks with points."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.conversations.models import Timer
from apps.scenarios.models import Session
from tests.fixtures_.crm import Crm
from tests.fixtures_.dialogue import Dialogue

pytestmark = pytest.mark.django_db


def test_a_new_installer_is_welcomed_and_the_quiz_reaches_the_portal(installer: Dialogue, crm: Crm) -> None:
    said = installer.is_called("welcome", name="Anna")
    assert said == ["Welcome, Anna! You are registered on the portal. Three short questions tell us what training fits you."]
    assert installer.presses("Let's go") == ["What do you install most?"]
    assert installer.presses("Heating") == ["For how many years?"]
    assert installer.passes("reminder") == ["Two answers to go: for how many years have you been installing?"]
    assert installer.says("99") == ["A number from 0 to 60, please."]
    assert installer.says("back") == ["What do you install most?"]
    assert installer.says("Windows") == ["For how many years?"]
    assert installer.says("12") == ["Thank you! We will invite you to training for the level “expert”."]
    assert crm.asked == [("POST /api/installers/quiz", {"userId": 125, "level": "expert", "systems": "Windows", "years": 12})]
    assert installer.lead.person.attributes == {"installer_level": "expert"}


def test_who_stops_the_quiz_is_left_alone(installer: Dialogue, crm: Crm) -> None:
    installer.is_called("welcome")
    installer.presses("Let's go")
    assert installer.says("/stop") == ["All right, we stop here. Write “menu” whenever you like."]
    assert (crm.asked, Session.objects.get().status) == ([], "cancelled")


def test_an_invitation_is_answered_and_reminded_an_hour_before(installer: Dialogue, crm: Crm) -> None:
    begins = (timezone.now() + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
    when = begins.strftime("%d.%m.%Y 10:00")
    said = installer.is_called("webinar-invite", webinar_id=7, title="Balancing", starts_at=begins.isoformat())
    assert said == [f"You are invited to training: Balancing, {when}. Will you come?"]
    assert installer.presses("I will come") == ["Noted. We will remind you an hour before."]
    assert crm.asked == [("POST /api/webinars/answer", {"userId": 125, "webinarId": 7, "comes": True})]
    assert Timer.objects.get(reason="delay").due_at == begins - timedelta(hours=1)
    assert installer.says("menu") == ["Hello, Anna! What do you need?"]
    assert installer.presses("My webinars") == [f"Your next webinar: Balancing, {when}."]
    assert installer.passes("delay") == ["Balancing begins in an hour."]


def test_a_bad_rating_asks_what_was_missing(installer: Dialogue, crm: Crm) -> None:
    assert installer.is_called("webinar-feedback", webinar_id=7, title="Balancing") == ["Rate the training quality: Balancing"]
    assert installer.presses("2") == ["What should we do better? Write it in your own words, or skip."]
    assert installer.says("More practice") == ["Thank you for your feedback!"]
    assert crm.asked == [("POST /api/webinars/feedback", {"userId": 125, "webinarId": 7, "rating": "2", "comment": "More practice"})]


def test_points_are_told_and_kept(installer: Dialogue) -> None:
    assert installer.is_called("feedback-received", points=50, balance=1350) == ["Thank you for your feedback! 50 points are yours."]
    assert installer.is_called("feedback-received") == ["Thank you for your feedback!"]
    installer.says("menu")
    assert installer.presses("Bonus points") == ["You have 1,350 points."]
