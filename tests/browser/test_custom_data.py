"""A business user makes a model, fills it, works with its records and uses it in a scenario, in a browser under the real content security policy."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import ADMIN, PASSWORD, Stage

pytestmark = pytest.mark.timeout(300)
SCENARIO = """
import json
from apps.customdata import structure
from apps.scenarios.actions.custom_modules__set import Set, SetParams
from apps.scenarios.action import ActionContext
context = ActionContext(bot_id=1, person_id=None, lead_id=None, conversation_id=None, session_id=None, trace_id="t" * 32, idempotency_key="k")
structure.forget()
result = Set().run(context, SetParams(model="complaints", values={"subject": "From the bot", "status": "new"}))
print(json.dumps([result.exit, result.values["constants.complaint_id"]]))
"""


@pytest.fixture
def window(product: Stage, new_page: Open) -> Page:
    page = new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{product.base_url}/admin/login/?next=/admin/")
    page.locator("input[name=username]").fill(ADMIN)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.get_by_role("heading", name="Start page")).to_be_visible()
    return page


def look(page: Page, name: str) -> None:
    """A picture for whoever wants to see the pages (PICTURES names a folder)."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def add_field(page: Page, kind: str, name: str) -> None:
    page.locator(f"#designer-kinds [data-kind={kind}]").click()
    card = page.locator(".db-field").last
    card.locator("[data-set=name]").fill(name)
    expect(card.locator("[data-set=alias]")).not_to_have_value("")


def test_from_a_new_model_to_a_record_of_a_scenario(product: Stage, window: Page) -> None:
    page = window
    page.goto(f"{product.base_url}/admin/customdata/table/add/")
    page.locator("#d-name").fill("Complaints")
    expect(page.locator("#d-alias")).to_have_value("complaints")
    add_field(page, "text", "Subject")
    page.locator(".db-field").last.locator("[data-set=required]").check()
    add_field(page, "choice", "Status")
    card = page.locator(".db-field").last
    card.locator("textarea").fill("new | New\ndone | Done")
    card.locator("[data-set=in_filter]").check()
    add_field(page, "number", "Amount")
    add_field(page, "phone", "Phone")
    page.locator(".db-field").last.locator("[data-set=personal]").check()
    look(page, "designer")
    page.locator(".db-field").last.locator("summary").press("Alt+ArrowUp")
    page.get_by_role("button", name="Make the model").click()
    expect(page).to_have_url(f"{product.base_url}/admin/data/complaints/")
    look(page, "empty")

    page.goto(f"{product.base_url}/admin/data/complaints/add/")
    page.get_by_label("Subject").fill("Broken screen")
    page.get_by_label("Amount").fill("12")
    page.get_by_label("Phone").fill("+38 050 111 22 33")
    page.get_by_label("Status").select_option("new")
    look(page, "form")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.locator("#result_list tbody tr").first
    expect(row).to_contain_text("Broken screen")
    expect(row).to_contain_text("+380*******33")

    cell = row.locator(".db-cell").first
    expect(cell).to_have_text("Broken screen")
    cell.click()
    cell.locator("input[type=text]").fill("Broken display")
    look(page, "cell")
    cell.locator("input[type=text]").press("Enter")
    expect(page.locator(".db-cell", has_text="Broken display")).to_be_visible()

    made, number = product.shell(SCENARIO)
    assert made == "saved"
    page.goto(f"{product.base_url}/admin/data/complaints/?status=new")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    look(page, "list")
    page.goto(f"{product.base_url}/admin/data/complaints/{number}/history/")
    expect(page.locator("main, body").first).to_contain_text("From the bot")
    look(page, "history")


def test_a_filled_field_changes_its_type_and_comes_back(product: Stage, window: Page) -> None:
    page = window
    made = product.shell(
        "import json\n"
        "from apps.customdata import designing, records\n"
        "from apps.customdata.designing import FieldSpec\n"
        "from apps.customdata.noting import SYSTEM\n"
        "table = designing.create_table(name='Shops', fields=[FieldSpec('Name'), FieldSpec('Floor')])\n"
        "records.create_many(table, [{'name': f'Shop {n}', 'floor': 'ground' if n == 3 else str(n)} for n in range(5)], by=SYSTEM)\n"
        "print(json.dumps(table.pk))\n"
    )
    page.goto(f"{product.base_url}/admin/customdata/table/{json.dumps(made)}/change/")
    card = page.locator(".db-field").nth(1)
    card.locator("summary").click()
    card.locator("[data-set=kind]").select_option("number")
    page.get_by_role("button", name="Save", exact=True).click()
    changes = page.locator("#changes")
    expect(changes).to_contain_text("4 convert, 1 do not")
    expect(changes).to_contain_text("ground")
    look(page, "changes")
    changes.get_by_role("button", name="Convert").click()
    expect(changes).to_contain_text("converted; old values are kept")
    changes.get_by_role("button", name="Undo").click()
    expect(page.locator("body")).to_contain_text("Undone: everything is as it was")
    page.goto(f"{product.base_url}/admin/data/shops/")
    expect(page.locator("#result_list")).to_contain_text("ground")
