"""Dry runs tell what would happen and change nothing."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from apps.events.models import Event
from apps.gateway import tokens
from apps.gateway.models import Endpoint
from apps.identity.models import ExternalId, Person
from apps.scenarios.models import Scenario
from tests.gateway.asserting import refused
from tests.gateway.making import THANKS, Shop, end, endpoint_of, message, question, respond
from tests.making import make_lead

pytestmark = pytest.mark.django_db

DRY: list[dict[str, Any]] = [
    {"headers": {"X-Dry-Run": "true"}},
    {"headers": {"X-Dry-Run": "1"}},
    {"query": "?dry_run=true"},
    {"query": "?dry_run=1"},
]


def counts() -> dict[str, int]:
    """How many rows every table of ours has, the log apart."""
    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models() if model is not Event}


def contents() -> list[Any]:
    """What a careless dry run might change in place."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, phone, attributes, updated_at FROM identity_person ORDER BY id")
        return list(cursor.fetchall())


@pytest.mark.parametrize("how", DRY)
def test_a_dry_run_tells_what_would_be_said(shop: Shop, how: dict[str, Any]) -> None:
    before, people = counts(), contents()
    answer = shop.call(**how)
    body = answer.json()
    assert (answer.status_code, body["success"], body["dry_run"], body["message"]) == (200, True, True, "Dry run")
    assert body["would"]["say"] == [{"text": "Thank you for your order, Anna! Amount 3500"}]
    assert body["would"]["path"] == ["start", "say", "end"]
    assert (counts(), contents()) == (before, people)


@pytest.mark.parametrize("value", ["false", "0", ""])
def test_a_dry_run_that_is_not_wanted(shop: Shop, value: str) -> None:
    assert "dry_run" not in shop.call(headers={"X-Dry-Run": value}).json()


def test_a_dry_run_shows_data_and_the_question_where_it_stops(shop: Shop) -> None:
    endpoint_of(shop, respond({"total": "{{ amount }}"}), message("Hello"), question(), end(), alias="ask")
    body = shop.call(alias="ask", query="?dry_run=true").json()
    assert body["data"] == {"total": 3500}
    assert body["would"]["say"] == [{"text": "Hello"}, {"text": "Confirm?"}]
    assert body["would"]["path"] == ["start", "answer", "say", "ask"]


def test_a_dry_run_shows_outside_calls_without_making_them_and_without_secrets(shop: Shop) -> None:
    from apps.core.models import InstanceSetting  # noqa: PLC0415

    InstanceSetting.objects.create(key="crm_key", value="sesame-open", is_secret=True)
    node = {
        "id": "crm", "kind": "action", "exits": {"ok": "end"},
        "params": {"action": "action_send_request", "params": {
            "method": "POST", "url": "http://127.0.0.1:9/orders", "headers": {"X-Key": "{{ instance_settings.crm_key }}"}, "body": {"id": "{{ order_id }}"},
        }},
    }  # fmt: skip
    endpoint_of(shop, node, end(), alias="callback")
    before = counts()
    answer = shop.call({"user_id": 125, "order_id": 9821}, alias="callback", query="?dry_run=true")
    assert answer.json()["would"]["call"] == [
        {"action": "action_send_request", "method": "POST", "url": "http://127.0.0.1:9/orders", "body": {"id": 9821}},
    ]
    assert "sesame-open" not in answer.content.decode()
    assert counts() == before


def test_an_action_that_would_set_an_attribute_sets_nothing(shop: Shop) -> None:
    node = {
        "id": "keep", "kind": "action", "exits": {"next": "end", "ok": "end"},
        "params": {"action": "registered_users__set", "params": {"values": {"city": "Kyiv"}}},
    }  # fmt: skip
    endpoint_of(shop, node, end(), alias="keep")
    before, people = counts(), contents()
    answer = shop.call(alias="keep", query="?dry_run=true")
    assert answer.status_code == 200
    assert [item["action"] for item in answer.json()["would"]["set"]] == ["registered_users__set"]
    assert (counts(), contents()) == (before, people)
    assert Person.objects.get(pk=shop.lead.person_id).attributes == {}


def test_a_list_tells_of_each(shop: Shop) -> None:
    second = make_lead(shop.channel, name="Boris")
    ExternalId.objects.create(bot=shop.bot, person=second.person, system="crm", value="126")
    results = shop.call({"userIds": [125, 126, 9], "amount": 1}, query="?dry_run=true").json()["results"]
    said = [row["would"]["say"][0]["text"] for row in results if row["success"]]
    assert said == ["Thank you for your order, Anna! Amount 1", "Thank you for your order, Boris! Amount 1"]
    assert results[2] == {"userId": "9", "success": False, "code": "recipient_not_found", "message": "Recipient not found"}


def test_an_error_at_a_node_is_found_by_a_dry_run(shop: Shop) -> None:
    endpoint_of(shop, message("{{ amount | divided_by: 0 }}", node="total"), end(), alias="broken")
    before = counts()
    answer = shop.call(alias="broken", query="?dry_run=true")
    body = answer.json()
    assert (answer.status_code, body["code"], body["dry_run"], body["errors"][0]["node"]) == (500, "script_error", True, "total")
    assert counts() == before


def test_the_same_checks_as_a_call(shop: Shop) -> None:
    refused(shop.call(query="?dry_run=1", token="none"), 401, "invalid_token", "Invalid token")
    assert shop.call({}, query="?dry_run=1").json()["code"] == "recipient_required"
    assert shop.call({"user_id": 7}, query="?dry_run=1").json()["code"] == "recipient_not_found"
    Scenario.objects.update(published=None)
    assert shop.call(query="?dry_run=1").json()["code"] == "not_published"
    Endpoint.objects.update(request_schema={"required": ["x"]})
    assert shop.call(query="?dry_run=1").json()["code"] == "schema_mismatch"


def test_a_token_for_dry_runs_may_make_them(shop: Shop) -> None:
    _row, clear = tokens.issue(name="sandbox", bots=[shop.bot], dry_run_only=True)
    assert shop.call(token=clear, query="?dry_run=1").json()["dry_run"] is True


def test_only_the_log_knows_of_it(shop: Shop) -> None:
    shop.call({"user_id": 125, "amount": 1, "card_number": "4111"}, query="?dry_run=1")
    event = Event.objects.get()
    assert (event.kind, event.status, event.endpoint, event.lead_id) == ("endpoint.dry_run", "success", "order/thank-you", shop.lead.pk)
    assert event.details["params"] == {"user_id": 125, "amount": 1, "card_number": "***"}
    assert THANKS not in str(event.details)
