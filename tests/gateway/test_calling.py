"""Calls of endpoints that succeed, or fail in the scenario."""

import json
import threading
import time
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from apps.conversations import advancing
from apps.conversations.models import Call, Message, Outbox, Update
from apps.events.models import Event
from apps.gateway import tokens
from apps.gateway.models import Endpoint
from apps.identity.models import ExternalId, Lead
from apps.scenarios.models import Session
from tests.gateway import making
from tests.gateway.asserting import refused, sent
from tests.gateway.making import Shop, end, endpoint_of, message, question, respond
from tests.making import make_channel, make_lead
from tests.scenarios.making import make_scenario

pytestmark = pytest.mark.django_db

SAID = "Thank you for your order, Anna! Amount 3500"


def texts() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("text", flat=True))


# --- the answer ------------------------------------------------------------------------------------------------------


def test_an_event_becomes_a_message(shop: Shop) -> None:
    sent(shop.call())
    assert texts() == [SAID]
    assert Outbox.objects.get().chat_id == shop.lead.chat_id
    update = Update.objects.get()
    assert (update.kind, update.source, update.state, update.channel_id) == ("start", "call", "done", shop.channel.pk)
    assert {name: update.payload[name] for name in ("endpoint", "endpoint_id", "token", "source_system", "params")} == {
        "endpoint": "order/thank-you", "endpoint_id": shop.endpoint.pk, "token": "CRM", "source_system": "crm",
        "params": {"user_id": "125", "amount": 3500},
    }  # fmt: skip


@pytest.mark.parametrize("alias", ["order/thank-you", "order/thank-you/"])
def test_a_trailing_slash_does_not_matter(shop: Shop, alias: str) -> None:
    sent(shop.call(alias=alias))


def test_the_callers_trace_goes_through_everything(shop: Shop) -> None:
    answer = shop.call(headers={"X-Trace-Id": "e9fa-234c-118a"})
    sent(answer)
    assert answer.json()["trace_id"] == "e9fa-234c-118a"
    for rows in (Update, Message, Session, Event):
        assert set(rows.objects.values_list("trace_id", flat=True)) == {"e9fa-234c-118a"}


def test_the_log_has_one_row_for_the_call(shop: Shop) -> None:
    shop.call({"script_request_params": {"user_id": 125, "amount": 1, "api_token": "sesame"}})
    event = Event.objects.get(kind="endpoint.called")
    assert (event.status, event.source_system, event.endpoint, event.bot_id, event.lead_id, event.person_id, event.channel_id) == (
        "success", "crm", "order/thank-you", shop.bot.pk, shop.lead.pk, shop.lead.person_id, shop.channel.pk,
    )  # fmt: skip
    assert event.latency_ms is not None
    assert event.details == {
        "http_status": 200, "token_name": "CRM", "form": "script_request_params", "params": {"user_id": 125, "amount": 1, "api_token": "***"},
    }  # fmt: skip
    assert event.timestamp == min(Event.objects.values_list("timestamp", flat=True))


def test_data_of_the_respond_block(shop: Shop) -> None:
    endpoint_of(
        shop, respond({"order": "{{ order_id }}", "total": "{{ amount }}", "note": "for {{ user_name }}"}), question(), end(), alias="check"
    )
    sent(
        shop.call({"user_id": 125, "order_id": 9821, "amount": 3500}, alias="check"),
        data={"order": 9821, "total": 3500, "note": "for Anna"},
    )


def test_the_scenario_runs_up_to_its_first_wait(shop: Shop) -> None:
    endpoint_of(shop, message("Hello"), question(), end(), alias="ask")
    sent(shop.call(alias="ask"))
    assert texts() == ["Hello", "Confirm?"]
    assert Session.objects.get().status == "active"


def test_a_scenario_starts_at_the_endpoints_entry(shop: Shop) -> None:
    draft = making.definition(message("from the start"), end())
    draft["sections"][0]["nodes"] += [
        {"id": "paid", "kind": "entry", "params": {"alias": "paid"}, "exits": {"next": "thanks"}},
        {"id": "thanks", "kind": "message", "params": {"text": "Paid"}, "exits": {"next": "end"}},
    ]
    Endpoint.objects.create(bot=shop.bot, alias="order/paid", scenario=make_scenario(shop.bot, draft), entry="paid")
    sent(shop.call(alias="order/paid"))
    assert texts() == ["Paid"]


def test_a_declared_schema_lets_good_parameters_through(shop: Shop) -> None:
    schema = {"type": "object", "required": ["user_id", "amount"], "properties": {"amount": {"type": "number"}}}
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(request_schema=schema)
    sent(shop.call())
    sent(shop.call({"script_request_params": {"user_id": 125, "amount": 1}}))


def test_a_token_named_for_an_isolated_endpoint_may_call_it(shop: Shop) -> None:
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(own_key=True)
    _row, clear = tokens.issue(name="payments", bots=[shop.bot], aliases=["order/thank-you"])
    sent(shop.call(token=clear))


