"""users/telegram-login: what Telegram signed connects the chat to the caller's user, once."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from apps.events.models import Event
from apps.identity.models import ExternalId, Lead
from tests.gateway.asserting import refused
from tests.gateway.making import Shop
from tests.making import TELEGRAM_TOKEN, make_lead

pytestmark = pytest.mark.django_db
CHAT = 540278913


def signed(fields: dict[str, Any], *, key: bytes) -> dict[str, Any]:
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return {**fields, "hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}


def widget(*, token: str = TELEGRAM_TOKEN, age: int = 1, **fields: Any) -> dict[str, Any]:
    told = {"id": CHAT, "first_name": "Anna", "username": "anna_k", "auth_date": int(time.time()) - age, **fields}
    return signed(told, key=hashlib.sha256(token.encode()).digest())


def log_in(shop: Shop, body: dict[str, Any], **options: Any) -> Any:
    return shop.call({"userId": 777, **body}, alias="users/telegram-login", **options)


def test_a_login_connects_the_chat_even_before_anything_was_written(shop: Shop) -> None:
    answer = log_in(shop, {"login": widget()}).json()
    assert (answer["success"], answer["message"], answer["data"]["userId"], answer["data"]["chatId"]) == (True, "Connected", 777, CHAT)
    lead = Lead.objects.get(chat_id=str(CHAT))
    assert (lead.display_name, lead.username, lead.connected_at is not None) == ("Anna", "anna_k", True)
    assert Event.objects.get(kind="lead.connected").details["way"] == "telegram_login"
    assert "hash" not in json.dumps(Event.objects.get(kind="endpoint.called").details)


def test_a_known_chat_is_the_one_that_is_connected(shop: Shop) -> None:
    lead = make_lead(shop.channel, chat_id=str(CHAT))
    assert log_in(shop, {"login": widget()}).json()["data"]["leadId"] == lead.code


def test_a_mini_app_connects_too(shop: Shop) -> None:
    fields = {"auth_date": int(time.time()), "query_id": "AAH", "user": json.dumps({"id": CHAT, "first_name": "Anna"})}
    key = hmac.new(b"WebAppData", TELEGRAM_TOKEN.encode(), hashlib.sha256).digest()
    assert log_in(shop, {"init_data": urlencode(signed(fields, key=key))}).json()["data"]["chatId"] == CHAT


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "Send the fields of the Login Widget as login, or a Mini App's initData as init_data."),
        ({"login": widget(token="1:another")}, "The login was not signed by Telegram for this bot."),
        ({"login": {**widget(), "id": 666}}, "The login was not signed by Telegram for this bot."),
        ({"login": widget(age=400)}, "The login is too old. Sign in again."),
        ({"init_data": "hash=1"}, "The login was not signed by Telegram for this bot."),
    ],
)
def test_what_telegram_did_not_say_connects_nobody(shop: Shop, body: dict[str, Any], why: str) -> None:
    errors = [{"field": "login", "message": why}]
    refused(log_in(shop, body), 400, "bad_request", "The request is not valid", errors=errors)
    assert not ExternalId.objects.filter(value="777").exists()


def test_a_login_works_once(shop: Shop) -> None:
    told = widget()
    log_in(shop, {"login": told})
    errors = [{"field": "login", "message": "This login has been used already. Sign in again."}]
    refused(log_in(shop, {"login": told, "userId": 778}), 400, "bad_request", "The request is not valid", errors=errors)


def test_a_chat_of_another_user_is_not_taken_over(shop: Shop) -> None:
    log_in(shop, {"login": widget()})
    again = log_in(shop, {"login": widget(age=30), "userId": 778})
    refused(again, 409, "already_linked", "This chat is linked to another user of the system.")
    assert ExternalId.objects.filter(value="778").count() == 0


def test_a_dry_run_checks_and_uses_nothing_up(shop: Shop) -> None:
    told = widget()
    answer = log_in(shop, {"login": told}, query="?dry_run=1").json()
    assert answer["would"] == {"link": {"channel": "telegram", "chatId": str(CHAT), "userId": "777"}}
    assert log_in(shop, {"login": told}).status_code == 200
