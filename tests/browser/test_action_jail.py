"""The Action Jail in a browser: write an action, see its syntax error, test it, keep the case, publish it, use it in a scenario, and find a
line-23 error on the trace.
"""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import Stage
from tests.browser.test_admin import MAKE, window
from tests.scenarios.definitions import definition, node

pytestmark = pytest.mark.timeout(300)
__all__ = ["window"]

CODE = """const answer = await callApi({ url: "https://crm.example/stock/" + ctx.params.item })
log("stock of", ctx.params.item, answer.body.left)
exit(answer.body.left > 0 ? "in_stock" : "sold_out", { left: answer.body.left })"""
FAILING = "\n" * 22 + "return ctx.params.item.missing.name"
USING = definition(
    node("start", "start", next="check"),
    node("check", "action", {"action": "check_stock", "params": {"item": "{{ item }}"}}, in_stock="good", sold_out="bad"),
    node("good", "message", {"text": "{{ left }} left."}, next="end"),
    node("bad", "message", {"text": "Sold out."}, next="end"),
    node("end", "end"),
)
START = """
from apps.conversations import awaiting, inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.scenarios import publishing
from apps.scenarios.models import Scenario
from tests.making import make_lead
import json
scenario = Scenario.objects.get(pk={scenario})
publishing.publish(scenario)
lead = make_lead(scenario.bot.channels.first(), chat_id="w_jail")
posted = inbox.post([Posting(channel_id=lead.channel_id, bot_id=scenario.bot_id, chat_id=lead.chat_id, kind="start", source="call", event_key="jail-1",
    payload={{"scenario_id": scenario.pk, "entry": "", "params": {{"item": "lamp"}}}}, trace_id="trace-jail")])[0]
awaiting.outcome_of(Update(id=posted.update_id), wait_seconds=10)
print(json.dumps(True))
"""


def write(page: Page, code: str) -> None:
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(code)


def shoot(page: Page, name: str) -> None:
    """Pictures to look at, when a folder is named for them."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_an_action_is_written_tested_published_and_used(window: Page, product: Stage, new_page: Open) -> None:
    scenario, _channel = product.shell(MAKE.format(draft=json.dumps(USING)))
    window.goto(f"{product.base_url}/admin/scenarios/customaction/add/")
    window.locator("#id_name").fill("Check stock")
    expect(window.locator("#id_key")).to_have_value("check_stock")

    write(window, "let a = = 1")
    expect(window.locator(".cm-lint-marker-error")).to_be_visible()
    write(window, CODE)
    expect(window.locator(".cm-lint-marker-error")).to_have_count(0)
    for row, names in (("params", ["item"]), ("exits", ["in_stock", "sold_out"])):
        box = window.locator(f"[data-rows={row}]")
        for number, name in enumerate(names):
            box.get_by_role("button", name="Add a row").click()
            box.locator("[data-field=name]").nth(number).fill(name)
    shoot(window, "new")
    window.get_by_role("button", name="Save and continue editing").or_(window.locator("[name=_continue]")).first.click()
    expect(window.locator("[data-testing]")).to_be_visible()

    window.locator("#jail-params").fill('{"item": "lamp"}')
    window.locator("#jail-mocks").fill('[{"url": "https://crm.example/*", "body": {"left": 3}}]')
    window.get_by_role("button", name="Run", exact=False).first.click()
    out = window.locator("[data-outcome]")
    expect(out).to_contain_text("in_stock")
    expect(out).to_contain_text("stock of lamp 3")
    window.locator("#jail-case").fill("In stock")
    shoot(window, "tested")
    window.get_by_role("button", name="Keep with this result").click()
    expect(window.locator("[data-cases]")).to_contain_text("In stock")

    write(window, FAILING)
    window.locator("#jail-params").fill('{"item": "lamp"}')
    window.get_by_role("button", name="Run", exact=False).first.click()
    expect(out).to_contain_text("Script error at line 23")
    expect(window.locator(".cm-wrong")).to_be_visible()
    shoot(window, "line-23")
    window.locator("[name=_continue]").first.click()
    window.get_by_role("link", name="Publish…").click()
    expect(window.get_by_text("fails").first).to_be_visible()
    window.get_by_label("Publish although tests fail, because").fill("To see the error on the trace")
    shoot(window, "publish")
    window.get_by_role("button", name="Publish").click()
    expect(window.get_by_text("Version 1 is published")).to_be_visible()

    product.shell(START.format(scenario=scenario))
    window.wait_for_timeout(1500)
    window.goto(f"{product.base_url}/admin/events/event/trace/trace-jail/")
    expect(window.get_by_text("Script error at line 23").first).to_be_visible()
    shoot(window, "trace")
