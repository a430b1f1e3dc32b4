"""A file of 10,000 rows becomes a model: uploaded, checked, loaded, filtered, read by the API and by SQL, in a browser and with real processes."""

import json
import os
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.stage import ADMIN, PASSWORD, Stage

pytestmark = pytest.mark.timeout(300)
ROWS = 10_000
TOKEN = "import json\nfrom apps.gateway import tokens\nprint(json.dumps(tokens.issue(name='BI', data=['stores:read'])[1]))"


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
        page.screenshot(path=Path(folder) / f"import-{name}.png", full_page=True)


def file_of(folder: Path) -> Path:
    """As a spreadsheet in Russian writes it: Windows-1251, semicolons, decimal commas; two rows with mistakes."""
    path = folder / "магазины.csv"
    lines = [
        f'{number};Рига {number % 100};{number % 28 + 1:02}.11.2026;"{number},50";{"да" if number % 2 else "нет"}'
        for number in range(1, ROWS + 1)
    ]
    lines[1499] = "1500;Рига;31.02.2026;1,5;да"
    lines[2999] = "7;Рига;01.11.2026;1,5;да"
    path.write_bytes("\r\n".join(["Номер;Город;Открыт;Оборот;Работает", *lines, ""]).encode("cp1251"))
    return path


def test_ten_thousand_rows_from_a_file_to_the_api_and_sql(product: Stage, window: Page, tmp_path: Path) -> None:
    page = window
    page.goto(f"{product.base_url}/admin/imports/importjob/add/")
    page.get_by_label("Into the model").select_option("+")
    page.get_by_label("Name of the new model").fill("Stores")
    page.locator("input[type=file]").set_input_files(file_of(tmp_path))
    look(page, "upload")
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_label("Type of Открыт")).to_have_value("date")
    expect(page.get_by_label("Type of Оборот")).to_have_value("number")
    page.get_by_label("Номер is the key").check()
    look(page, "new-model")
    page.get_by_role("button", name="Make the model").click()
    expect(page.get_by_role("button", name="Check every cell")).to_be_visible()
    look(page, "columns")
    page.get_by_role("button", name="Check every cell").click()
    expect(page.get_by_role("button", name="Load the 9998 good rows")).to_be_visible(timeout=60_000)
    expect(page.locator("tbody tr")).to_have_count(2)
    look(page, "report")
    page.get_by_role("button", name="Load the 9998 good rows").click()
    expect(page.locator("#import-state")).to_have_text("Loaded", timeout=60_000)
    look(page, "done")

    page.goto(f"{product.base_url}/admin/data/stores/?q=42")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("Рига 42")
    look(page, "list")

    token = product.shell(TOKEN)
    query = "filter%5Bgorod%5D=%D0%A0%D0%98%D0%93%D0%90%2042&filter%5Boborot%5D%5Bgte%5D=9000&sort=nomer&limit=5"
    request = urllib.request.Request(f"{product.base_url}/api/v1/data/stores/records?{query}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
        found = json.load(answer)["results"]
    assert [(one["nomer"], one["otkryt"], one["oborot"], one["rabotaet"]) for one in found[:2]] == [
        (9042, "2026-11-27", 9042.5, False),
        (9142, "2026-11-15", 9142.5, False),
    ]
    assert read_by_sql(product, "SELECT count(*), sum(oborot), min(otkryt)::text FROM bi.stores") == [
        (ROWS - 2, sum(number + 0.5 for number in range(1, ROWS + 1) if number not in (1500, 3000)), "2026-11-01")
    ]


def read_by_sql(product: Stage, statement: str) -> list[tuple[object, ...]]:
    given = urlsplit(product.env["DATABASE_URL"])
    database = {"host": unquote(given.hostname or ""), "user": given.username, "dbname": given.path.lstrip("/"), "password": given.password}
    with psycopg.connect(**database, port=given.port) as connection:  # type: ignore[arg-type]
        return [(row[0], float(row[1]), row[2]) for row in connection.execute(statement).fetchall()]
