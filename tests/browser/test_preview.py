"""The chat preview as an author uses it, in a browser under the real content security policy: for whom, from where, what would happen and how it
would look; then kept as a test that gates publishing.
"""

import json
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import Stage
from tests.browser.test_admin import window
from tests.scenarios.definitions import button, definition, node

pytestmark = pytest.mark.timeout(240)
__all__ = ["window"]
MAKE = """
import json
from apps.bots.models import Bot, Channel
from apps.identity import resolving
from apps.scenarios.models import Scenario
bot = Bot.objects.create(name="Of the preview " + str(Bot.objects.count()))
for kind in ("widget", "telegram"):
    channel = Channel.objects.create(bot=bot, kind=kind, name=kind, account={{"name": kind}}, is_active=True)
lead = resolving.leads_of({{1: (channel, "540278" + str(bot.pk))}})[1]
lead.person.name, lead.person.language = "Daria", "ru"
lead.person.save()
scenario = Scenario.objects.create(bot=bot, key="order", name="Order", draft=json.loads({draft!r}))
print(json.dumps([scenario.pk, lead.code]))
"""
LONG = "A label that is much longer than any of the messengers can show on a button of theirs, so that it must be cut"


def order(crm_url: str) -> dict[str, object]:
    call = {"action": "action_send_request", "params": {"method": "GET", "url": f"{crm_url}/health", "save": {"up": "json.ok"}}}
    return definition(
        node("start", "start", next="ask"),
        node("ask", "message", {"text": {"en": "Hello, {{ user_name }}!", "ru": "Привет, {{ user_name }}!"}, "buttons": [
            [button("status", "Where is my order?"), button("later", "Later")], [button("long", LONG)],
        ]}, status="call", later="wait", long="end"),
        node("call", "action", call, ok="good", client_error="bad"),
        node("good", "message", {"text": "On its way, up: {{ up }}."}, next="end"),
        node("bad", "message", {"text": "Not found."}, next="end"),
        node("wait", "delay", {"amount": 2, "unit": "hours"}, next="still"),
        node("still", "input", {"text": "Still there?", "save_as": "word", "timeout": {"amount": 30, "unit": "minutes"}}, ok="good", timeout="gone"),
        node("gone", "message", {"text": "You were silent."}, next="end"),
        node("end", "end"),
        languages=["en", "ru"],
        triggers=[{"kind": "keyword", "words": ["order"]}],
    )  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """The page with a chat, and how people use it."""

    page: Page
    address: str
    lead: str

    @property
    def chat(self) -> Locator:
        return self.page.locator("[data-chat]")

    def begin(self, **fields: str) -> None:
        self.page.get_by_role("tab", name="Begin").click()
        for name, value in fields.items():
            self.page.locator(f"[data-setup] input[name={name}]").fill(value)
        self.page.get_by_role("button", name="Begin the chat").click()

    def press(self, label: str) -> None:
        self.chat.get_by_role("button", name=label).last.click()

    def write(self, text: str) -> None:
        self.page.get_by_role("textbox", name="Message of the person").fill(text)
        self.page.keyboard.press("Enter")

    def beside(self, tab: str) -> Locator:
        self.page.get_by_role("tab", name=tab).click()
        return self.page.get_by_role("tabpanel", name=tab)


@pytest.fixture
def preview(product: Stage, window: Page) -> Preview:
    scenario, lead = product.shell(MAKE.format(draft=json.dumps(order(product.crm_url))))
    address = f"{product.base_url}/admin/scenarios/scenario/{scenario}/"
    window.goto(f"{address}preview/")
    return Preview(window, address, lead)


def test_an_invented_person_a_copy_of_one_and_any_block(preview: Preview) -> None:
    preview.begin(name="Anna")
    expect(preview.chat.get_by_text("Hello, Anna!")).to_be_visible()
    expect(preview.page.locator("[data-status]")).to_have_text("Waits: ask")
    preview.begin(name="", copy=preview.lead)
    expect(preview.chat.get_by_text("Привет, Daria!")).to_be_visible()
    preview.page.get_by_role("tab", name="Begin").click()
    preview.page.locator("select[name=place]").select_option("node:still")
    preview.begin()
    expect(preview.chat).to_contain_text("Still there?")
    preview.write("yes")
    expect(preview.beside("Variables")).to_contain_text("wordyes")
    expect(preview.beside("Path").locator("li:not(.db-hint)")).to_have_text(["still (input)", "good (message)", "end (end)"])


