"""Bad input and faults: every refusal has the documented status and body, and changes nothing."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.bots.models import Bot
from apps.conversations.models import Message, Update
from apps.events.models import Event
from apps.gateway import tokens
from apps.gateway.models import ApiToken, Endpoint
from apps.identity.models import Lead
from apps.scenarios.models import Scenario
from tests.gateway.asserting import refused
from tests.gateway.making import Shop, definition, end, make_shop, message
from tests.making import make_bot
from tests.scenarios.making import make_scenario

WRONG_CHECKSUM = "dbt_" + "A" * 36


@pytest.fixture(autouse=True)
def _nothing_starts(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    yield
    if "shop" in request.fixturenames:
        assert Update.objects.count() == 0
        assert Message.objects.count() == 0


# --- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", "Bearer dbt_short", f"Bearer {WRONG_CHECKSUM}", "Bearer ключ"])
def test_no_valid_token(shop: Shop, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = shop.call(token="", headers=headers)
    refused(answer, 401, "invalid_token", "Invalid token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_inactive_or_unknown_token(shop: Shop) -> None:
    row, clear = tokens.issue(name="old", bots=[shop.bot], expires_at=timezone.now() - timedelta(seconds=1))
    refused(shop.call(token=clear), 401, "invalid_token", "Invalid token")
    ApiToken.objects.filter(pk=row.pk).update(expires_at=None, is_active=False)
    refused(shop.call(token=clear), 401, "invalid_token", "Invalid token")
    ApiToken.objects.filter(pk=row.pk).delete()
    refused(shop.call(token=clear), 401, "invalid_token", "Invalid token")


def test_a_token_is_checked_before_the_address(shop: Shop) -> None:
    refused(shop.call(bot=999, token="none"), 401, "invalid_token", "Invalid token")


# --- which endpoint --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bot", ["999999", "abc", "0", "-1", "9" * 30, "٣", "1.0", "%00"])
def test_an_unknown_bot(shop: Shop, bot: str) -> None:
    refused(shop.call(bot=bot), 404, "endpoint_not_found", "Endpoint not found")


@pytest.mark.parametrize(
    "alias", ["order", "order/thank-you/x", "Order/Thank-You", "order%2Fx", "%00", "x" * 500, "order//thank-you", "ключ"]
)
def test_an_unknown_alias(shop: Shop, alias: str) -> None:
    refused(shop.call(alias=alias), 404, "endpoint_not_found", "Endpoint not found")


def test_the_bot_of_another_token_looks_like_none(shop: Shop) -> None:
    other = make_shop()
    refused(shop.call(bot=other.bot.pk), 404, "endpoint_not_found", "Endpoint not found")
    refused(other.call(bot=shop.bot.pk), 404, "endpoint_not_found", "Endpoint not found")


def test_an_inactive_endpoint_bot_or_an_outbound_point_is_not_found(shop: Shop) -> None:
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(is_active=False)
    refused(shop.call(), 404, "endpoint_not_found", "Endpoint not found")
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(is_active=True, direction="outbound")
    refused(shop.call(), 404, "endpoint_not_found", "Endpoint not found")
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(direction="both")
    Bot.objects.filter(pk=shop.bot.pk).update(is_active=False)
    refused(shop.call(), 404, "endpoint_not_found", "Endpoint not found")


@pytest.mark.parametrize(
    "place", ["bots", "bots/", "bots/1", "bots/1/call", "bots/1/call/", "bots/1/cal/x", "api/1.1/wf/none", "api/v1/bots/1/none"]
)
def test_an_address_that_leads_nowhere(shop: Shop, place: str) -> None:
    refused(shop.client.post(f"/{place}", b"{}", content_type="application/json"), 404, "not_found", "Not found")


# --- may they --------------------------------------------------------------------------------------------------------


def test_an_alias_outside_the_tokens_scope(shop: Shop) -> None:
    _row, clear = tokens.issue(name="partner", bots=[shop.bot], aliases=["payment/*"])
    refused(shop.call(token=clear), 403, "not_allowed", "This token may not call this endpoint")


def test_an_isolated_endpoint_refuses_a_token_for_all(shop: Shop) -> None:
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(own_key=True)
    refused(shop.call(), 403, "not_allowed", "This token may not call this endpoint")


def test_a_dry_run_token_may_not_really_call(shop: Shop) -> None:
    _row, clear = tokens.issue(name="sandbox", bots=[shop.bot], dry_run_only=True)
    refused(shop.call(token=clear), 403, "dry_run_only", "This token may only make dry runs. Send the header X-Dry-Run: true.")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head", "trace"])
def test_a_wrong_method(shop: Shop, method: str) -> None:
    answer = getattr(shop.client, method)(f"/bots/{shop.bot.pk}/call/order/thank-you", headers={"Authorization": f"Bearer {shop.token}"})
    assert answer.headers["Allow"] == "POST"
    if method == "head":
        assert answer.status_code == 405
    else:
        refused(answer, 405, "method_not_allowed", "Method not allowed")


# --- the body --------------------------------------------------------------------------------------------------------


def post(shop: Shop, body: bytes, *, kind: str = "application/json", **headers: str) -> Any:
    given = {"Authorization": f"Bearer {shop.token}", **headers}
    return shop.client.generic("POST", f"/bots/{shop.bot.pk}/call/order/thank-you", body, content_type=kind, headers=given)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty; JSON is expected."),
        (b"  \n", "The body is empty; JSON is expected."),
        (b"user_id=125", "The body is not JSON: Expecting value at line 1, column 1."),
        (b'{"user_id": 125', "The body is not JSON: Expecting ',' delimiter at line 1, column 16."),
        (b'{\n "a": 1,\n}', "The body is not JSON: Illegal trailing comma before end of object at line 2, column 8."),
        (b'{"a": "\x00"}', "The body is not JSON: Invalid control character at at line 1, column 8."),
        (b'{"a": "\\u0000"}', "A text contains the character NUL (\\u0000)."),
        (b'{"a\\u0000": 1}', "A text contains the character NUL (\\u0000)."),
        (b'{"a": "\\ud800"}', "A text contains half of a surrogate pair (\\ud800-\\udfff)."),
        (b'{"a": NaN}', "NaN is not a JSON number."),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number."),
        (b'{"a": 1e999}', "The number 1e999 is too large."),
        (b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}", "The body is nested deeper than 64 levels."),
        (b'{"user_id": 1, "user_id": 2}', "The key “user_id” occurs twice in one object."),
        (b"\xff\xfe{}", "The body is not UTF-8 (byte 1)."),
        (b"[1, 2]", "The body must be a JSON object, {…}."),
        (b'"text"', "The body must be a JSON object, {…}."),
        (b"null", "The body must be a JSON object, {…}."),
    ],
)
def test_a_body_that_is_not_good_json(shop: Shop, body: bytes, message: str) -> None:
    answer = post(shop, body)
    if "trailing comma" in message and "trailing comma" not in answer.json()["message"]:
        message = "The body is not JSON: Expecting property name enclosed in double quotes at line 3, column 1."  # Python before 3.13
    refused(answer, 400, "bad_json", message)


def test_the_reason_is_in_english_whatever_language_the_caller_prefers(shop: Shop) -> None:
    refused(post(shop, b"", **{"Accept-Language": "ru"}), 400, "bad_json", "The body is empty; JSON is expected.")


def test_a_body_of_11_megabytes(shop: Shop) -> None:
    body = json.dumps({"user_id": 125, "text": "x" * (11 * 1024 * 1024)}).encode()
    refused(post(shop, body), 413, "too_large", "The body is larger than 10485760 bytes.")


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json; charset=windows-1251"]
)
def test_a_body_of_another_kind(shop: Shop, kind: str) -> None:
    refused(
        post(shop, b'{"user_id": 125}', kind=kind), 415, "not_json", "The body must be JSON in UTF-8. Send Content-Type: application/json."
    )


def test_parameters_that_do_not_fit_the_schema(shop: Shop) -> None:
    schema = {
        "type": "object",
        "required": ["amount"],
        "properties": {"amount": {"type": "integer", "minimum": 1}, "user_id": {"type": "string"}},
    }
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(request_schema=schema)
    errors = [{"field": "amount", "message": "is required"}, {"field": "user_id", "message": "125 is not of type 'string'"}]
    refused(shop.call({"user_id": 125}), 400, "schema_mismatch", "The parameters do not fit the endpoint's schema", errors=errors)
    errors = [{"field": "amount", "message": "0 is less than the minimum of 1"}]
    refused(
        shop.call({"user_id": "125", "amount": 0}), 400, "schema_mismatch", "The parameters do not fit the endpoint's schema", errors=errors
    )


def test_a_schema_that_cannot_be_used(shop: Shop) -> None:
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(request_schema={"$ref": "http://127.0.0.1:9/schema.json"})
    refused(shop.call(), 409, "endpoint_misconfigured", "The endpoint's request schema cannot be used. Correct it in the admin.")


@pytest.mark.parametrize("inner", [None, [], "x", 1])
def test_a_wrapper_that_is_no_object(shop: Shop, inner: object) -> None:
    errors = [{"field": "script_request_params", "message": "must be a JSON object"}]
    refused(shop.call({"script_request_params": inner}), 400, "bad_request", "The request is not valid", errors=errors)


@pytest.mark.parametrize(("header", "value"), [("X-Dry-Run", "on"), ("X-Dry-Run", "tru"), ("X-Dry-Run", "2")])
def test_a_dry_run_that_is_neither_yes_nor_no_is_not_taken_for_a_real_call(shop: Shop, header: str, value: str) -> None:
    refused(shop.call(headers={header: value}), 400, "bad_request", "X-Dry-Run must be true or false.")


# --- the recipient ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"amount": 1}, {"user_id": None}, {"userIds": []}, {"user_id": ""}])
def test_no_recipient(shop: Shop, body: dict[str, Any]) -> None:
    refused(shop.call(body), 400, "recipient_required", "Recipient is required. Send userId, leadId, chatId, phone or email.")


@pytest.mark.parametrize("value", [True, 1.5, {}, {"id": 1}, [[1]], [None], "x" * 201, ["1", True]])
def test_an_id_that_is_none(shop: Shop, value: object) -> None:
    errors = [{"field": "user_id", "message": "must be a whole number or a text of 1 to 200 characters, or a list of them"}]
    refused(shop.call({"user_id": value}), 400, "bad_request", "The request is not valid", errors=errors)


def test_too_many_recipients(shop: Shop) -> None:
    message = "A call may have at most 1000 recipients. Split the list, or use a broadcast."
    refused(shop.call({"userIds": list(range(1001))}), 400, "bad_request", message)


def test_an_unknown_user_with_advice(shop: Shop) -> None:
    advice = (
        f"no chat is connected to this user. Make a link with POST /bots/{shop.bot.pk}/call/users/connect-link and give it to the person."
    )
    errors = [{"field": "userId", "value": "7", "message": advice}]
    refused(shop.call({"user_id": 7}), 400, "recipient_not_found", "Recipient not found", missing=[{"userId": "7"}], errors=errors)


@pytest.mark.parametrize(
    ("name", "value", "asked", "advice"),
    [
        ("leadId", "TG-0", "leadId", "no chat of this bot has this id."),
        ("chat_id", -5, "chatId", "no chat of this bot has this id."),
        ("phone", "+380501112233", "phone", "no person of this bot has confirmed this number or address."),
        ("email", "nobody@example.com", "email", "no person of this bot has confirmed this number or address."),
    ],
)
def test_other_unknown_recipients(shop: Shop, name: str, value: object, asked: str, advice: str) -> None:
    errors = [{"field": asked, "value": str(value), "message": advice}]
    refused(shop.call({name: value}), 400, "recipient_not_found", "Recipient not found", missing=[{asked: str(value)}], errors=errors)


def test_a_lead_of_another_bot_is_unknown(shop: Shop) -> None:
    other = make_shop()
    assert shop.call({"leadId": other.lead.code}).json()["code"] == "recipient_not_found"
    assert shop.call({"chatId": other.lead.chat_id}).json()["code"] == "recipient_not_found"


def test_a_recipient_who_blocked_the_bot(shop: Shop) -> None:
    Lead.objects.filter(pk=shop.lead.pk).update(is_active=False, inactive_reason="The client blocked the bot.")
    errors = [{"field": "leadId", "value": shop.lead.code, "message": "The client blocked the bot."}]
    refused(shop.call(), 409, "recipient_unreachable", "Recipient is not reachable", errors=errors)


def test_a_recipient_in_a_channel_that_is_switched_off(shop: Shop) -> None:
    shop.channel.is_active = False
    shop.channel.save()
    errors = [{"field": "leadId", "value": shop.lead.code, "message": "The channel is switched off."}]
    refused(shop.call(), 409, "recipient_unreachable", "Recipient is not reachable", errors=errors)


# --- the scenario ----------------------------------------------------------------------------------------------------


def test_an_endpoint_without_a_scenario_that_could_start(shop: Shop) -> None:
    beginning = "The endpoint has no published scenario."
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(scenario=None)
    refused(shop.call(), 409, "not_published", f"{beginning} Choose a scenario for it in the admin.")
    draft = make_scenario(shop.bot, definition(message("x"), end()))
    Scenario.objects.filter(pk=draft.pk).update(published=None)
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(scenario=draft)
    refused(shop.call(), 409, "not_published", f"{beginning} Publish its scenario in the admin.")


def test_an_endpoint_whose_scenario_is_switched_off(shop: Shop) -> None:
    Scenario.objects.filter(endpoints=shop.endpoint).update(is_active=False)
    refused(shop.call(), 409, "not_published", "The endpoint's scenario is switched off. Switch it on in the admin.")


# --- rates, faults of ours -------------------------------------------------------------------------------------------


def test_more_calls_than_the_token_may(shop: Shop) -> None:
    ApiToken.objects.update(calls_per_minute=2)
    assert [shop.call({}).status_code for _ in range(2)] == [400, 400]
    answer = shop.call({})
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 30
    refused(answer, 429, "rate_limited", f"Too many calls. Try again in {seconds} s.")


def test_a_rate_of_its_own_for_each_token(shop: Shop, settings: Settings) -> None:
    settings.TOKEN_CALLS_PER_MINUTE = 1
    _row, other = tokens.issue(name="other", bots=[shop.bot])
    assert [shop.call({}).status_code, shop.call({}).status_code] == [400, 429]
    assert shop.call({}, token=other).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_the_database_is_away() -> None:
    shop = make_shop()
    assert shop.call({}).status_code == 400
    home = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/var/empty/nowhere"
    began = time.monotonic()
    try:
        for answer in (
            shop.call(),
            Client().post(f"/webhooks/telegram/{shop.channel.public_id}", b"{}", content_type="application/json"),
            shop.client.get(f"/api/v1/bots/{shop.bot.pk}/mapping", headers={"Authorization": f"Bearer {shop.token}"}),
        ):
            refused(answer, 503, "unavailable", "Temporarily unavailable. Nothing was accepted; try again.")
            assert answer.headers["Retry-After"] == "1"
    finally:
        connection.settings_dict["HOST"] = home
        connection.close()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_of_ours_is_json_too(shop: Shop, settings: Settings, debug: bool) -> None:  # noqa: FBT001
    settings.DEBUG = debug
    settings.TOKEN_CALLS_PER_MINUTE = "many"  # a configuration that breaks the code on the way
    refused(shop.call(), 500, "internal_error", "Internal error. Give the trace_id to the administrator.")


# --- the log ---------------------------------------------------------------------------------------------------------


def test_every_refusal_leaves_one_row_that_names_it(shop: Shop) -> None:
    shop.call({"user_id": 7, "password": "hunter2", "phone": "+380501112233"}, headers={"X-Trace-Id": "crm-order-9821"})
    event = Event.objects.get()
    assert (event.kind, event.status, event.trace_id, event.endpoint, event.source_system, event.bot_id) == (
        "endpoint.called", "fail", "crm-order-9821", "order/thank-you", "crm", shop.bot.pk,
    )  # fmt: skip
    assert event.latency_ms is not None
    assert event.details["code"] == "recipient_not_found"
    assert event.details["params"] == {"user_id": 7, "password": "***", "phone": "+380*******33"}
    assert shop.token not in str(event.details)


def test_a_flood_of_bad_tokens_does_not_fill_the_log(shop: Shop) -> None:
    assert {shop.call(token="none").status_code for _ in range(40)} == {401}
    assert 10 <= Event.objects.count() <= 12


def test_a_flood_over_the_rate_does_not_fill_the_log(shop: Shop) -> None:
    ApiToken.objects.update(calls_per_minute=1)
    statuses = [shop.call({}).status_code for _ in range(40)]
    assert statuses.count(429) == 39
    assert 11 <= Event.objects.count() <= 13


def test_big_parameters_are_shortened_in_the_log(shop: Shop) -> None:
    shop.call({"user_id": 7, "text": "x" * 100_000, **{f"k{number}": number for number in range(2000)}})
    event = Event.objects.get()
    assert len(json.dumps(event.details)) < 20_000
    assert event.details["params"]["user_id"] == 7
    assert event.details["params"]["text"] == "<100000 characters>"


def test_a_bot_without_the_token_is_not_told_apart(shop: Shop) -> None:
    there, nowhere = shop.call(bot=make_bot().pk), shop.call(bot=10**9)
    assert {**there.json(), "trace_id": ""} == {**nowhere.json(), "trace_id": ""}
