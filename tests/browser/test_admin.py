"""What only a browser can show of the admin: the JSON editor, the check beside it, questions before acts; under the real content security policy."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import ADMIN, PASSWORD, Stage
from tests.scenarios.definitions import thank_you

pytestmark = pytest.mark.timeout(240)
MAKE = """
import json
from apps.bots.models import Bot, Channel
from apps.scenarios.models import Scenario
bot = Bot.objects.create(name="Of the browser")
scenario = Scenario.objects.create(bot=bot, key="s", name="Scenario", draft=json.loads({draft!r}))
channel = Channel.objects.create(bot=bot, kind="widget", name="Chat", account={{"name": "Chat"}})
print(json.dumps([scenario.pk, channel.pk]))
"""


@pytest.fixture
def made(product: Stage) -> tuple[str, str]:
    """The pages of a scenario and of a channel."""
    scenario, channel = product.shell(MAKE.format(draft=json.dumps(thank_you())))
    return f"{product.base_url}/admin/scenarios/scenario/{scenario}/change/", f"{product.base_url}/admin/bots/channel/{channel}/change/"


@pytest.fixture
def window(product: Stage, new_page: Open) -> Page:
    """A window in which the administrator is signed in."""
    page = new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{product.base_url}/admin/login/?next=/admin/")
    page.locator("input[name=username]").fill(ADMIN)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.get_by_role("heading", name="Start page")).to_be_visible()
    return page


def text_of(page: Page) -> str:
    return page.locator("#id_draft").input_value()


def chosen_line(page: Page) -> str:
    """The line at which the cursor stands."""
    number: int = page.locator("#id_draft").evaluate("field => field.value.slice(0, field.selectionStart).split('\\n').length")
    return text_of(page).splitlines()[number - 1].strip()


def test_the_editor_indents_and_says_where_the_json_is_wrong(window: Page, made: tuple[str, str]) -> None:
    window.goto(made[0])
    foot, area = window.locator(".db-editor-foot"), window.locator("#id_draft")
    expect(foot).to_have_text("Valid JSON")
    area.fill("{\n}")
    area.evaluate("field => field.setSelectionRange(1, 1)")
    area.press("Enter")
    area.press_sequentially('"a": 1,')
    assert text_of(window) == '{\n  "a": 1,\n}'
    expect(foot).to_have_text("Line 2: Remove this comma: nothing follows it.")
    expect(window.locator(".db-gutter span.db-bad")).to_have_text("2")
    area.press("Backspace")
    expect(foot).to_have_text("Valid JSON")
    area.press("Shift+Tab")
    assert text_of(window) == '{\n"a": 1\n}'
    area.press("Tab")
    assert text_of(window) == '{\n  "a": 1\n}'
    area.press("Shift+Tab")
    window.get_by_role("button", name="Format").click()
    assert text_of(window) == '{\n  "a": 1\n}'
    area.press("Control+z")
    assert text_of(window) == '{\n"a": 1\n}'


def test_escape_lets_the_keyboard_leave_the_editor(window: Page, made: tuple[str, str]) -> None:
    window.goto(made[0])
    area = window.locator("#id_draft")
    area.focus()
    before = text_of(window)
    area.press("Escape")
    area.press("Tab")
    assert text_of(window) == before
    assert window.evaluate("document.activeElement.id") != "id_draft"


def test_the_check_marks_the_line_and_jumps_there(window: Page, made: tuple[str, str]) -> None:
    window.goto(made[0])
    broken: dict[str, Any] = thank_you()
    broken["sections"][0]["nodes"][2]["exits"] = {"next": "nowhere"}
    window.locator("#id_draft").fill(json.dumps(broken, indent=2))
    window.get_by_role("button", name="Check", exact=True).click()
    problem = window.locator("#panel-problems [data-level=error]").first
    expect(problem).to_contain_text("nowhere")
    problem.click()
    assert chosen_line(window) == '"next": "nowhere"'
    expect(window.locator(".db-gutter span.db-bad")).to_have_count(1)


def test_the_outline_jumps_and_blocks_are_inserted_at_the_cursor(window: Page, made: tuple[str, str]) -> None:
    window.goto(made[0])
    window.locator("#panel-outline button[data-node=done]").first.click()
    assert chosen_line(window) == "{"
    area = window.locator("#id_draft")
    window.get_by_role("tab", name="Blocks").click()
    area.fill("")
    block = window.locator("#panel-blocks details").first
    block.locator("summary").click()
    block.get_by_role("button", name="Insert at the cursor").click()
    assert set(json.loads(text_of(window))) >= {"id", "kind"}


def test_control_s_saves_the_draft(window: Page, made: tuple[str, str]) -> None:
    window.goto(made[0])
    area = window.locator("#id_draft")
    area.fill(text_of(window).replace("Confirmed.", "Thank you!"))
    with window.expect_navigation():
        area.press("Control+s")
    assert "Thank you!" in text_of(window)


def test_an_act_with_consequences_asks_first(window: Page, made: tuple[str, str]) -> None:
    window.goto(made[1])
    window.get_by_role("button", name="Pause").click()
    dialog = window.get_by_role("dialog")
    expect(dialog).to_contain_text("The channel will neither receive nor send")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    window.get_by_role("button", name="Pause").click()
    with window.expect_navigation():
        window.get_by_role("dialog").get_by_role("button", name="Continue").click()
    expect(window.get_by_role("button", name="Resume")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(product: Stage, new_page: Open, window: Page, made: tuple[str, str]) -> None:
    phone = new_page(viewport={"width": 390, "height": 844}, storage_state=window.context.storage_state())
    for address in (
        "/admin/",
        "/admin/events/event/",
        "/admin/conversations/conversation/",
        "/admin/identity/lead/",
        "/admin/scenarios/scenario/",
    ):
        phone.goto(f"{product.base_url}{address}")
        assert (address, phone.evaluate("document.documentElement.scrollWidth")) == (address, 390)
    for address in made:
        phone.goto(address)
        assert (address, phone.evaluate("document.documentElement.scrollWidth")) == (address, 390)
