"""Whatever comes in, the answer is one of ours: JSON, with a trace, never a fault of the server."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.making import Shop
from tests.making import make_channel

pytestmark = pytest.mark.django_db

KNOWN = (
    "user_id",
    "userIds",
    "leadId",
    "chat_id",
    "phone",
    "email",
    "script_request_params",
    "amount",
    "task_id",
    "message",
    "attachments",
    "ttl",
    "channel",
)
MANY = settings(
    max_examples=120, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["125", "\x00", "\ud800", "1e999", "0" * 300])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12
)
objects = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=10), values, max_size=6)
header_texts = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60)
PLACES = ("order/thank-you", "users/connect-link", "users/connect-bot")


def ours(answer: Any) -> None:
    assert answer.status_code < 500, answer.content
    body = answer.json()
    assert body["trace_id"]
    assert body["success"] == (answer.status_code < 400)
    if not body["success"]:
        assert {"message", "code"} <= body.keys()


@pytest.fixture(autouse=True)
def _unlimited(settings: Any) -> None:
    settings.TOKEN_CALLS_PER_MINUTE = 10**9


def test_random_bytes(shop: Shop) -> None:
    @MANY
    @given(st.binary(max_size=200), st.sampled_from(PLACES))
    def check(body: bytes, alias: str) -> None:
        ours(shop.call(body, alias=alias))

    check()


def test_random_objects(shop: Shop) -> None:
    @MANY
    @given(objects, st.sampled_from(PLACES), st.booleans())
    def check(body: dict[str, Any], alias: str, dry: bool) -> None:  # noqa: FBT001
        ours(shop.call(json.dumps(body).encode(), alias=alias, query="?dry_run=true" if dry else ""))

    check()


def test_random_addresses(shop: Shop) -> None:
    @MANY
    @given(st.text(max_size=30), st.text(max_size=60))
    def check(bot: str, alias: str) -> None:
        address = f"/bots/{quote(bot, safe='')}/call/{quote(alias, safe='')}"
        headers = {"Authorization": f"Bearer {shop.token}"}
        answer = shop.client.generic("POST", address, b"{}", content_type="application/json", headers=headers)
        ours(answer)

    check()


def test_random_headers(shop: Shop) -> None:
    @MANY
    @given(
        header_texts,
        header_texts,
        header_texts,
        st.sampled_from(["Authorization", "X-Dry-Run", "Idempotency-Key", "Prefer", "X-Trace-Id", "traceparent"]),
    )
    def check(value: str, kind: str, key: str, name: str) -> None:
        headers = {"Idempotency-Key": key, name: value}
        ours(shop.call({"user_id": 7}, headers=headers))
        ours(shop.client.generic("POST", f"/bots/{shop.bot.pk}/call/x", b"{}", content_type=kind, headers=headers))

    check()


def test_random_messages_of_an_external_messenger(shop: Shop) -> None:
    channel = make_channel(
        shop.bot, kind="api", secrets={"signing_secret": "sesame-sesame-sesame"}, config={"webhook_url": "http://127.0.0.1:9/"}
    )

    @MANY
    @given(objects)
    def check(body: dict[str, Any]) -> None:
        asked = {"chat_id": "1", "message": "x", **body, "task_id": str(channel.public_id)}
        raw, headers = json.dumps(asked).encode(), {"Authorization": f"Bearer {shop.token}"}
        ours(shop.client.generic("POST", "/api/1.1/wf/send_message_external", raw, content_type="application/json", headers=headers))

    check()


def test_random_updates_of_a_messenger(shop: Shop) -> None:
    @MANY
    @given(
        st.binary(max_size=200)
        | st.dictionaries(st.sampled_from(["update_id", "message", "callback_query", "x"]), values).map(
            lambda body: json.dumps(body).encode()
        )
    )
    def check(body: bytes) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": shop.channel.webhook_secret}
        answer = shop.client.generic(
            "POST", f"/webhooks/telegram/{shop.channel.public_id}", body, content_type="application/json", headers=headers
        )
        assert answer.status_code == 200, answer.content

    check()
