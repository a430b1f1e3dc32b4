"""A real browser and the real product; both are started once for all tests of this folder."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.pages import Served, serve
from tests.browser.stage import Stage, stage
from tools import chromium

SHOP, LOOK_ALIKE = "shop.example", "shop.example.evil.test"
WAIT_MS = 30_000  # a busy machine makes the product slow; how fast it is, other tests say
Open = Callable[..., Page]
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.fixture(scope="session")
def shop_pages() -> Iterator[Served]:
    """Pages of a shop, reached under an allowed name and under one that only looks like it."""
    with serve() as served:
        yield served


@pytest.fixture(scope="session")
def browser(shop_pages: Served) -> Iterator[Browser]:
    path = chromium.find()
    assert path, "No Chromium was found. Install Chromium or Chrome, or set CHROMIUM to its path."
    names = ", ".join(f"MAP {name} 127.0.0.1:{shop_pages.port}" for name in (SHOP, LOOK_ALIKE))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--host-resolver-rules={names}"],
        )
        yield opened
        opened.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said in errors; tests that expect some clear it."""
    return []


@pytest.fixture
def new_page(browser: Browser, complaints: list[str]) -> Iterator[Open]:
    """Opens pages of browsers that share nothing; a script error in any of them fails the test."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options})
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
