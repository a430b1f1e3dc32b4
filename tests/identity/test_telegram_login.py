"""Telegram's own statements, with the vectors of the channel reference."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from apps.identity import telegram_login
from apps.identity.telegram_login import LoginRefusedError

TOKEN = "123456:TEST"
AT = 1_700_000_000
WIDGET = {
    "id": "11",
    "first_name": "A",
    "auth_date": str(AT),
    "username": "a",
    "hash": "4c034bbd42a831b678c1b437afc8249bf9f0ceedc0a93ff505c278d7ee46fe61",
}
MINI_APP = {
    "auth_date": str(AT),
    "query_id": "AAH",
    "user": '{"id":11,"first_name":"A"}',
    "hash": "67d31e767c6b0788302f93b3fec5b99581d7da20f1bba145ab0c106dcc783933",
}


def signed(fields: dict[str, Any]) -> dict[str, Any]:
    text = "\n".join(f"{key}={fields[key]}" for key in sorted(fields))
    return {**fields, "hash": hmac.new(hashlib.sha256(TOKEN.encode()).digest(), text.encode(), hashlib.sha256).hexdigest()}


def test_the_widgets_vector_is_accepted() -> None:
    user = telegram_login.verify(WIDGET, bot_token=TOKEN, now=AT + 10)
    assert (user.id, user.name, user.username, user.auth_date.timestamp()) == ("11", "A", "a", AT)


def test_the_mini_apps_vector_is_accepted() -> None:
    user = telegram_login.verify_mini_app(urlencode(MINI_APP), bot_token=TOKEN, now=AT + 10)
    assert (user.id, user.name) == ("11", "A")


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        ({"id": "12"}, AT),
        ({"hash": ""}, AT),
        ({"hash": WIDGET["hash"].upper()}, AT),
        ({"hash": "ы"}, AT),
        ({"extra": "1"}, AT),
        ({}, AT + 301),
        ({}, AT - 61),
        ({"auth_date": "soon"}, AT),
    ],
)
def test_what_telegram_did_not_sign_or_signed_long_ago_is_refused(changed: dict[str, str], now: int) -> None:
    with pytest.raises(LoginRefusedError):
        telegram_login.verify({**WIDGET, **changed}, bot_token=TOKEN, now=now)


def test_the_signature_of_another_bot_is_refused() -> None:
    with pytest.raises(LoginRefusedError):
        telegram_login.verify(WIDGET, bot_token="123456:OTHER", now=AT)
    with pytest.raises(LoginRefusedError):
        telegram_login.verify_mini_app(urlencode(MINI_APP), bot_token="123456:OTHER", now=AT)


def test_the_two_kinds_of_statements_are_not_exchangeable() -> None:
    with pytest.raises(LoginRefusedError):
        telegram_login.verify(MINI_APP, bot_token=TOKEN, now=AT)
    with pytest.raises(LoginRefusedError):
        telegram_login.verify_mini_app(urlencode(WIDGET), bot_token=TOKEN, now=AT)


@pytest.mark.parametrize("fields", [{"auth_date": AT}, {"auth_date": AT, "id": ""}, {"id": 11}, {"auth_date": 10**30, "id": 11}])
def test_a_statement_about_nobody_or_without_a_date_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(LoginRefusedError):
        telegram_login.verify(signed(fields), bot_token=TOKEN, now=AT)


@pytest.mark.parametrize("user", ["", "[]", "{}", "null", '{"id"', json.dumps("11")])
def test_a_mini_app_without_a_user_is_refused(user: str) -> None:
    fields = {"auth_date": str(AT), "user": user}
    text = "\n".join(f"{key}={fields[key]}" for key in sorted(fields))
    secret = hmac.new(b"WebAppData", TOKEN.encode(), hashlib.sha256).digest()
    query = urlencode({**fields, "hash": hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()})
    with pytest.raises(LoginRefusedError):
        telegram_login.verify_mini_app(query, bot_token=TOKEN, now=AT)


@pytest.mark.django_db
def test_a_statement_counts_once() -> None:
    assert telegram_login.use_once(WIDGET)
    assert not telegram_login.use_once(WIDGET)
    assert telegram_login.use_once({**WIDGET, "hash": "other"})
