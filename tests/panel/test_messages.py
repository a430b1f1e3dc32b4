"""What a visitor says and hears."""

import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from apps.bots import tokens
from apps.bots.content import Button, Contact, Content, Location, Media
from apps.bots.models import Channel
from apps.conversations import advancing
from apps.conversations.models import Message, Update
from apps.core.redis import client as redis_client
from apps.identity.models import Lead
from apps.panel import presence
from tests.panel.visiting import SHOP, Visitor, talk, tell, visit
from tools.ports import free_port

pytestmark = pytest.mark.django_db


def test_what_is_said_is_kept_at_once_and_answered_by_the_bot(widget: Channel) -> None:
    visitor = visit(widget)
    answer = visitor.say("Hi", client_message_id="one")
    assert answer.status_code == 202
    update = Update.objects.get()
    assert answer.json() == {"message_id": f"i_{update.pk}", "client_message_id": "one", "repeated": False}
    assert advancing.drain() == 1
    events = visitor.events()
    assert [(event["type"], event["message"]["direction"], event["message"]["text"]) for event in events["events"]] == [
        ("message", "in", "Hi"),
        ("message", "out", "echo: Hi"),
    ]
    assert events["events"][0]["message"]["client_message_id"] == "one"
    assert visitor.lead.code == f"WEB-{visitor.lead.pk}"


def test_repeating_a_message_changes_nothing(widget: Channel) -> None:
    visitor = visit(widget)
    for repeated in (False, True, True):
        assert visitor.say("Hi", client_message_id="same").json()["repeated"] is repeated
        advancing.drain()
    assert visitor.texts() == ["Hi", "echo: Hi"]


def test_the_same_id_of_two_visitors_is_two_messages(widget: Channel) -> None:
    first, second = visit(widget), visit(widget)
    for visitor in (first, second):
        assert visitor.say("Hi", client_message_id="same").json()["repeated"] is False
    assert Update.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_message_sent_many_times_at_once_is_one(widget: Channel) -> None:
    visitor = visit(widget)
    answers: list[Any] = []

    def send() -> None:
        copy = Visitor(widget, session=visitor.session, client=Client())
        answers.append(copy.say("Hi", client_message_id="same"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 6
    assert sorted(answer.json()["repeated"] for answer in answers) == [False, True, True, True, True, True]
    assert Update.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {"text": ""},
        {"text": "   "},
        {"text": None},
        {"text": 5},
        {"text": "x" * 10_001},
        {"client_message_id": ""},
        {"client_message_id": "a b"},
        {"client_message_id": "é"},
        {"client_message_id": "x" * 65},
        {"type": "nonsense"},
        {"type": "receipt"},
        {"type": "start"},
        {"type": "action"},
        {"type": "file"},
        {"type": "contact", "phone": "no"},
        {"type": "location", "latitude": 91, "longitude": 0},
        {"type": "location", "latitude": "50", "longitude": 30},
        {"type": "location", "latitude": True, "longitude": 30},
        {"type": "location"},
    ],
)
def test_what_cannot_be_said_is_refused_with_a_reason(widget: Channel, data: dict[str, Any]) -> None:
    answer = visit(widget).say(**{"text": "Hi", **data})
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"
    assert answer.json()["message"]
    assert len(answer.json()["trace_id"]) == 32
    assert Update.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"not json", 400),
        (b'{"text": "\\u0000"}', 400),
        (b'{"text": "\\ud800"}', 400),
        (b'{"text": NaN}', 400),
        (b'{"text": "a", "text": "b"}', 400),
        (b"[" * 1000 + b"]" * 1000, 400),
        (b'{"text": "' + b"x" * 200_000 + b'"}', 413),
    ],
)
def test_bad_bodies_are_refused(widget: Channel, body: bytes, status: int) -> None:
    visitor = visit(widget)
    answer = visitor.client.post(
        "/widget/v1/messages",
        body,
        content_type="application/json",
        headers={"Origin": visitor.origin, "Authorization": f"Bearer {visitor.session['visitor_token']}"},
    )
    assert answer.status_code == status
    assert answer.json()["success"] is False


def test_a_wrong_method_is_told(widget: Channel) -> None:
    answer = visit(widget).call("delete", "messages")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


def test_the_twenty_first_message_within_a_minute_waits(widget: Channel) -> None:
    visitor = visit(widget)
    answers = [visitor.say() for _ in range(21)]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 4
    assert visit(widget).say().status_code == 202


def test_many_visitors_behind_one_address_share_a_limit(widget: Channel) -> None:
    statuses = [visitor.say().status_code for visitor in [visit(widget) for _ in range(4)] for _ in range(16)]
    assert statuses == [202] * 60 + [429] * 4


