import time
from typing import Any

import pytest

from apps.core.masking import is_secret_key, mask, mask_email, mask_phone, mask_text

TELEGRAM = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "user_password",
        "token",
        "access_token",
        "accessToken",
        "X-Api-Key",
        "Authorization",
        "secret",
        "client_secret",
        "Set-Cookie",
        "webhook_secret",
        "signing_key",
        "X-Signature",
        "otp",
        "PIN",
        "private_key",
        "Proxy-Authorization",
        "jwt",
        "bearer_token",
    ],
)
def test_a_value_under_a_secret_name_is_hidden(key: str) -> None:
    assert mask({key: "value"}) == {key: "***"}
    assert mask({key: {"deep": ["value"]}}) == {key: "***"}


@pytest.mark.parametrize(
    "key", ["session_id", "token_id", "token_name", "key", "monkey", "code", "status", "footprint", "spinner", "tokens", "auth_ok"]
)
def test_harmless_names_are_left(key: str) -> None:
    assert not is_secret_key(key)
    assert mask({key: 5}) == {key: 5}


@pytest.mark.parametrize(
    ("data", "masked"),
    [
        ({"phone": "+380501112233"}, {"phone": "+380*******33"}),
        ({"user_phone": "0501112233", "n": 1}, {"user_phone": "050*****33", "n": 1}),
        ({"phones": "+380501112233"}, {"phones": "+380501112233"}),
        ({"email": "anna@example.com"}, {"email": "a***@example.com"}),
        ({"clientEmail": ["anna@example.com", "b@x.org"]}, {"clientEmail": ["a***@example.com", "b***@x.org"]}),
        ({"phone": 380501112233}, {"phone": "380*******33"}),
        ({"phone": None, "email": "", "password": None, "token": True}, {"phone": None, "email": "", "password": None, "token": True}),
        ([{"password": "x"}, ("a", {"token": "y"})], [{"password": "***"}, ["a", {"token": "***"}]]),
        ("http://crm/user?phone=%2B380501112233&page=2", "http://crm/user?phone=+380*******33&page=2"),
        ("http://crm/user?user[email]=anna%40example.com#top", "http://crm/user?user[email]=a***@example.com#top"),
        ("what? a=b; phone=5", "what? a=b; phone=5"),
        ("?a=" * 5000, "?a=" * 5000),
        ({"body": b"12345"}, {"body": "<5 bytes>"}),
        ({1: {"secret": 1}}, {1: {"secret": "***"}}),
        (5, 5),
        (None, None),
    ],
)
def test_personal_data_keeps_only_what_tells_it_apart(data: Any, masked: Any) -> None:
    assert mask(data) == masked


def test_further_names_can_be_hidden_in_addresses_too() -> None:
    assert mask("http://crm/x?passport=AB+1&n=1", private=["passport"]) == "http://crm/x?passport=***&n=1"


def test_further_names_can_be_hidden() -> None:
    assert mask({"Card_Number": "x", "passportNo": "AB1", "city": "Kyiv"}, private=["passport_no"]) == {
        "Card_Number": "***",
        "passportNo": "***",
        "city": "Kyiv",
    }


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"https://api.telegram.org/bot{TELEGRAM}/sendMessage", "https://api.telegram.org/bot123456789:***/sendMessage"),
        (f"token {TELEGRAM} is wrong", "token *** is wrong"),
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic ***"),
        ("https://user:pass@host/path", "https://***@host/path"),
        ("https://host/?a=1&token=abc&b=2", "https://host/?a=1&token=***&b=2"),
        ("https://host/?api_key=abc#x", "https://host/?api_key=***#x"),
        ("key dbt_" + "a1B2" * 9, "key dbt_***"),
        ("vt_" + "a-_B" * 10, "vt_***"),
        ("whsec_" + "abcd" * 8 + "==", "whsec_***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
        ("enc1.k1." + "A" * 40, "***"),
        ('{"password": "hunter22"}', '{"password": "***"}'),
        ("password=hunter22, next", "password=***, next"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\nrest", "***\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB", "***"),
        ("Meeting at 12:30, token is invalid", "Meeting at 12:30, token is invalid"),
        ("Thank you for your order, Anna! Amount 3,500", "Thank you for your order, Anna! Amount 3,500"),
    ],
)
def test_secrets_are_known_by_their_form(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert mask({"text": [text]}) == {"text": [masked]}


@pytest.mark.parametrize(
    "part",
    [
        "1",
        "token",
        "password:",
        "eyJ",
        "-eyJ",
        "http://",
        "-----BEGIN PRIVATE KEY-----",
        "a-",
        "Bearer ",
        "c_",
        "?key=",
        "://a:",
        "enc1.a.",
        "1:",
        "\\",
        "@",
    ],
)
def test_no_text_takes_long(part: str) -> None:
    started = time.perf_counter()
    mask_text(part * (150_000 // len(part)) + " :=@_ enc1. eyJ PRIVATE KEY")
    assert time.perf_counter() - started < 1


def test_a_very_long_text_is_cut() -> None:
    assert mask_text("x" * 300_000) == "x" * 200_000 + "…"


def test_very_deep_data_is_cut() -> None:
    data: Any = "end"
    for _level in range(100_000):
        data = [data]
    assert "***" in str(mask(data))


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("+380 50 111-22-33", "+380*******33"), ("12345", "***"), ("", "***"), ("1234567", "123**67"), ("+380*******33", "+380*******33")],
)
def test_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(("email", "masked"), [("anna@example.com", "a***@example.com"), ("x", "***"), ("@x", "***"), (" b@c ", "b***@c")])
def test_emails(email: str, masked: str) -> None:
    assert mask_email(email) == masked
