"""Who a visitor is, and whose chat they see."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.bots.models import Channel
from apps.identity.models import ExternalId, Lead, Person
from apps.panel.models import WidgetVisitor
from apps.panel.widget_api import key_of
from tests.making import make_lead
from tests.panel.visiting import SHOP, Visitor, identity, make_widget, talk, visit

pytestmark = pytest.mark.django_db


def test_a_visitor_who_only_looks_leaves_no_lead_and_no_person(widget: Channel) -> None:
    visitor = visit(widget)
    assert visitor.session["messages"] == []
    assert visitor.session["live"] is None
    assert (Lead.objects.count(), Person.objects.count(), WidgetVisitor.objects.count()) == (0, 0, 1)


def test_the_token_is_kept_as_a_digest_only(widget: Channel) -> None:
    token = visit(widget).session["visitor_token"]
    assert token.startswith("vt_")
    assert len(token) == 46
    row = WidgetVisitor.objects.get()
    assert token not in {str(getattr(row, field.attname)) for field in row._meta.concrete_fields}
    assert len(row.digest) == 64


def test_coming_back_with_the_token_continues_the_chat(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor, "Hi")
    first = visitor.session
    again = visitor.open()
    assert again["visitor_token"] == first["visitor_token"]
    assert again["chat_id"] == first["chat_id"]
    assert again["fresh"] is False
    assert [message["text"] for message in again["messages"]] == ["Hi", "echo: Hi"]


def test_a_token_of_another_channel_begins_a_new_chat(widget: Channel) -> None:
    visitor = visit(widget)
    other = visit(make_widget(), visitor_token=visitor.session["visitor_token"])
    assert other.session["fresh"] is True
    assert other.session["chat_id"] != visitor.session["chat_id"]


def test_a_token_ends_thirty_days_after_its_last_use(widget: Channel) -> None:
    visitor = visit(widget)
    start = timezone.now()
    with time_machine.travel(start + timedelta(days=29), tick=False):
        assert visitor.call("get", "messages").status_code == 200
    with time_machine.travel(start + timedelta(days=58), tick=False):
        assert visitor.call("get", "messages").status_code == 200
    with time_machine.travel(start + timedelta(days=89), tick=False):
        assert visitor.call("get", "messages").status_code == 401


def test_a_signed_user_is_linked_before_a_word_was_said(widget: Channel) -> None:
    visitor = visit(widget, identity=identity("125", name="Anna"))
    assert visitor.session["verified"] is True
    lead = visitor.lead
    assert lead.person.name == "Anna"
    assert lead.connected_at is not None
    assert list(ExternalId.objects.filter(person=lead.person).values_list("system", "value")) == [("crm", "125")]


def test_a_signed_user_is_spoken_to_in_the_pages_language(widget: Channel) -> None:
    assert visit(widget, identity=identity(), language="ru").lead.person.language == "ru"
    assert visit(widget, identity=identity(), language="en").lead.person.language == "ru"


def test_a_signed_user_finds_the_same_chat_in_every_browser(widget: Channel) -> None:
    first = visit(widget, identity=identity())
    talk(first, "from the desk")
    second = visit(widget, identity=identity())
    assert second.session["chat_id"] == first.session["chat_id"]
    assert second.session["visitor_token"] != first.session["visitor_token"]
    assert second.texts() == ["from the desk", "echo: from the desk"]


def test_a_user_who_is_known_from_another_channel_stays_one_person(widget: Channel) -> None:
    lead = make_lead(chat_id="540278913", name="Anna")
    lead.channel.bot = widget.bot
    lead.channel.save()
    Person.objects.filter(pk=lead.person_id).update(bot=widget.bot)
    ExternalId.objects.create(bot=widget.bot, person=lead.person, system="crm", value="125")
    assert visit(widget, identity=identity()).lead.person_id == lead.person_id


def test_an_anonymous_visitor_who_signs_in_keeps_the_chat(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor, "before")
    chat = visitor.session["chat_id"]
    visitor.open(identity=identity())
    assert visitor.session["chat_id"] == chat
    assert visitor.texts() == ["before", "echo: before"]
    assert ExternalId.objects.get().person_id == visitor.lead.person_id


@pytest.mark.parametrize("second", [{"identity": identity("126")}, {}])
def test_another_user_or_nobody_never_sees_the_chat_of_the_one_before(widget: Channel, second: dict[str, Any]) -> None:
    visitor = visit(widget, identity=identity("125"))
    talk(visitor, "private")
    chat = visitor.session["chat_id"]
    visitor.open(**({"identity": identity("126")} if second else {}))
    assert visitor.session["chat_id"] != chat
    assert visitor.texts() == []


def test_an_anonymous_chat_that_is_somebody_elses_is_not_taken_over(widget: Channel) -> None:
    """The bot has linked the chat to user 125 already; the page now says that this is 126."""
    visitor = visit(widget)
    talk(visitor, "I am 125")
    ExternalId.objects.create(bot=widget.bot, person=visitor.lead.person, system="crm", value="125")
    chat = visitor.session["chat_id"]
    visitor.open(identity=identity("126"))
    assert visitor.session["chat_id"] != chat
    assert visitor.texts() == []


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (identity(secret="guessed"), "hash_wrong"),
        (identity(seconds=-1), "expired"),
        (identity(seconds=3600), "exp_too_far"),
        ({**identity("125"), "user_id": "126"}, "hash_wrong"),
        ({**identity(), "hash": ""}, "hash_wrong"),
        ({**identity(), "hash": None}, "hash_missing"),
        ({**identity(), "hash": "é"}, "hash_missing"),
        ({**identity(), "exp": None}, "exp_missing"),
        ({**identity(), "exp": "soon"}, "exp_missing"),
        ({**identity(), "exp": True}, "hash_wrong"),
    ],
)
def test_without_a_valid_signature_the_visitor_stays_anonymous(widget: Channel, told: dict[str, Any], problem: str) -> None:
    visitor = visit(widget, identity=told)
    assert visitor.session["verified"] is False
    assert visitor.session["identity_problem"] == problem
    assert not ExternalId.objects.exists()
    assert visitor.row.claims["user_id"] == told["user_id"]


def test_the_previous_secret_is_accepted_while_it_is_being_changed() -> None:
    channel = make_widget(secrets={"identity_secret": "new", "identity_secret_previous": "old"})
    assert visit(channel, identity=identity(secret="old")).session["verified"] is True
    assert visit(channel, identity=identity(secret="new")).session["verified"] is True


def test_without_a_secret_nobody_is_identified() -> None:
    channel = make_widget(secrets={})
    assert visit(channel, identity=identity(secret="")).session["identity_problem"] == "identity_not_configured"


def test_claims_reach_the_lead_as_claims(widget: Channel) -> None:
    visitor = visit(widget, identity={"name": "Anna", "phone": "+380501112233"}, language="ru")
    talk(visitor)
    lead = visitor.lead
    assert lead.display_name == "Anna"
    assert lead.person.phone == ""
    assert lead.profile["language"] == "ru"


@pytest.mark.parametrize("key", ["", "wk_", "wk_00000000000000000000000000000000", "nonsense"])
def test_an_unknown_key_is_told_apart(widget: Channel, key: str) -> None:
    answer = Visitor(widget).call("post", "sessions", {"key": key})
    assert answer.status_code in {400, 404}
    assert answer.json()["success"] is False


def test_an_inactive_channel_opens_nothing(widget: Channel) -> None:
    visitor = visit(widget)
    Channel.objects.update(is_active=False)
    assert visitor.call("get", "messages").status_code == 401
    assert visitor.call("post", "sessions", {"key": key_of(widget)}).status_code == 404


def test_signing_out_ends_the_token(widget: Channel) -> None:
    visitor = visit(widget)
    assert visitor.call("post", "sign-out", {}).status_code == 204
    assert visitor.call("get", "messages").status_code == 401


@pytest.mark.parametrize("path", ["messages", "events"])
@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer vt_invented", "Basic dnQ6"])
def test_without_a_valid_token_nothing_is_told(widget: Channel, path: str, token: str) -> None:
    answer = Visitor(widget).call("get", path, headers={"Authorization": token})
    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid_token"


@pytest.mark.parametrize("origin", ["https://shop.example.evil.test", "https://evil-shop.example", "http://shop.example", "null", ""])
def test_look_alike_pages_are_refused_on_every_call(widget: Channel, origin: str) -> None:
    visitor = visit(widget)
    visitor.origin = origin
    assert Visitor(widget, origin=origin).call("post", "sessions", {"key": key_of(widget)}).status_code == 403
    for path in ("messages", "receipts", "typing", "uploads", "sign-out"):
        answer = visitor.call("post", path, {})
        assert answer.status_code == 403, path
        assert "Access-Control-Allow-Origin" not in answer.headers
    for path in ("messages", "events"):
        assert visitor.call("get", path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_an_allowed_page_may_read_the_answers_and_no_other(widget: Channel) -> None:
    visitor = visit(widget, origin=SHOP)
    answer = visitor.call("get", "messages")
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    assert answer.cookies == {}


def test_a_preflight_says_what_may_be_sent(widget: Channel) -> None:
    answer = Visitor(widget, origin=SHOP).call("options", "messages", headers={"Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_two_tabs_that_open_together_share_one_chat(widget: Channel) -> None:
    first, second = visit(widget, identity=identity()), visit(widget, identity=identity())
    assert first.session["chat_id"] == second.session["chat_id"]
    assert Lead.objects.count() == 1