# --- recipients ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["user_id", "userId", "userIds", "user_ids"])
@pytest.mark.parametrize("value", [125, "125", 125.0, [125], ["125"]])
def test_a_user_by_every_name(shop: Shop, name: str, value: Any) -> None:
    answer = shop.call({name: value, "amount": 3500})
    assert (answer.status_code, answer.json()["message"]) == (200, "Communication sent")
    assert texts() == [SAID]


@pytest.mark.parametrize("name", ["leadId", "lead_id", "leadIds", "lead_ids"])
def test_a_lead_by_every_name(shop: Shop, name: str) -> None:
    assert shop.call({name: shop.lead.code, "amount": 3500}).status_code == 200
    assert texts() == [SAID]


@pytest.mark.parametrize("name", ["chatId", "chat_id", "chatIds", "chat_ids"])
def test_a_chat_by_every_name(shop: Shop, name: str) -> None:
    assert shop.call({name: int(shop.lead.chat_id), "amount": 3500}).status_code == 200
    assert texts() == [SAID]


def test_a_phone_and_an_email_that_the_person_has_confirmed(shop: Shop) -> None:
    from apps.identity import contacts  # noqa: PLC0415

    person = shop.lead.person
    person.phone, person.phone_index, person.phone_verified = "+380501112233", contacts.phone_index("+380501112233"), True
    person.email, person.email_index, person.email_verified = "anna@example.com", contacts.email_index("anna@example.com"), True
    person.save()
    sent(shop.call({"phone": "+380 50 111-22-33", "amount": 1}))
    sent(shop.call({"email": "Anna@Example.com", "amount": 2}))
    assert [text[-1] for text in texts()] == ["1", "2"]


def test_a_phone_beside_an_id_is_data(shop: Shop) -> None:
    sent(shop.call({"user_id": 125, "amount": 3500, "phone": "+380999999999", "email": "new@domain.com"}))


def test_a_whole_row_of_the_mapping_table_is_one_recipient(shop: Shop) -> None:
    sent(shop.call({"userId": 125, "leadId": shop.lead.code, "chatId": int(shop.lead.chat_id), "amount": 3500}))
    assert texts() == [SAID]


def test_a_recipient_beside_the_wrapper(shop: Shop) -> None:
    sent(shop.call({"userId": 125, "script_request_params": {"amount": 3500}}))
    assert texts() == [SAID]


def test_a_user_id_of_the_tokens_own_system(shop: Shop) -> None:
    ExternalId.objects.create(bot=shop.bot, person=shop.lead.person, system="erp", value="A-77")
    _row, clear = tokens.issue(name="ERP", source_system="erp", bots=[shop.bot])
    sent(shop.call({"userId": "A-77", "amount": 3500}, token=clear))
    assert shop.call({"userId": "125"}, token=clear).json()["code"] == "recipient_not_found"


def test_a_list_reaches_everyone_and_tells_of_each(shop: Shop) -> None:
    second, third = make_lead(shop.channel, name="Boris"), make_lead(make_channel(shop.bot), name="Vera")
    ExternalId.objects.create(bot=shop.bot, person=second.person, system="crm", value="126")
    ExternalId.objects.create(bot=shop.bot, person=third.person, system="crm", value="127")
    Lead.objects.filter(pk=third.pk).update(is_active=False, inactive_reason="The client blocked the bot.")
    answer = shop.call({"userIds": [125, "126", 127, 9, 125], "amount": 5})
    results = [
        {"leadId": shop.lead.code, "success": True, "message": "Communication sent"},
        {"leadId": second.code, "success": True, "message": "Communication sent"},
        {"userId": "9", "success": False, "code": "recipient_not_found", "message": "Recipient not found"},
        {"leadId": third.code, "success": False, "code": "recipient_unreachable", "message": "The client blocked the bot."},
    ]
    sent(answer, results=results)
    assert texts() == ["Thank you for your order, Anna! Amount 5", "Thank you for your order, Boris! Amount 5"]


def test_a_list_of_whom_nobody_can_be_reached_is_refused(shop: Shop) -> None:
    Lead.objects.update(is_active=False, inactive_reason="The client blocked the bot.")
    errors = [{"field": "leadId", "value": shop.lead.code, "message": "The client blocked the bot."}]
    answer = shop.call({"userIds": [125, 9]})
    refused(answer, 409, "recipient_unreachable", "Recipient is not reachable", missing=[{"userId": "9"}], errors=errors)


# --- what the scenario did -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_at_a_node(shop: Shop, settings: Settings, debug: bool) -> None:  # noqa: FBT001
    settings.DEBUG = debug
    endpoint_of(shop, message("{{ amount | divided_by: 0 }}", node="total"), end(), alias="broken")
    answer = shop.call(alias="broken")
    reason = answer.json()["errors"][0]["message"]
    assert reason.startswith("Script error at node “total”")
    refused(answer, 500, "script_error", reason, errors=[{"message": reason, "node": "total", "section": "main"}])


def test_an_entry_that_the_scenario_does_not_have(shop: Shop) -> None:
    Endpoint.objects.filter(pk=shop.endpoint.pk).update(entry="none")
    answer = shop.call()
    assert (answer.status_code, answer.json()["code"]) == (500, "script_error")
    assert "none" in answer.json()["message"]


