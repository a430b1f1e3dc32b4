"""The chat preview in a browser: begin, press a button, skip time, answer a call otherwise; under the real content security policy."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import Stage
from tests.browser.test_admin import MAKE, window
from tests.scenarios.definitions import button, definition, node

pytestmark = pytest.mark.timeout(240)
__all__ = ["window"]

ORDER = definition(
    node("start", "start", next="ask"),
    node("ask", "message", {"text": "Hello, {{ user_name }}!", "buttons": [[button("status", "Where is my order?")]]}, status="call"),
    node("call", "action", {"action": "action_send_request", "params": {"url": "http://crm.example/o"}}, ok="good", client_error="bad"),
    node("good", "message", {"text": "On its way."}, next="end"),
    node("bad", "message", {"text": "Not found."}, next="end"),
    node("end", "end"),
)


@pytest.fixture
def preview(product: Stage) -> str:
    scenario, _channel = product.shell(MAKE.format(draft=json.dumps(ORDER)))
    return f"{product.base_url}/admin/scenarios/scenario/{scenario}/preview/"


def test_a_chat_with_the_draft(window: Page, preview: str, new_page: Open) -> None:
    window.goto(preview)
    window.locator("[data-setup] input[name=name]").fill("Anna")
    window.get_by_role("button", name="Begin the chat").click()
    chat = window.locator("[data-chat]")
    expect(chat.get_by_text("Hello, Anna!")).to_be_visible()
    expect(window.locator("[data-status]")).to_have_text("Waits: ask")
    chat.get_by_role("button", name="Where is my order?").click()
    expect(chat).to_contain_text("On its way.")
    expect(chat).to_contain_text("Would call: POST http://crm.example/o → exit ok (assumed)")
    window.get_by_role("tab", name="Calls").click()
    calls = window.locator("[data-calls]")
    calls.get_by_role("combobox").select_option("client_error")
    calls.get_by_role("button", name="Answer so").click()
    expect(chat).to_contain_text("Not found.")
    expect(chat).not_to_contain_text("On its way.")
    window.get_by_role("tab", name="Path").click()
    expect(window.locator("[data-path]")).to_contain_text("call (action)")
    window.locator("[data-keep] input[name=name]").fill("Order not found")
    window.get_by_role("button", name="Keep", exact=True).click()
    expect(window.locator("[data-kept]")).to_have_text("Kept as a test.")