def test_calls_are_told_answered_otherwise_and_let_out_when_ticked(preview: Preview) -> None:
    preview.begin()
    preview.press("Where is my order?")
    expect(preview.chat).to_contain_text(re.compile(r"Would call: GET http://\S+/health → exit ok \(assumed\)"))
    expect(preview.chat).to_contain_text("On its way, up: .")
    calls = preview.beside("Calls")
    calls.get_by_role("combobox").select_option("client_error")
    calls.get_by_role("button", name="Answer so").click()
    expect(preview.chat).to_contain_text("Not found.")
    expect(preview.chat).not_to_contain_text("On its way")
    preview.page.get_by_role("tab", name="Begin").click()
    preview.page.locator("textarea[name=mocks]").fill("[]")
    preview.page.get_by_label("Let calls without such an answer really go out").check()
    preview.begin()
    preview.press("Where is my order?")
    expect(preview.chat).to_contain_text(re.compile(r"Called: GET http://\S+/health → exit ok \(went out\)"))
    expect(preview.chat).to_contain_text("On its way, up: true.")


def test_time_is_skipped_over_a_delay_and_a_timeout(preview: Preview) -> None:
    preview.begin()
    preview.press("Later")
    expect(preview.page.locator("[data-status]")).to_have_text("Waits: wait")
    preview.page.get_by_role("button", name="An hour later").click()
    expect(preview.chat).not_to_contain_text("Still there?")
    preview.page.get_by_role("button", name="To the next timer").click()
    expect(preview.chat).to_contain_text("Still there?")
    preview.page.get_by_role("button", name="To the next timer").click()
    expect(preview.chat).to_contain_text("You were silent.")
    expect(preview.chat).to_contain_text("The scenario is over.")


def test_each_channel_shows_buttons_and_long_labels_in_its_own_way(preview: Preview) -> None:
    preview.begin()
    labels = preview.chat.locator(".db-bubble-buttons button")
    expect(labels).to_have_count(3)
    shown = {}
    for kind in ("widget", "telegram"):
        preview.page.locator("#preview-channel").select_option(kind)
        shown[kind] = labels.all_inner_texts()[2]
    assert len(shown["telegram"]) < len(LONG)
    assert shown["telegram"].endswith("…")
    assert shown["widget"] != shown["telegram"]


def test_a_word_begins_the_chat_and_begins_it_again_once_it_is_over(preview: Preview) -> None:
    preview.write("good morning")
    preview.write("order")  # sooner than the first one is answered
    expect(preview.chat).to_contain_text("No trigger of this scenario takes it")
    expect(preview.chat).to_contain_text("Begun by: keyword “order”")
    preview.press("Where is my order?")
    expect(preview.chat).to_contain_text("The scenario is over.")
    preview.write("Order!")
    expect(preview.chat.get_by_text("Hello, ")).to_have_count(2)
    expect(preview.page.locator("[data-status]")).to_have_text("Waits: ask")
    preview.page.get_by_role("button", name="Take the last step back").click()
    expect(preview.chat.get_by_text("Hello, ")).to_have_count(1)


def test_a_chat_becomes_a_test_that_gates_publishing(product: Stage, preview: Preview) -> None:
    page = preview.page
    preview.begin(name="Anna")
    preview.press("Where is my order?")
    expect(preview.chat).to_contain_text("The scenario is over.")
    page.locator("[data-keep] input[name=name]").fill("The order is on its way")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("[data-kept]")).to_have_text("Kept as a test.")

    page.get_by_role("link", name="All tests").click()
    expect(page.get_by_role("row", name="The order is on its way")).to_contain_text("passes")
    page.get_by_role("button", name="Run all tests").click()
    expect(page.locator("body")).to_contain_text("All 1 tests pass.")
    expect(page.locator("body")).to_contain_text(re.compile(r"Blocks: \d+ % of 9"))
    expect(page.locator("body")).to_contain_text(re.compile("Blocks that no test enters: bad, wait, still, gone"))

    scenario = preview.address.rstrip("/").rpartition("/")[2]
    product.shell(f"""
from apps.scenarios.models import Scenario
scenario = Scenario.objects.get(pk={scenario})
scenario.draft["sections"][0]["nodes"][3]["params"]["text"] = "Delivered."
scenario.save()
""")
    page.goto(f"{preview.address}publish/")
    expect(page.locator("body")).to_contain_text("The order is on its way: Turn 2")
    publish = page.locator("main, #content").get_by_role("button", name="Publish").first
    publish.click()
    expect(page.locator("body")).to_contain_text("Not published: tests fail.")
    page.locator("[name=override]").fill("The text is meant so")
    publish.click()
    expect(page.locator("body")).to_contain_text("Version 1 is published")
    logged = product.shell(f"""
import json
from apps.core.models import AuditEntry
print(json.dumps(AuditEntry.objects.filter(action="scenarios.scenario.publish", object_id={scenario!r}).latest("pk").changes))
""")
    assert logged["override"] == "The text is meant so"
