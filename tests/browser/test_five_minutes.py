"""A newcomer's first five minutes, in a browser, with every process real."""

import http.client
import json
import re
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import ADMIN, PASSWORD, Stage

pytestmark = pytest.mark.timeout(240)


def crm(page: Page) -> FrameLocator:
    return page.frame_locator("#crm")


def chat(page: Page) -> FrameLocator:
    return page.frame_locator("#chat iframe")


def test_an_event_becomes_a_dialogue_and_the_answer_an_action(product: Stage, new_page: Open) -> None:
    page = new_page()
    page.goto(product.demo_page)
    expect(page.get_by_role("heading", level=1)).to_have_text("An event in your system becomes a dialogue. The answer becomes an action.")
    expect(crm(page).get_by_text("Anna · customer 125")).to_be_visible()
    order = press_new_order(page)
    thanks = chat(page).locator(".message", has_text="Thank you for your order, Anna! Amount 3,500").last
    expect(thanks).to_be_visible()
    expect(thanks.get_by_role("button")).to_have_text(["Confirm", "Change address"])

    thanks.get_by_role("button", name="Confirm").click()
    callback = crm(page).locator(".entry.in", has_text=f'"order_id":{order}').first
    expect(callback).to_contain_text("Callback POST /api/order/update")
    expect(callback).to_contain_text('"action":"confirm_payment"')
    expect(crm(page).locator(f"[data-order='{order}']")).to_contain_text("confirmed")
    expect(chat(page).get_by_text(f"Payment confirmed. We will tell you when your order {order} is on its way.")).to_be_visible()
    expect(thanks.get_by_role("button", name="Confirm")).to_have_class(re.compile("pressed"))

    with page.expect_popup() as popup:
        callback.get_by_role("link", name="Open the trace").click()
    trace = popup.value
    trace.locator("input[name=username]").fill(ADMIN)
    trace.locator("input[name=password]").fill(PASSWORD)
    trace.locator("input[name=password]").press("Enter")
    chain = trace.locator("body")
    expect(chain).to_contain_text("order/thank-you")
    expect(chain).to_contain_text("Thank you for your order")
    expect(chain).to_contain_text("Confirm")
    expect(chain).to_contain_text("/api/order/update")


def press_new_order(page: Page) -> int:
    """The number of the order that the CRM has made, when its thanks have come; the newest thanks are this order's."""
    expect(crm(page).locator("#who")).to_contain_text("Anna")
    expect(chat(page).locator("#chat")).to_have_attribute("data-state", "ready")
    thanks = chat(page).locator(".theirs", has_text="Thank you for your order")
    before = thanks.count()
    numbers = "rows => Math.max(9820, ...rows.map((row) => Number(row.dataset.order)))"
    order = int(crm(page).locator(".order").evaluate_all(numbers)) + 1
    crm(page).get_by_role("button", name="New order").click()
    expect(crm(page).locator(f"[data-order='{order}']")).to_be_visible()
    expect(thanks.nth(before)).to_be_visible()
    return order


def test_the_same_call_from_a_terminal(product: Stage, new_page: Open) -> None:
    page = new_page()
    page.goto(product.demo_page)
    expect(chat(page).locator("#log")).to_be_attached()
    expect(page.locator("#command")).to_contain_text(f"{product.base_url}/bots/{product.demo['bot_id']}/call/order/thank-you")
    answer = call(product, "order/thank-you", {"order_id": 777, "user_id": product.demo["user_id"], "amount": 1234567, "status": "paid"})
    assert answer["success"] is True
    assert answer["message"] == "Communication sent"
    expect(chat(page).get_by_text("Thank you for your order, Anna! Amount 1,234,567")).to_be_visible()


def call(product: Stage, alias: str, body: dict[str, object]) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(product.base_url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {product.demo['token']}", "Content-Type": "application/json"}
    connection.request("POST", f"/bots/{product.demo['bot_id']}/call/{alias}", json.dumps(body), headers)
    with closing(connection):
        return dict(json.loads(connection.getresponse().read()))


def test_the_crm_shows_the_same_command_ready_to_run(product: Stage, new_page: Open) -> None:
    page = new_page()
    page.goto(product.demo_page)
    crm(page).get_by_text("The same with curl").click()
    expect(crm(page).locator("#curl")).to_contain_text(f"Authorization: Bearer {product.demo['token']}")


def test_an_order_goes_on_to_the_delivery_and_a_rating(product: Stage, new_page: Open) -> None:
    page = new_page()
    page.goto(product.demo_page)
    order = press_new_order(page)
    row = crm(page).locator(f"[data-order='{order}']")
    chat(page).locator(".message", has_text="Thank you for your order").last.get_by_role("button", name="Confirm").click()
    expect(row).to_contain_text("confirmed")
    row.get_by_role("button", name="Ship order").click()
    expect(chat(page).get_by_text(f"Your order {order} has been shipped!").last).to_be_visible()
    chat(page).get_by_role("textbox", name="Write a message…").fill("Riga, Brivibas 1")
    chat(page).get_by_role("textbox", name="Write a message…").press("Enter")
    expect(row).to_contain_text("Riga, Brivibas 1")
    row.get_by_role("button", name="Delivered").click()
    expect(row.locator(".chip")).to_have_text("delivered")


def test_a_crm_that_fails_is_told_to_the_customer_and_can_be_tried_again(product: Stage, new_page: Open) -> None:
    page = new_page()
    page.goto(product.demo_page)
    order = press_new_order(page)
    answer_callbacks(page, "error")
    chat(page).locator(".message", has_text="Thank you for your order").last.get_by_role("button", name="Confirm").click()
    trouble = chat(page).locator(".message", has_text="does not answer right now").last
    trouble.get_by_role("button", name="Try again").wait_for(timeout=90_000)  # the call is repeated first
    answer_callbacks(page, "")
    trouble.get_by_role("button", name="Try again").click()
    expect(crm(page).locator(f"[data-order='{order}']")).to_contain_text("confirmed")


def answer_callbacks(page: Page, how: str) -> None:
    with page.expect_response("**/crm/trouble"):
        crm(page).get_by_label("Callbacks are answered").select_option(how)


def test_the_demo_page_works_on_a_phone(product: Stage, new_page: Open) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(product.demo_page)
    expect(chat(page).get_by_role("textbox", name="Write a message…")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_reload_keeps_the_conversation(product: Stage, new_page: Open) -> None:
    page = new_page()
    page.goto(product.demo_page)
    text = f"Remember {time.time_ns()}"
    chat(page).get_by_role("textbox", name="Write a message…").fill(text)
    chat(page).get_by_role("textbox", name="Write a message…").press("Enter")
    expect(chat(page).locator(".mine", has_text=text).get_by_text("Received")).to_be_attached()
    page.reload()
    expect(chat(page).locator(".mine", has_text=text)).to_be_visible()