def test_a_shared_phone_is_a_claim_and_masked_in_the_chat(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor, type="contact", phone="+380501112233")
    message = Message.objects.get(direction="in")
    assert "0501112233" not in str(message.content)
    assert visitor.lead.person.phone == ""


def test_a_location_is_shown(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor, type="location", latitude=50.45, longitude=30.52)
    shown = visitor.events()["events"][0]["message"]
    assert shown["location"] == {"latitude": 50.45, "longitude": 30.52, "title": ""}


def test_a_message_is_shown_with_everything_that_a_page_needs(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    rows = [
        [Button(id="ok", label="Confirm"), Button(id="no", label="Cancel")],
        [Button(id="site", kind="url", label="Site", url="https://shop.example/")],
    ]
    message = tell(visitor.lead, Content(text="<b>Ready?</b>", format="html", buttons=rows, typing=1.5))
    shown = visitor.events()["events"][-1]["message"]
    assert shown == {
        "id": f"m_{message.pk}",
        "direction": "out",
        "author": "bot",
        "text": "<b>Ready?</b>",
        "format": "html",
        "state": "sent",
        "created_at": message.created_at.isoformat() if message.created_at else shown["created_at"],
        "keyboard": "inline",
        "typing": 1.5,
        "buttons": [
            [
                {"kind": "callback", "label": "Confirm", "token": tokens.encode(message.pk, 0), "url": ""},
                {"kind": "callback", "label": "Cancel", "token": tokens.encode(message.pk, 1), "url": ""},
            ],
            [{"kind": "url", "label": "Site", "token": tokens.encode(message.pk, 2), "url": "https://shop.example/"}],
        ],
        "media": [],
    }


def test_media_contact_and_an_edit_are_shown(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    first = tell(visitor.lead, Content(media=[Media(kind="image", url="https://shop.example/a.png", caption="New")]))
    tell(
        visitor.lead, Content(contact=Contact(phone="+380501112233", name="Shop"), location=Location(latitude=1, longitude=2, title="Shop"))
    )
    tell(visitor.lead, Content(text="changed", edit=f"m_{first.pk}"))
    picture, card, edit = [event["message"] for event in visitor.events()["events"][-3:]]
    assert picture["media"] == [
        {"kind": "image", "url": "https://shop.example/a.png", "name": "", "mime": "", "size": None, "caption": "New"}
    ]
    assert card["contact"] == {"phone": "+380501112233", "name": "Shop", "own": False}
    assert edit["edits"] == f"m_{first.pk}"


@pytest.mark.parametrize("url", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "//evil.test", "vbscript:x", "/admin/"])
def test_links_that_would_run_something_are_not_given_out(widget: Channel, url: str) -> None:
    visitor = visit(widget)
    talk(visitor)
    tell(visitor.lead, Content(buttons=[[Button(id="x", kind="url", label="x", url=url)]], media=[Media(kind="file", url=url)]))
    shown = visitor.events()["events"][-1]["message"]
    assert shown["buttons"][0][0]["url"] == ""
    assert shown["media"][0]["url"] == ""


def test_notes_of_colleagues_never_leave(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    tell(visitor.lead, Content(text="a difficult client"), is_note=True, author="operator")
    assert visitor.texts() == ["Hi", "echo: Hi"]
    assert "difficult" not in str(visitor.events())


def test_a_press_comes_back_as_the_buttons_label_and_stays_in_its_chain(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    message = tell(visitor.lead, Content(text="Ready?", buttons=[[Button(id="ok", label="Confirm")]]))
    assert visitor.say(type="action", action_id=tokens.encode(message.pk, 0), text=None).status_code == 202
    assert Update.objects.latest("id").trace_id == "trace-of-the-question"
    advancing.drain()
    assert visitor.texts()[2:4] == ["Ready?", "Confirm"]


def test_a_press_on_somebody_elses_button_says_nothing_about_it(widget: Channel) -> None:
    other = visit(widget)
    talk(other)
    message = tell(other.lead, Content(text="secret", buttons=[[Button(id="ok", label="Secret label")]]))
    visitor = visit(widget)
    assert visitor.say(type="action", action_id=tokens.encode(message.pk, 0), text=None).status_code == 202
    assert Update.objects.latest("id").trace_id != "trace-of-the-question"
    advancing.drain()
    assert "Secret label" not in str(visitor.texts())


def test_history_comes_in_pages_newest_first(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    for number in range(60):
        tell(visitor.lead, Content(text=str(number)))
    newest = visitor.call("get", "messages").json()
    assert [message["text"] for message in newest["messages"]] == [str(number) for number in range(10, 60)]
    assert newest["more"] is True
    older = visitor.call("get", f"messages?before={newest['messages'][0]['id']}").json()
    assert [message["text"] for message in older["messages"]] == ["Hi", "echo: Hi", *[str(number) for number in range(10)]]
    assert older["more"] is False


def test_history_and_events_together_lose_nothing(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    snapshot = visitor.call("get", "messages").json()
    tell(visitor.lead, Content(text="after"))
    assert [event["message"]["text"] for event in visitor.events(snapshot["cursor"])["events"]] == ["after"]


def test_events_are_the_visitors_own(widget: Channel) -> None:
    first, second = visit(widget), visit(widget)
    talk(first, "mine")
    assert second.events()["events"] == []
    talk(second, "theirs")
    assert [event["message"]["text"] for event in second.events("0")["events"]] == ["theirs", "echo: theirs"]
    assert [event["message"]["text"] for event in first.events("0")["events"]] == ["mine", "echo: mine"]


def test_a_cursor_older_than_what_is_kept_asks_for_a_new_snapshot(widget: Channel) -> None:
    from apps.conversations.models import FeedItem  # noqa: PLC0415

    visitor = visit(widget)
    talk(visitor, "one")
    talk(visitor, "two")
    visitor.events()
    FeedItem.objects.filter(cursor__lte=2).delete()
    assert visitor.events("1")["reset"] is True


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1e5", "wait=soon", "after=99999999999999999999"])
def test_nonsense_instead_of_a_cursor_is_refused(widget: Channel, query: str) -> None:
    assert visit(widget).call("get", f"events?{query}").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_waiting_call_is_answered_when_something_comes(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    visitor.open()
    answers: list[Any] = []

    def wait() -> None:
        answers.append(Visitor(widget, session=visitor.session).call("get", f"events?after={visitor.session['cursor']}&wait=10").json())
        connection.close()

    thread = threading.Thread(target=wait)
    thread.start()
    tell(visitor.lead, Content(text="at last"))
    thread.join(9)
    assert [event["message"]["text"] for event in answers[0]["events"]] == ["at last"]


def test_receipts_raise_the_states_that_colleagues_see(widget: Channel) -> None:
    visitor = visit(widget)
    talk(visitor)
    first, second = tell(visitor.lead, Content(text="1")), tell(visitor.lead, Content(text="2"))
    assert visitor.call("post", "receipts", {"delivered_up_to": f"m_{second.pk}"}).status_code == 204
    advancing.drain()
    assert states(first, second) == ["delivered", "delivered"]
    assert visitor.call("post", "receipts", {"read_up_to": f"m_{first.pk}"}).status_code == 204
    advancing.drain()
    assert states(first, second) == ["read", "delivered"]
    changed = [(event["message"]["id"], event["message"]["state"]) for event in visitor.events()["events"]]
    assert (f"m_{first.pk}", "read") in changed


def test_a_receipt_for_somebody_elses_message_does_nothing(widget: Channel) -> None:
    other, visitor = visit(widget), visit(widget)
    talk(other)
    talk(visitor)
    message = tell(other.lead, Content(text="theirs"))
    assert visitor.call("post", "receipts", {"read_up_to": f"m_{message.pk}"}).status_code == 204
    advancing.drain()
    assert states(message) == ["sent"]


def states(*messages: Message) -> list[str]:
    return [Message.objects.get(pk=message.pk).state for message in messages]


def test_typing_is_told_both_ways_and_forgotten(widget: Channel) -> None:
    visitor = visit(widget)
    assert visitor.call("post", "typing", {"on": True}).status_code == 204
    talk(visitor)
    lead: Lead = visitor.lead
    visitor.call("post", "typing", {"on": True})
    assert presence.visitor_types(lead.pk) is True
    assert 0 < redis_client().ttl(f"dialogbus:typing:client:{lead.pk}") <= 6
    visitor.call("post", "typing", {"on": False})
    assert presence.visitor_types(lead.pk) is False
    presence.note_staff(lead.pk, typing=True)
    assert visitor.events()["typing"] is True


def test_without_redis_the_chat_goes_on(widget: Channel, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_asked_again_at", 0.0)
    visitor = visit(widget)
    talk(visitor)
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert visitor.say("still there?").status_code == 202
    assert visitor.call("post", "typing", {"on": True}).status_code == 204
    advancing.drain()
    began = time.monotonic()
    for _ in range(20):
        assert visitor.texts()[-1] == "echo: still there?"
        assert visitor.events()["typing"] is False
    assert time.monotonic() - began < 10


def test_a_link_that_carries_something_starts_the_chat_once(widget: Channel) -> None:
    visitor = visit(widget, start="c_7Zk2Qp")
    visitor.open(start="c_7Zk2Qp")
    update = Update.objects.get()
    assert (update.payload["kind"], update.payload["payload"]) == ("start", "c_7Zk2Qp")


def test_the_whole_way_works_from_an_allowed_page(widget: Channel) -> None:
    visitor = visit(widget, origin=SHOP)
    talk(visitor)
    assert visitor.texts() == ["Hi", "echo: Hi"]
