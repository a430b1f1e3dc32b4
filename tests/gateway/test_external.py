"""An external messenger: its users' messages in, its delivery reports in."""

from typing import Any

import pytest
from django.test import Client

from apps.bots.models import Channel
from apps.conversations import advancing
from apps.conversations.models import Message, Update
from apps.events.models import Event
from apps.gateway import tokens
from tests.gateway.asserting import refused
from tests.gateway.making import Shop, definition, end, make_shop, message
from tests.making import make_channel
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db

TASK = "1721129985149x478019552540622850"


@pytest.fixture
def channel(shop: Shop) -> Channel:
    made = make_channel(
        shop.bot,
        kind="api",
        secrets={"signing_secret": "sesame-sesame-sesame"},
        config={"webhook_url": "http://127.0.0.1:9/hook", "task_id": TASK},
    )
    draft = definition(message("You said: {{ user_input }}"), end())
    draft["triggers"] = [{"kind": "any_message"}]
    make_scenario(shop.bot, draft)
    Event.objects.all().delete()
    return made


def post(shop: Shop, body: Any, *, token: str | None = None, address: str = "/api/1.1/wf/send_message_external", **headers: str) -> Any:
    given = shop.token if token is None else token
    auth = {"Authorization": f"Bearer {given}"} if given else {}
    return Client().post(address, body, content_type="application/json", headers={**auth, **headers})


def said(**fields: Any) -> dict[str, Any]:
    return {"task_id": TASK, "chat_id": "123456789", "message": "Test message via api", **fields}


def test_a_message_starts_a_dialogue_and_is_named(shop: Shop, channel: Channel) -> None:
    answer = post(shop, said(name="Olena"))
    heard, reply = Message.objects.order_by("pk")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True, "message": "Message accepted", "trace_id": answer.headers["X-Trace-Id"],
            "message_id": f"m_{heard.pk}", "thread_id": f"t_{heard.conversation_id}",
        },
    )  # fmt: skip
    assert (heard.text, reply.text) == ("Test message via api", "You said: Test message via api")
    assert (heard.conversation.lead.chat_id, heard.conversation.lead.display_name) == ("123456789", "Olena")


def test_the_public_id_of_the_channel_and_a_number_as_chat_id_do_too(shop: Shop, channel: Channel) -> None:
    first, second = post(shop, said()), post(shop, said(task_id=str(channel.public_id), chat_id=123456789))
    assert second.json()["thread_id"] == first.json()["thread_id"]


def test_a_repeated_message_is_taken_once(shop: Shop, channel: Channel) -> None:
    first, again = post(shop, said(client_message_id="a1")), post(shop, said(client_message_id="a1"))
    assert {**again.json(), "trace_id": ""} == {**first.json(), "trace_id": ""}
    assert Update.objects.count() == 1
    message = "This client_message_id or Idempotency-Key was used with another message."
    refused(post(shop, said(client_message_id="a1", message="other")), 409, "key_reused", message)


def test_the_idempotency_key_does_the_same(shop: Shop, channel: Channel) -> None:
    for _ in range(2):
        assert post(shop, said(), **{"Idempotency-Key": "k1"}).status_code == 200
    assert Update.objects.count() == 1


def test_without_an_id_every_call_is_a_message(shop: Shop, channel: Channel) -> None:
    assert post(shop, said()).json()["message_id"] != post(shop, said()).json()["message_id"]
    assert Message.objects.filter(direction="in").count() == 2


@pytest.mark.parametrize("name", ["task_id", "chat_id", "message"])
def test_a_missing_field_is_named(shop: Shop, channel: Channel, name: str) -> None:
    body = {key: value for key, value in said().items() if key != name}
    refused(post(shop, body), 400, "bad_request", "The request is not valid", errors=[{"field": name, "message": "is required"}])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chat_id", "x" * 201),
        ("message", ["x"]),
        ("message", "x" * 10_001),
        ("name", {}),
        ("chat_id", True),
        ("attachments", "x"),
        ("attachments", [1]),
        ("attachments", [{"url": "javascript:alert(1)"}]),
        ("attachments", [{"url": "https://x.example/" + "y" * 2000}]),
    ],
)
def test_a_wrong_field_is_named(shop: Shop, channel: Channel, name: str, value: object) -> None:
    answer = post(shop, said(**{name: value}))
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [name])
    assert Update.objects.count() == 0


def test_an_unknown_task_or_that_of_another_bot(shop: Shop, channel: Channel) -> None:
    other = make_shop()
    refused(post(shop, said(task_id="none")), 404, "not_found", "Task not found")
    refused(post(other, said()), 404, "not_found", "Task not found")
    refused(post(shop, said(task_id=str(shop.channel.public_id))), 404, "not_found", "Task not found")
    Channel.objects.filter(pk=channel.pk).update(is_active=False)
    refused(post(shop, said()), 404, "not_found", "Task not found")


def test_who_may_not(shop: Shop, channel: Channel) -> None:
    refused(post(shop, said(), token=""), 401, "invalid_token", "Invalid token")
    _row, clear = tokens.issue(name="orders", bots=[shop.bot], aliases=["order/*"])
    refused(post(shop, said(), token=clear), 403, "not_allowed", "This token may not call this endpoint")
    _row, clear = tokens.issue(name="messenger", bots=[shop.bot], aliases=["send_message_external"])
    assert post(shop, said(), token=clear).status_code == 200


def test_every_message_leaves_one_row_without_its_words(shop: Shop, channel: Channel) -> None:
    post(shop, said(phone="+380501112233"))
    event = Event.objects.get(kind="endpoint.called")
    assert (event.endpoint, event.bot_id, event.status) == ("send_message_external", shop.bot.pk, "success")
    assert event.details["params"] == {"task_id": TASK, "chat_id": "123456789", "phone": "+380*******33"}


def delivered(shop: Shop, channel: Channel) -> Message:
    """The bot's reply, as it stands after our webhook handed it over."""
    post(shop, said())
    reply = Message.objects.get(direction="out")
    Message.objects.filter(pk=reply.pk).update(state="sent", external_id=f"m_{reply.pk}")
    return reply


@pytest.mark.parametrize("status", ["delivered", "read", "failed"])
def test_a_delivery_report_changes_the_message(shop: Shop, channel: Channel, status: str) -> None:
    reply = delivered(shop, channel)
    answer = post(shop, {"message_id": f"m_{reply.pk}", "status": status}, address=f"/api/v1/channels/{TASK}/statuses")
    assert (answer.status_code, answer.json()["message"]) == (200, "Status accepted")
    advancing.drain()
    reply.refresh_from_db()
    assert reply.state == status


def test_a_delivery_report_of_an_unknown_message_or_state(shop: Shop, channel: Channel) -> None:
    reply, address = delivered(shop, channel), f"/api/v1/channels/{TASK}/statuses"
    refused(post(shop, {"message_id": "m_0", "status": "read"}, address=address), 404, "not_found", "Message not found")
    errors = [{"field": "status", "message": "must be delivered, read or failed"}]
    answer = post(shop, {"message_id": f"m_{reply.pk}", "status": "seen"}, address=address)
    refused(answer, 400, "bad_request", "The request is not valid", errors=errors)
    refused(
        post(shop, {"message_id": "m_0", "status": "read"}, address="/api/v1/channels/none/statuses"), 404, "not_found", "Task not found"
    )
