"""What lies over the builder's canvas: figures of real dialogues with the way to a transcript, and what differs between two versions."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from bench import canvas
from tests.browser.conftest import Open
from tests.browser.test_builder import Made, block, make, saved, sign_in
from tests.scenarios.definitions import node, thank_you

pytestmark = pytest.mark.timeout(240)
__all__ = ["make", "sign_in"]

PLACES = {"start": [0, 80], "thanks": [330, 40], "done": [690, -60], "bye": [690, 180], "end": [1050, 60]}
PUBLISH = """
from apps.scenarios import publishing
from apps.scenarios.models import Scenario
scenario = Scenario.objects.get(pk={pk})
scenario.layout = {{"nodes": {places}}}
scenario.save()
publishing.publish(scenario, note="The first")
"""
CHANGE = """
import json
from apps.scenarios.models import Scenario
scenario = Scenario.objects.get(pk={pk})
scenario.draft, scenario.layout, scenario.draft_version = json.loads({draft!r}), json.loads({layout!r}), scenario.draft_version + 1
scenario.save()
"""


@pytest.fixture
def published(make: Callable[..., Made]) -> Made:
    made = make(thank_you(triggers=[{"kind": "any_message"}]))
    made.product.shell(PUBLISH.format(pk=made.scenario, places=PLACES))
    return made


def talk(page: Page, made: Made, answer: str, last: str) -> None:
    page.goto(f"{made.product.base_url}/widget/{made.chat}")
    box = page.get_by_role("textbox", name="Write a message…")
    box.fill("Hi")
    box.press("Enter")
    page.get_by_role("button", name=answer).click()
    expect(page.get_by_text(last)).to_be_visible()


def change(made: Made) -> None:
    """A text is changed, a block takes the place of another, a third one only lies elsewhere."""
    draft = json.loads(json.dumps(made.stored()))
    nodes = {item["id"]: item for item in draft["sections"][0]["nodes"]}
    nodes["done"]["params"]["text"] = "It is confirmed."
    nodes["thanks"]["exits"]["later"] = "call"
    del nodes["bye"]
    nodes["call"] = {**node("call", "message", {"text": "We will call."}, next="end"), "title": "We call you"}
    draft["sections"][0]["nodes"] = list(nodes.values())
    places = {**{name: place for name, place in PLACES.items() if name != "bye"}, "end": [1100, 200], "call": [690, 330]}
    made.product.shell(CHANGE.format(pk=made.scenario, draft=json.dumps(draft), layout=json.dumps({"nodes": places})))


# --- figures -----------------------------------------------------------------------------------------------------------------


def test_figures_of_real_dialogues_lead_to_the_people_and_their_transcripts(
    published: Made, sign_in: Callable[..., Page], new_page: Open
) -> None:
    for answer, last in (("Confirm", "Confirmed."), ("Later", "As you like.")):
        talk(new_page(), published, answer, last)
    change(published)
    page = sign_in()
    asked: list[str] = []
    page.on("request", lambda request: note(asked, request))
    page.goto(published.address)
    expect(block(page, "thanks")).to_be_visible()
    page.get_by_role("button", name="Figures", exact=True).click()

    thanks = block(page, "thanks")
    expect(number(thanks, "visits")).to_have_text(re.compile("2$"))
    expect(number(thanks, "people")).to_have_text(re.compile("2$"))
    expect(number(thanks, "dropped")).to_have_text(re.compile("0%$"))
    expect(thanks.locator(".fb-mark")).to_contain_text("2")
    expect(block(page, "call").locator(".fb-mark")).to_contain_text("no figures yet")
    expect(page.locator(".react-flow__edge", has_text="1 · 50%")).to_have_count(1)  # "later" led to a block that is gone
    panel = page.locator(".fb-figures")
    expect(panel.locator(".fb-gone")).to_contain_text("bye")

    page.get_by_role("radio", name="Errors").press("Space")
    expect(block(page, "thanks").locator(".fb-mark")).to_contain_text("0%")
    expect(panel).to_contain_text("No errors")
    assert len(asked) == 1  # colours need no more figures

    page.locator(".react-flow__node[data-id=thanks]").focus()
    page.keyboard.press("Enter")
    row = panel.locator(".fb-ways tr", has_text="Later")
    expect(row).to_contain_text("bye (in another version): 1")
    row.locator(".fb-number").last.press("Enter")
    transcript_of(page, "As you like.", heard="Later")
    panel.get_by_label("Version").select_option("1")
    expect(number(thanks, "visits")).to_have_text(re.compile("2$"))
    assert len(asked) == 2

    page.locator(".react-flow__edge", has_text="1 · 50%").locator(".react-flow__edge-textbg").click()
    expect(page.get_by_role("dialog").locator(".fb-visits li")).to_have_count(1)
    page.keyboard.press("Escape")
    number(thanks, "people").click()
    expect(page.get_by_role("dialog").locator(".fb-visits li")).to_have_count(2)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Take the figures off the canvas").click()
    expect(page.locator(".fb-mark")).to_have_count(0)
    page.goto(f"{published.product.base_url}/admin/scenarios/scenario/{published.scenario}/analytics/?version=1&since=2026-01-01")
    page.get_by_role("link", name="Show on canvas").click()
    expect(panel.get_by_label("Version")).to_have_value("1")
    expect(panel.get_by_label("From")).to_have_value("2026-01-01")


def note(asked: list[str], request: Request) -> None:
    if re.search(r"/analytics(\?|$)", request.url):
        asked.append(request.url)


def number(of: Locator, counted: str) -> Locator:
    return of.locator(f".fb-number[data-counted={counted}]")


def transcript_of(page: Page, text: str, *, heard: str) -> None:
    """From the dialog of people to what was said at that moment."""
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".fb-visits li")).to_have_count(1)
    with page.expect_popup() as opened:
        dialog.get_by_role("link", name="Transcript").click()
    read = opened.value
    expect(read.locator(".db-bubble:target")).to_contain_text("Thank you")
    expect(read.locator(".db-chat")).to_contain_text(heard)
    expect(read.locator(".db-chat")).to_contain_text(text)
    read.close()
    dialog.get_by_role("button", name="Close").click()


def test_without_figures_the_page_says_what_to_do_also_when_they_cannot_be_had(
    make: Callable[..., Made], sign_in: Callable[..., Page], complaints: list[str]
) -> None:
    made, page = make(canvas.definition()), sign_in()
    page.goto(made.address)
    expect(block(page, "n0")).to_be_visible()
    page.route("**/analytics**", lambda route: route.abort())
    page.get_by_role("button", name="Figures", exact=True).click()
    panel = page.locator(".fb-figures")
    expect(panel).to_contain_text("The server did not answer.")
    page.unroute("**/analytics**")
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("has not been published")
    expect(block(page, "n0")).to_contain_text("no figures yet")
    complaints.clear()  # the cut connection


# --- differences -------------------------------------------------------------------------------------------------------------


def test_what_differs_is_seen_on_the_canvas_and_in_words(published: Made, sign_in: Callable[..., Page]) -> None:
    change(published)
    page = sign_in()
    page.goto(f"{published.product.base_url}/admin/scenarios/scenario/{published.scenario}/compare/")
    page.get_by_role("link", name="Show on canvas").click()
    layer = page.get_by_role("dialog", name="Differences on the canvas")
    marks = {name: "removed" if name == "bye" else "added" if name == "call" else "changed" for name in ("thanks", "done", "call", "bye")}
    for name, word in {**marks, "end": "only moved"}.items():
        expect(layer.locator(f".fb-block[data-node={name}] .fb-mark")).to_contain_text(word)
    expect(layer.locator(".fb-block[data-node=start] .fb-mark")).to_have_count(0)
    for words in ("led here before", "leads here now", "removed", "added"):
        expect(layer.locator(".react-flow__edge-text", has_text=re.compile(f"^{words}$"))).to_have_count(1)
    expect(layer.locator(".fb-tones")).to_contain_text("1 added")

    layer.get_by_role("button", name=re.compile("^changed.*done")).click()
    expect(layer.locator(".react-flow__node[data-id=done]")).to_have_class(re.compile("selected"))
    change_of = layer.locator("li[data-node=done]")
    expect(change_of.locator("del")).to_contain_text("Confirmed.")
    expect(change_of.locator("ins")).to_contain_text("It is confirmed.")
    layer.locator(".fb-block[data-node=call]").click()
    expect(layer.locator("li[data-node=call] ins").first).to_be_visible()
    layer.get_by_role("combobox", name="From").select_option("draft")
    expect(layer).to_contain_text("No differences.")
    page.keyboard.press("Escape")
    expect(layer).to_have_count(0)
    assert "show=" not in page.url


def test_after_a_look_at_the_differences_the_editing_is_as_it_was(published: Made, sign_in: Callable[..., Page]) -> None:
    page = sign_in()
    page.goto(published.address)
    block(page, "done").click()
    page.locator("#fb-title").fill("Confirmed")
    place = block(page, "done").bounding_box()
    page.get_by_role("button", name="Differences between versions").click()
    layer = page.get_by_role("dialog", name="Differences on the canvas")
    expect(layer.locator("li[data-node=done]")).to_be_visible()  # what was just written was saved first
    shown = layer.locator(".fb-block[data-node=done]").bounding_box()
    assert shown
    page.mouse.move(shown["x"] + 90, shown["y"] + 12)
    page.mouse.down()
    page.mouse.move(shown["x"] + 190, shown["y"] + 112, steps=4)
    page.mouse.up()
    page.keyboard.press("Delete")
    layer.get_by_role("button", name="Back to editing").click()
    expect(layer).to_have_count(0)
    expect(page.locator("#fb-title")).to_have_value("Confirmed")
    assert block(page, "done").bounding_box() == place
    saved(page)
    assert [item["id"] for item in made_nodes(published)] == ["start", "thanks", "done", "bye", "end"]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#fb-title")).to_have_value("")


def made_nodes(made: Made) -> list[dict[str, str]]:
    nodes: list[dict[str, str]] = made.stored()["sections"][0]["nodes"]
    return nodes
