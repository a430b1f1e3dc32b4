"""Calls without a recipient: only for scenarios that compute an answer."""

from typing import Any

import pytest

from apps.conversations.models import Message, Update
from apps.core.models import Constant
from apps.events.models import Event
from apps.gateway.models import Endpoint
from tests.gateway.asserting import refused, sent
from tests.gateway.making import Shop, end, endpoint_of, message, question, respond

pytestmark = pytest.mark.django_db

MORE = "Recipient is required: the scenario does more than answer. Send userId, leadId, chatId, phone or email."


def test_a_scenario_that_only_computes_answers_without_a_recipient(shop: Shop) -> None:
    Constant.objects.create(key="rate", value=2)
    double = {
        "id": "double",
        "kind": "set_variable",
        "params": {"variables": [{"name": "total", "value": "{{ amount | times: constants.rate }}"}]},
    }
    endpoint_of(shop, double, respond({"total": "{{ total }}", "bot": "{{ bot.name }}"}), end(), alias="price", needs_recipient=False)
    answer = shop.call({"amount": 21}, alias="price")
    trace_id = answer.headers["X-Trace-Id"]
    data = {"total": 42, "bot": shop.bot.name}
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "Done", "trace_id": trace_id, "data": data})
    assert (Update.objects.count(), Event.objects.filter(kind="endpoint.called").count()) == (0, 1)
    dry = shop.call({"amount": 21}, alias="price", query="?dry_run=1").json()
    assert (dry["data"], dry["dry_run"], dry["would"]) == (data, True, {"path": ["start", "double", "answer", "end"]})


def test_with_a_recipient_it_runs_as_any_other(shop: Shop) -> None:
    endpoint_of(shop, respond({"name": "{{ user_name }}"}), end(), alias="price", needs_recipient=False)
    sent(shop.call({"user_id": 125}, alias="price"), data={"name": "Anna"})


@pytest.mark.parametrize(
    "nodes",
    [
        [message("Hello")],
        [question()],
        [{"id": "wait", "kind": "delay", "params": {"amount": 5}}],
        [respond({"a": 1}), message("Hello")],
        [{"id": "tell", "kind": "emit_event", "params": {"name": "order.seen"}}],
    ],
    ids=["say", "ask", "wait", "answer and say", "emit"],
)
def test_a_scenario_that_does_more_is_refused_and_does_nothing(shop: Shop, nodes: list[dict[str, Any]]) -> None:
    endpoint_of(shop, *nodes, end(), alias="more", needs_recipient=False)
    refused(shop.call({"amount": 1}, alias="more"), 400, "recipient_required", MORE)
    assert (Update.objects.count(), Message.objects.count()) == (0, 0)


def test_an_error_at_a_node_and_a_missing_scenario_are_told_as_ever(shop: Shop) -> None:
    endpoint_of(shop, respond({"total": "{{ amount | divided_by: 0 }}"}), end(), alias="price", needs_recipient=False)
    answer = shop.call({"amount": 1}, alias="price")
    assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["node"]) == (500, "script_error", "answer")
    Endpoint.objects.filter(alias="price").update(scenario=None)
    assert shop.call({"amount": 1}, alias="price").json()["code"] == "not_published"