def test_an_error_for_everyone_of_a_list(shop: Shop) -> None:
    endpoint_of(shop, message("{{ amount | divided_by: 0 }}", node="total"), end(), alias="broken")
    answer = shop.call({"userIds": [125], "amount": 1}, alias="broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "script_error")
    assert [row["code"] for row in answer.json()["results"]] == ["script_error"]


def test_an_error_of_one_of_a_list_leaves_the_others(shop: Shop) -> None:
    second = make_lead(shop.channel, name="")
    ExternalId.objects.create(bot=shop.bot, person=second.person, system="crm", value="126")
    endpoint_of(shop, message("{{ 10 | divided_by: user_name.size }}", node="total"), end(), alias="odd")
    answer = shop.call({"userIds": [125, 126]}, alias="odd")
    assert answer.status_code == 200
    assert [row["success"] for row in answer.json()["results"]] == [True, False]


def test_policy_skip_is_told(shop: Shop) -> None:
    endpoint_of(shop, question(), end(), alias="ask")
    endpoint_of(shop, message("late"), end(), alias="late", policies={"arrival": "skip"})
    sent(shop.call(alias="ask"))
    answer = shop.call(alias="late")
    assert (answer.status_code, answer.json()["message"], answer.json()["reason"]) == (
        200,
        "Communication skipped",
        "another dialogue is open",
    )
    assert texts() == ["Confirm?"]


def test_policy_after_current_is_told(shop: Shop) -> None:
    endpoint_of(shop, question(), end(), alias="ask")
    endpoint_of(shop, message("late"), end(), alias="late", policies={"arrival": "after_current"})
    sent(shop.call(alias="ask"))
    answer = shop.call(alias="late")
    assert (answer.status_code, answer.json()["message"]) == (202, "Communication queued")
    assert texts() == ["Confirm?"]


@pytest.mark.parametrize("how", [{"headers": {"Prefer": "respond-async, wait=5"}}, {"query": "?async=true"}])
def test_an_asynchronous_call_is_answered_at_once(shop: Shop, how: dict[str, Any]) -> None:
    answer = shop.call(**how)
    trace_id = answer.headers["X-Trace-Id"]
    assert (answer.status_code, answer.json()) == (202, {"success": True, "message": "Communication accepted", "trace_id": trace_id})
    assert (Update.objects.get().state, texts()) == ("pending", [])
    advancing.drain()
    assert texts() == [SAID]


def test_a_chat_that_another_worker_holds_is_not_waited_for_longer_than_allowed(shop: Shop, settings: Settings) -> None:
    settings.CALL_WAIT_SECONDS = 0.3
    sent(shop.call())
    lane = Update.objects.get().lane
    lane.held_until = "2100-01-01T00:00:00Z"
    lane.wake_at = "2100-01-01T00:00:00Z"
    lane.save()
    began = time.monotonic()
    answer = shop.call()
    assert (answer.status_code, answer.json()["message"]) == (202, "Communication accepted")
    assert 0.2 < time.monotonic() - began < 2


@pytest.mark.django_db(transaction=True)
def test_calls_for_one_person_at_the_same_time_are_all_made(settings: Settings) -> None:
    shop = making.make_shop()
    answers: list[Any] = []

    def call(number: int) -> None:
        try:
            answers.append(shop.call({"user_id": 125, "amount": number}))
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(texts()) == [f"Thank you for your order, Anna! Amount {number}" for number in range(6)]


def test_a_call_does_not_depend_on_the_callers_language(shop: Shop) -> None:
    """What customers are told follows their language and the installation's, never the Accept-Language of a program."""
    endpoint_of(
        shop, {"id": "ask", "kind": "input", "params": {"text": "How many?", "kind": "number"}, "exits": {"ok": "end"}}, end(), alias="ask"
    )
    sent(shop.call(alias="ask", headers={"Accept-Language": "ru"}))
    assert texts() == ["How many?"]


def test_the_number_of_queries_of_a_call_is_bounded(shop: Shop, django_assert_max_num_queries: Any) -> None:
    shop.call()
    with django_assert_max_num_queries(60):
        shop.call()


def test_the_answer_of_an_outside_call_that_is_out_is_accepted_after_the_wait(shop: Shop, settings: Settings) -> None:
    settings.CALL_WAIT_SECONDS = 0.2
    node = {
        "id": "crm", "kind": "action", "exits": {"ok": "end"},
        "params": {"action": "action_send_request", "params": {"method": "POST", "url": "http://127.0.0.1:9/orders", "body": {"id": "{{ order_id }}"}}},
    }  # fmt: skip
    endpoint_of(shop, node, end(), alias="callback")
    answer = shop.call(alias="callback")
    assert (answer.status_code, answer.json()["message"]) == (202, "Communication accepted")
    assert Call.objects.get().state == "pending"


def test_nothing_of_the_call_stands_in_clear_in_the_inbox(shop: Shop) -> None:
    shop.call({"user_id": 125, "amount": 1, "note": "very private"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM conversations_update")
        assert "very private" not in json.dumps(cursor.fetchall())
