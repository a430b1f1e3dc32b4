"""A custom action that fails tells the caller of the endpoint at which line (product row IN-2)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from apps.scenarios.jail import catalogue
from tests.conversations.sending import emulated, sender, until
from tests.gateway.making import Shop, endpoint_of
from tests.scenarios.definitions import node
from tests.scenarios.jail.making import make_action

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_caller_is_told_the_line(shop: Shop, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bus.example"  # webhooks: nothing is polled
    catalogue.forget()
    make_action("// 1\n" * 22 + "ctx.params.order.id")
    run = node("run", "action", {"action": "check_stock", "params": {}}, next="end")
    endpoint_of(shop, run, node("end", "end"), alias="stock/check")

    def call() -> Any:
        try:
            return shop.call({"userId": 125}, alias="stock/check")
        finally:
            connections.close_all()

    with emulated() as settings.TELEGRAM_API_URL, sender(), ThreadPoolExecutor(1) as caller:
        called = caller.submit(call)
        until(called.done)  # a worker meanwhile
    answer = called.result()
    assert answer.status_code == 500
    body = answer.json()
    assert (body["success"], body["code"]) == (False, "script_error")
    assert body["message"].startswith("Script error at line 23, column ")
