"""Webhooks of messengers: verified, stored once, answered at once."""

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from apps.bots.models import Channel
from apps.conversations.models import Update
from apps.events.models import Event
from tests.making import make_channel

pytestmark = pytest.mark.django_db

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def said(number: int = 1, text: str = "Hello") -> dict[str, Any]:
    user = {"id": 540278913, "is_bot": False, "first_name": "Anna"}
    chat = {"id": 540278913, "type": "private", "first_name": "Anna"}
    return {"update_id": number, "message": {"message_id": number, "from": user, "chat": chat, "date": 1767225600, "text": text}}


def deliver(channel: Channel, body: object, *, secret: str | None = None, client: Client | None = None, method: str = "post") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {SECRET_HEADER: channel.webhook_secret if secret is None else secret}
    asking = getattr(client or Client(), method)
    return asking(f"/webhooks/{channel.kind}/{channel.public_id}", raw, content_type="application/json", headers=headers)


def test_an_update_is_stored_and_answered() -> None:
    channel = make_channel()
    answer = deliver(channel, said())
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "trace_id": answer.headers["X-Trace-Id"]}
    row = Update.objects.get()
    assert (row.channel_id, row.event_key, row.kind, row.state, row.payload["text"]) == (channel.pk, "u:1", "messenger", "pending", "Hello")


def test_a_repeated_update_is_stored_once_and_answered_alike() -> None:
    channel = make_channel()
    assert [deliver(channel, said()).status_code for _ in range(3)] == [200, 200, 200]
    assert Update.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_deliveries_of_one_update_are_stored_once() -> None:
    channel = make_channel()
    together, statuses = threading.Barrier(6), list[int]()

    def post() -> None:
        together.wait()
        try:
            statuses.append(deliver(channel, said()).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6
    assert Update.objects.count() == 1


@pytest.mark.parametrize("secret", ["", "wrong", "ключ"])
def test_a_wrong_secret_is_refused_and_nothing_is_stored(secret: str) -> None:
    channel = make_channel()
    answer = deliver(channel, said(), secret=secret.encode().decode("latin-1"))
    assert answer.status_code == 401
    trace_id = answer.headers["X-Trace-Id"]
    assert answer.json() == {"success": False, "message": "Invalid signature", "trace_id": trace_id, "code": "invalid_signature"}
    assert Update.objects.count() == 0
    assert [event.kind for event in Event.objects.all()] == ["webhook.refused"]


def test_a_flood_of_wrong_secrets_does_not_fill_the_log() -> None:
    channel = make_channel()
    assert {deliver(channel, said(), secret="wrong").status_code for _ in range(30)} == {401}
    assert 10 <= Event.objects.count() <= 12


def test_a_channel_without_a_secret_takes_nothing() -> None:
    channel = make_channel()
    Channel.objects.filter(pk=channel.pk).update(webhook_secret="")
    assert deliver(channel, said(), secret="").status_code == 401


@pytest.mark.parametrize(
    "place", ["/webhooks/telegram/none", "/webhooks/telegram/4f9f3a6e-0000-4000-8000-000000000000", "/webhooks", "/webhooks/x/y/z"]
)
def test_an_unknown_channel_is_not_found(place: str) -> None:
    answer = Client().post(place, b"{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_channel_of_another_type_or_an_inactive_one_is_not_found() -> None:
    channel = make_channel()
    answer = Client().post(
        f"/webhooks/api/{channel.public_id}", b"{}", content_type="application/json", headers={SECRET_HEADER: channel.webhook_secret}
    )
    assert answer.status_code == 404
    Channel.objects.filter(pk=channel.pk).update(is_active=False)
    assert deliver(channel, said()).status_code == 404
    assert Update.objects.count() == 0


def test_a_channel_type_without_webhooks_refuses_everything() -> None:
    channel = make_channel(kind="widget")
    assert deliver(channel, said()).status_code == 401
    assert Update.objects.count() == 0


def test_another_method_is_refused() -> None:
    answer = deliver(make_channel(), b"", method="put")
    assert (answer.status_code, answer.headers["Allow"], answer.json()["code"]) == (405, "POST", "method_not_allowed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1]",
        b'{"update_id": NaN}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a":1,"a":2}',
        b"[" * 1000 + b"]" * 1000,
        b"\xff\xfe",
    ],
    ids=["empty", "text", "list", "nan", "nul", "surrogate", "twice", "deep", "utf16"],
)
def test_a_verified_body_that_cannot_be_read_is_kept_in_the_log_and_answered_as_taken(body: bytes) -> None:
    answer = deliver(make_channel(), body)
    assert answer.status_code == 200
    event = Event.objects.get()
    assert (event.kind, event.status, event.details["size"]) == ("webhook.unreadable", "fail", len(body))
    assert Update.objects.count() == 0


def test_an_update_that_belongs_to_no_chat_is_kept_in_the_log() -> None:
    answer = deliver(make_channel(), {"update_id": 7, "poll": {"id": "1", "question": "?"}})
    assert answer.status_code == 200
    assert [event.kind for event in Event.objects.all()] == ["webhook.unknown"]


def test_a_body_over_the_limit_is_refused(settings: Settings) -> None:
    settings.CALL_MAX_BYTES = 1000
    answer = deliver(make_channel(), said(text="x" * 2000))
    assert (answer.status_code, answer.json()["message"]) == (413, "The body is larger than 1000 bytes.")
    assert Update.objects.count() == 0


def test_a_stored_update_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    channel = make_channel()
    with django_assert_max_num_queries(5):  # channel, savepoint, lane, insert, release
        deliver(channel, said())
