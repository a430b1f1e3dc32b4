"""The builder as a person uses it: from an empty canvas to a running dialogue with the mouse, and nothing is lost on the way."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from bench import canvas
from tests.browser.conftest import Open
from tests.browser.stage import ADMIN, PASSWORD, Stage
from tests.scenarios.definitions import button, definition, node, thank_you

pytestmark = pytest.mark.timeout(240)
MAKE = """
import json
from apps.accounts.models import User
from apps.bots.models import Bot, Channel
from apps.scenarios.models import Scenario
bot = Bot.objects.create(name="Of the builder " + str(Bot.objects.count()))
channel = Channel.objects.create(bot=bot, kind="widget", name="Chat", account={{"name": "Chat"}}, is_active=True)
scenario = Scenario.objects.create(bot=bot, key="registration", name="Registration", draft=json.loads({draft!r}))
User.objects.filter(username="boris").exists() or User.objects.create_superuser("boris", password={password!r})
print(json.dumps([scenario.pk, "wk_" + channel.public_id.hex]))
"""
EMPTY = {"schema_version": 1, "name": "Registration", "default_language": "en", "sections": [{"id": "main", "name": "Main", "nodes": []}]}


@dataclass(frozen=True)
class Made:
    scenario: int
    chat: str
    product: Stage

    @property
    def address(self) -> str:
        return f"{self.product.base_url}/admin/scenarios/scenario/{self.scenario}/builder/"

    def stored(self) -> Any:
        return self.product.shell(
            f"import json\nfrom apps.scenarios.models import Scenario\nprint(json.dumps(Scenario.objects.get(pk={self.scenario}).draft))"
        )


@pytest.fixture
def make(product: Stage) -> Callable[..., Made]:
    def made(draft: Any) -> Made:
        scenario, chat = product.shell(MAKE.format(draft=json.dumps(draft), password=PASSWORD))
        return Made(scenario, chat, product)

    return made


@pytest.fixture
def sign_in(product: Stage, new_page: Open) -> Callable[..., Page]:
    def signed_in(user: str = ADMIN) -> Page:
        page = new_page(viewport={"width": 1600, "height": 1000})
        page.goto(f"{product.base_url}/admin/login/?next=/admin/")
        page.locator("input[name=username]").fill(user)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=password]").press("Enter")
        expect(page.get_by_role("heading", name="Start page")).to_be_visible()
        return page

    return signed_in


# --- hands -----------------------------------------------------------------------------------------------------------------


def block(page: Page, node: str) -> Locator:
    return page.locator(f".fb-block[data-node='{node}']")


def drop(page: Page, kind: str, x: int, y: int) -> None:
    page.locator(f".fb-entry[data-kind='{kind}']").drag_to(page.locator(".react-flow__pane"), target_position={"x": x, "y": y})


def pull(page: Page, source: str, label: str, to: Locator | tuple[float, float]) -> None:
    """Drag a connection from an exit to a block, or onto the empty canvas."""
    exit_row = block(page, source).locator(".fb-exit", has_text=re.compile(f"^{re.escape(label)}$"))
    start = exit_row.locator(".react-flow__handle").bounding_box()
    assert start
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    if isinstance(to, tuple):
        end = to
    else:
        box = to.bounding_box()
        assert box
        end = (box["x"] + 40, box["y"] + 24)
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def write(page: Page, field: str, text: str) -> None:
    area = page.locator(f"[data-path='{field}'] .cm-content").first
    area.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def saved(page: Page) -> None:
    expect(page.locator(".fb-save")).to_contain_text("Saved")


# --- from nothing to a dialogue ---------------------------------------------------------------------------------------------


def test_a_registration_is_built_with_the_mouse_tested_published_run_and_rolled_back(
    make: Callable[..., Made], sign_in: Callable[..., Page], new_page: Open
) -> None:
    made, page = make(EMPTY), sign_in()
    page.goto(made.address)
    drop(page, "start", 40, 300)
    drop(page, "message", 380, 260)
    pull(page, "start", "Next", block(page, "message"))
    write(page, "params.text", "Hello! How shall we find you?")
    for label in ("By phone", "By e-mail"):
        buttons = page.locator(".fb-field-grid")
        buttons.get_by_role("button", name=re.compile(r"^(\+ Add|Add to row 1)$")).first.click()
        write(page, f"params.buttons.0.{0 if label == 'By phone' else 1}.label", label)
    expect(block(page, "message").locator(".fb-exit")).to_have_text(["By phone", "By e-mail", "Any other answer", "Cancelled"])

    ask(page, exit_label="By phone", to=(900, 250), node="input", text="Your phone?", kind="Phone", variable="phone")
    ask(page, exit_label="By e-mail", to=(900, 620), node="input_2", text="Your e-mail?", kind="Email", variable="email")
    page.get_by_label("Show everything").click()
    page.wait_for_timeout(400)  # the view glides
    pull(page, "input", "Answered", (1180, 420))
    page.get_by_role("dialog").get_by_role("searchbox").fill("message")
    page.keyboard.press("Enter")
    write(page, "params.text", "Thank you, we have found you: {{ phone }}{{ email }}")
    pull(page, "input_2", "Answered", block(page, "message_2"))
    begin_by_any_message(page)
    saved(page)
    expect(page.get_by_role("tab", name="Problems")).to_have_text("Problems")

    try_out(page)
    publish(page, "Built with the mouse")
    expect(page.locator("body")).to_contain_text("Version 1 is published")
    talk(new_page(), made, asks="Your e-mail?")

    page.get_by_role("link", name="Open the builder").click()
    block(page, "input_2").click()
    write(page, "params.text", "Which e-mail?")
    saved(page)
    publish(page, "Another question")
    expect(page.locator("body")).to_contain_text("Version 2 is published")
    talk(new_page(), made, asks="Which e-mail?")

    page.get_by_role("link", name="roll back").click()
    page.locator("textarea[name=note]").fill("The first one was clearer")
    page.locator("main, #content").get_by_role("button", name="Roll back").click()
    expect(page.locator("body")).to_contain_text("Version 3 is published; it says what version 1 said.")
    talk(new_page(), made, asks="Your e-mail?")


def try_out(page: Page) -> None:
    """A chat with the draft, kept as a test, and back to the builder."""
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("button", name="Begin the chat").click()
    chat = page.locator("[data-chat]")
    chat.get_by_role("button", name="By phone").click()
    expect(chat).to_contain_text("Your phone?")
    page.get_by_role("textbox", name="Message of the person").fill("+998 90 123 45 67")
    page.get_by_role("button", name="Send").click()
    expect(chat).to_contain_text("Thank you, we have found you: +998901234567")
    page.locator("[data-keep] input[name=name]").fill("Found by phone")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("[data-kept]")).to_have_text("Kept as a test.")
    page.get_by_role("link", name="All tests").click()
    expect(page.get_by_role("row", name="Found by phone")).to_contain_text("passes")
    page.get_by_role("link", name="Back to the draft").click()
    page.get_by_role("link", name="Open the builder").click()


def ask(page: Page, *, exit_label: str, to: tuple[float, float], node: str, text: str, kind: str, variable: str) -> None:
    """A question at the end of a connection that is dropped on nothing."""
    pull(page, "message", exit_label, to)
    page.get_by_role("dialog").get_by_role("searchbox").fill("input")
    page.keyboard.press("Enter")
    expect(block(page, node)).to_be_visible()
    write(page, "params.text", text)
    page.locator("[data-path='params.kind'] select").select_option(label=kind)
    page.locator("[data-path='params.save_as'] input").fill(variable)


def begin_by_any_message(page: Page) -> None:
    page.get_by_role("tab", name="Scenario").click()
    triggers = page.locator("[data-path='triggers']")
    triggers.get_by_role("button", name="+ Add").click()
    triggers.locator("select").first.select_option(label="Any message")


def publish(page: Page, note: str) -> None:
    page.get_by_role("button", name="Publish…").click()
    page.get_by_role("dialog").get_by_role("button", name="Go on to publishing").click()
    page.locator("textarea[name=note]").fill(note)
    page.locator("main, #content").get_by_role("button", name="Publish").first.click()


def talk(chat: Page, made: Made, *, asks: str) -> None:
    chat.goto(f"{made.product.base_url}/widget/{made.chat}")
    box = chat.get_by_role("textbox", name="Write a message…")
    box.fill("Hi")
    box.press("Enter")
    chat.get_by_role("button", name="By e-mail").click()
    expect(chat.get_by_text(asks)).to_be_visible()
    box.fill("anna@example.com")
    box.press("Enter")
    expect(chat.get_by_text("Thank you, we have found you: anna@example.com")).to_be_visible()


def test_texts_know_what_was_asked_before_and_buttons_change_places(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    draft = definition(
        node("start", "start", next="ask"),
        node("ask", "input", {"text": "City?", "save_as": "city"}, ok="say"),
        node("say", "message", {"text": "", "buttons": [[button("yes", "Yes"), button("no", "No")]]}, yes="route"),
        node("route", "router", {"branches": [{"id": "big", "title": "Big"}]}, big="end"),
        node("end", "end"),
    )
    made, page = make(draft), sign_in()
    page.goto(made.address)
    block(page, "say").click()
    page.locator("[data-path='params.text'] .cm-content").first.click()
    page.keyboard.type("You live in {{ ci")
    expect(page.locator(".cm-tooltip-autocomplete li").first).to_contain_text("city")
    page.wait_for_timeout(150)  # the list takes no key in its first moment
    page.keyboard.press("Enter")
    expect(block(page, "say")).to_contain_text("You live in {{ city }}")
    chips = page.locator(".fb-field-grid .fb-chip[draggable=true]")
    chips.nth(1).drag_to(chips.nth(0))
    expect(block(page, "say").locator(".fb-exit").first).to_have_text("No")
    pull(page, "say", "No", block(page, "end"))
    block(page, "route").click()
    page.get_by_role("button", name="+ Add a condition").click()
    row = page.locator(".fb-condition-row").first
    row.locator(".cm-content").first.click()
    page.keyboard.insert_text("city")
    row.get_by_label("Operator").select_option(label="contains")
    saved(page)
    nodes = {found["id"]: found for found in made.stored()["sections"][0]["nodes"]}
    assert [found["label"] for found in nodes["say"]["params"]["buttons"][0]] == ["No", "Yes"]
    assert (nodes["say"]["params"]["text"], nodes["say"]["exits"]) == ("You live in {{ city }}", {"yes": "route", "no": "end"})
    [when] = nodes["route"]["params"]["branches"][0]["when"]["all"]
    assert (when["variable"], when["operator"]) == ("city", "contains")


def test_chosen_blocks_go_into_another_scenario_as_text(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    source, target, page = make(thank_you()), make(EMPTY), sign_in()
    page.goto(source.address)
    for name in ("thanks", "done", "bye"):
        block(page, name).locator(".fb-block-title").click(modifiers=["Shift"])
    expect(page.locator(".fb-panel")).to_contain_text("3 items are chosen.")
    page.get_by_role("button", name="Copy as text").click()
    expect(page.locator(".fb-toast")).to_have_text("Copied as text (JSON).")
    page.goto(target.address)
    page.get_by_role("button", name="Begin with “Start”").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+v")
    expect(page.locator(".fb-toast")).to_have_text("3 blocks pasted")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Insert blocks from text").click()
    page.get_by_label("Blocks as JSON").click()
    page.keyboard.press("Control+v")
    page.get_by_role("button", name="Insert", exact=True).click()
    expect(block(page, "thanks")).to_be_visible()
    page.get_by_role("button", name="Put in order", exact=True).click()
    pull(page, "start", "Next", block(page, "thanks"))
    saved(page)
    nodes = {found["id"]: found.get("exits") for found in target.stored()["sections"][0]["nodes"]}
    assert nodes == {"start": {"next": "thanks"}, "thanks": {"confirm": "done", "later": "bye"}, "done": {}, "bye": {}}


def test_errors_refuse_publishing_and_lead_to_their_field(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    made, page = make(definition(node("start", "start", next="call"), node("call", "action", {"action": "action_send_request"}))), sign_in()
    page.goto(made.address)
    expect(block(page, "call").locator(".fb-badge.fb-error")).to_be_visible()
    page.get_by_role("button", name="Publish…").click()
    dialog = page.get_by_role("dialog", name="It cannot be published yet")
    expect(dialog.get_by_role("button", name="Go on to publishing")).to_have_count(0)
    dialog.get_by_role("button", name=re.compile("Fill it in; it is required")).first.click()
    expect(page.locator("[data-path='params.params.url'] .cm-content")).to_be_focused()
    expect(page.locator("[data-path='params.params.url'] .fb-problem")).to_have_text("Fill it in; it is required.")


# --- nothing is lost ----------------------------------------------------------------------------------------------------------


def test_changes_made_offline_survive_a_crash_of_the_tab_and_are_saved(
    make: Callable[..., Made], sign_in: Callable[..., Page], complaints: list[str]
) -> None:
    made, page = make(thank_you()), sign_in()
    page.goto(made.address)
    block(page, "done").click()
    saved(page)
    page.context.set_offline(True)
    page.locator("#fb-title").fill("Written in a tunnel")
    expect(page.locator(".fb-save")).to_contain_text("Offline")
    with pytest.raises(PlaywrightError, match="crash"):  # a tab that is only closed still saves while it closes: it is online again then
        page.goto("chrome://crash")
    assert "title" not in made.stored()["sections"][0]["nodes"][2]
    page.close()
    page.context.set_offline(False)
    again = page.context.new_page()
    again.goto(made.address)
    expect(again.locator(".fb-toast")).to_contain_text("not saved are back")
    expect(block(again, "done")).to_contain_text("Written in a tunnel")
    saved(again)
    assert made.stored()["sections"][0]["nodes"][2]["title"] == "Written in a tunnel"
    complaints.clear()  # the cut connection


@pytest.fixture
def met(make: Callable[..., Made], sign_in: Callable[..., Page], complaints: list[str]) -> Iterator[tuple[Made, Page, Page]]:
    """Anna and Boris in one scenario; both have changed “done”, and each one block more; she has saved first."""
    made, anna, boris = make(thank_you()), sign_in(), sign_in("boris")
    for page in (anna, boris):
        page.goto(made.address)
        expect(block(page, "done")).to_be_visible()
    expect(boris.locator(".fb-others")).to_contain_text("admin")
    boris.route("**/presence", lambda route: route.abort())  # he does not hear of her save before his own
    change(anna, {"thanks": "Thanks of Anna", "done": "Of Anna"})
    saved(anna)
    boris.context.set_offline(True)
    change(boris, {"done": "Of Boris", "bye": "Bye of Boris"})
    expect(boris.locator(".fb-save")).to_contain_text("Offline")
    boris.context.set_offline(False)
    expect(boris.get_by_role("dialog")).to_contain_text("admin has saved this scenario meanwhile")
    yield made, anna, boris
    boris.close()
    complaints.clear()  # the cut connection and the refused save


def change(page: Page, titles: dict[str, str]) -> None:
    for name, title in titles.items():
        block(page, name).click()
        page.locator("#fb-title").fill(title)


def titles_of(made: Made) -> dict[str, str]:
    return {found["id"]: found["title"] for found in made.stored()["sections"][0]["nodes"] if found.get("title")}


def test_a_colleagues_save_is_told_block_by_block_and_both_are_brought_together(met: tuple[Made, Page, Page]) -> None:
    made, anna, boris = met
    dialog = boris.get_by_role("dialog")
    theirs, yours = dialog.locator(".fb-side").nth(0), dialog.locator(".fb-side").nth(1)
    expect(theirs.get_by_role("heading")).to_have_text("Changed by admin")
    expect(theirs.locator("li")).to_have_text(
        [re.compile("Thanks of Anna .*changed"), re.compile("Of Anna .*changed.*both.*Title: Of Anna")]
    )
    expect(yours.locator("li")).to_have_text([re.compile("Of Boris .*changed.*both"), re.compile("Bye of Boris")])
    dialog.get_by_role("radiogroup", name="Of Boris").get_by_role("radio", name="Mine").click()
    dialog.get_by_role("button", name="Bring both together").click()
    saved(boris)
    assert titles_of(made) == {"thanks": "Thanks of Anna", "done": "Of Boris", "bye": "Bye of Boris"}
    expect(block(anna, "bye")).to_contain_text("Bye of Boris")  # she had nothing unsaved and sees it by herself
    boris.unroute("**/presence")
    expect(anna.locator(".fb-others")).to_contain_text("boris at “Bye of Boris”")


def test_a_draft_that_gave_way_is_brought_back_by_undo_and_from_its_copy(met: tuple[Made, Page, Page]) -> None:
    made, _anna, boris = met
    boris.get_by_role("dialog").get_by_role("button", name="Take theirs, drop mine").click()
    saved(boris)
    assert titles_of(made) == {"thanks": "Thanks of Anna", "done": "Of Anna"}
    boris.get_by_role("button", name="Undo").click()
    saved(boris)
    assert titles_of(made) == {"done": "Of Boris", "bye": "Bye of Boris"}
    boris.get_by_role("button", name="Redo").click()
    saved(boris)
    boris.reload()
    boris.get_by_role("tab", name="Scenario").click()
    boris.locator(".fb-copies li", has_text="Your draft").get_by_role("button", name="Bring back").click()
    saved(boris)
    assert titles_of(made) == {"done": "Of Boris", "bye": "Bye of Boris"}


def test_writing_over_a_colleague_is_asked_twice_and_keeps_theirs(met: tuple[Made, Page, Page]) -> None:
    made, _anna, boris = met
    dialog = boris.get_by_role("dialog")
    dialog.get_by_role("button", name="Write over theirs with mine…").click()
    assert titles_of(made) == {"thanks": "Thanks of Anna", "done": "Of Anna"}
    dialog.get_by_role("button", name="Yes, write over what admin has saved").click()
    saved(boris)
    assert titles_of(made) == {"done": "Of Boris", "bye": "Bye of Boris"}
    boris.get_by_role("tab", name="Scenario").click()
    expect(boris.locator(".fb-copies li")).to_have_text(re.compile("Draft of admin"))


def test_three_hundred_blocks_open_and_one_is_dragged(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    made, page = make(canvas.definition()), sign_in()
    page.goto(made.address)
    first = block(page, "n0")
    expect(first).to_be_visible()
    before = first.bounding_box()
    assert before
    page.mouse.move(before["x"] + 90, before["y"] + 12)
    page.mouse.down()
    page.mouse.move(before["x"] + 170, before["y"] + 92, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    after = first.bounding_box()
    assert after
    assert 40 < after["x"] - before["x"] < 120  # it keeps to the grid
    saved(page)


# --- hands on the keyboard, bad input -------------------------------------------------------------------------------------------


def test_the_keyboard_alone_adds_connects_undoes_copies_and_jumps(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    made, page = make(thank_you()), sign_in()
    page.goto(made.address)
    page.locator(".react-flow__node[data-id=bye]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("delay")
    page.keyboard.press("Enter")
    expect(block(page, "delay")).to_be_visible()
    page.get_by_label("“Next” goes to").select_option("end")
    page.keyboard.press("Escape")
    page.locator(".react-flow__node[data-id=delay]").focus()
    page.keyboard.press("Control+d")
    expect(block(page, "delay_2")).to_be_visible()
    page.keyboard.press("Delete")
    expect(block(page, "delay_2")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(block(page, "delay_2")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(block(page, "delay_2")).to_have_count(0)
    page.keyboard.press("Control+f")
    page.get_by_role("dialog").get_by_role("searchbox").fill("as you like")
    page.keyboard.press("Enter")
    expect(page.locator(".react-flow__node[data-id=bye]")).to_have_class(re.compile("selected"))
    page.get_by_role("tab", name="Problems").click()
    page.locator(".fb-problems button[data-code=params]").first.click()
    expect(page.locator(".react-flow__node[data-id=delay]")).to_have_class(re.compile("selected"))
    saved(page)


def test_what_others_wrote_is_never_run_and_broken_texts_paste_nothing(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    script = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    draft = thank_you()
    draft["sections"][0]["name"] = script
    for found in draft["sections"][0]["nodes"]:
        found["title"] = found["note"] = script
    made, page = make(draft), sign_in()
    page.goto(made.address)
    block(page, "thanks").click()
    expect(block(page, "thanks")).to_contain_text("onerror")
    assert "run" not in page.title()
    count = page.locator(".fb-block").count()
    page.locator(".react-flow__node[data-id=thanks]").focus()
    for text in ("{broken", "[]", '{"nodes": [{"id": 1}]}', "x" * 3_000_000):
        page.evaluate(
            "text => { const data = new DataTransfer(); data.setData('text/plain', text);"
            "document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true })); }",
            text,
        )
        expect(page.locator(".fb-toast.fb-bad")).to_be_visible()
        assert page.locator(".fb-block").count() == count


def test_a_draft_that_cannot_be_drawn_leads_to_the_json_editor(make: Callable[..., Made], sign_in: Callable[..., Page]) -> None:
    page = sign_in()
    page.goto(make({"sections": [{"id": "main", "nodes": [{"id": "a", "kind": "end"}, {"id": "a", "kind": "end"}]}]}).address)
    expect(page.locator(".fb-broken")).to_contain_text("two blocks with one id")
    page.get_by_role("link", name="Open the JSON editor").click()
    expect(page.locator("#id_draft")).to_be_visible()
