"""A person subscribes a system to events, sends a test event, sees the delivery and sends it once more; the real sender delivers."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook

from tests.browser.stage import Stage
from tests.browser.test_admin import window
from tests.events.webhooks.receiving import Receiver, receiving, until

__all__ = ["window"]
pytestmark = pytest.mark.timeout(240)
ALLOW = """
from apps.core.models import AllowedAddress
AllowedAddress.objects.get_or_create(target="127.0.0.1", port={port}, defaults={{"note": "the receiver of the test"}})
print("null")
"""


@pytest.fixture
def receiver(product: Stage) -> Iterator[Receiver]:
    with receiving() as known:
        product.shell(ALLOW.format(port=known.url.split(":")[2].split("/")[0]))
        yield known


def test_a_subscription_is_made_tested_looked_at_and_replayed(window: Page, product: Stage, receiver: Receiver) -> None:
    window.goto(f"{product.base_url}/admin/events/subscription/add/")
    window.locator("#id_name").fill("Data store")
    window.locator("#id_url").fill(receiver.url)
    window.locator("label", has_text="Message from the client").first.click()
    window.get_by_role("button", name="Save", exact=True).click()
    secret = window.locator("text=/whsec_[A-Za-z0-9+\\/=]{20,}/").first.inner_text().strip()
    expect(window.get_by_text("The address has answered the challenge")).to_be_visible()

    window.get_by_role("link", name="To the subscription").click()
    window.get_by_role("button", name="Send a test event").click()
    expect(window.get_by_text("A test event is on its way")).to_be_visible()
    until(lambda: receiver.got, seconds=20)
    told = Webhook(re.search(r"whsec_[A-Za-z0-9+/=]+", secret)[0]).verify(receiver.got[0].body, receiver.got[0].headers)  # type: ignore[index]
    assert (told["type"], told["data"]["test"]) == ("webhook.test", True)

    window.reload()
    window.get_by_role("link", name="Test event").first.click()
    expect(window.get_by_text("delivered", exact=False).first).to_be_visible()
    expect(window.get_by_role("heading", name="Attempts")).to_be_visible()
    window.get_by_role("button", name="Send once more").click()
    until(lambda: len(receiver.got) == 2, seconds=20)
    assert receiver.got[1].headers["webhook-id"] == receiver.got[0].headers["webhook-id"]
    assert json.loads(receiver.got[1].body) == told
