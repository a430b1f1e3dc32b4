"""Signatures of calls in the form of Standard Webhooks."""

import base64
from datetime import UTC, datetime

import pytest

from apps.gateway import signing
from apps.gateway.answers import RefusedError

AT = datetime.fromtimestamp(1_767_225_600, tz=UTC)
STAMP = "1767225600"


def headers(secret: str, *, body: bytes = b"{}", message_id: str = "msg_1", timestamp: str = STAMP) -> dict[str, str]:
    signature = signing.sign(secret, message_id=message_id, timestamp=timestamp, body=body)
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def test_the_published_vector_of_standard_webhooks() -> None:
    """The example of the specification's own reference libraries."""
    signature = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp="1614265330",
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_good_signature_gives_the_id() -> None:
    assert signing.verify("secret", headers("secret"), b"{}", at=AT) == "msg_1"
    whsec = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
    assert signing.verify(whsec, headers(whsec), b"{}", at=AT) == "msg_1"


def test_one_good_signature_among_several_is_enough() -> None:
    given = headers("new")
    given["webhook-signature"] = f"v1,AAAA {given['webhook-signature']} v2,x"
    assert signing.verify("new", given, b"{}", at=AT) == "msg_1"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "msg_2"},
        {"webhook-id": "x" * 151},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "1767225299"},
        {"webhook-timestamp": "1767225901"},
        {"webhook-timestamp": "9" * 40},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "AAAA"},
    ],
)
def test_anything_wrong_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as caught:
        signing.verify("secret", {**headers("secret"), **change}, b"{}", at=AT)
    assert caught.value.code == "invalid_signature"


def test_another_body_or_secret_is_refused() -> None:
    for secret, body in [("secret", b"{ }"), ("other", b"{}")]:
        with pytest.raises(RefusedError):
            signing.verify(secret, headers("secret"), body, at=AT)


def test_five_minutes_are_tolerated_both_ways() -> None:
    for timestamp in ("1767225300", "1767225900"):
        assert signing.verify("secret", headers("secret", timestamp=timestamp), b"{}", at=AT) == "msg_1"
