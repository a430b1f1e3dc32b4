"""Who sees which page: every role, every list and page, rows of the own bot and of another (security.md 5)."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.accounts.rights import DELIVERED
from tests.admin.conftest import change, listing
from tests.admin.world import World

pytestmark = pytest.mark.django_db

MODULES = {
    "bots.Bot": "bots",
    "bots.Channel": "channels",
    "identity.Person": "people",
    "identity.Lead": "people",
    "identity.ConnectLink": "people",
    "scenarios.Scenario": "scenarios",
    "scenarios.ScenarioVersion": "scenarios",
    "scenarios.SavedTest": "scenarios",
    "scenarios.CustomAction": "action_jail",
    "scenarios.CustomActionVersion": "action_jail",
    "scenarios.Session": "operations",
    "conversations.Conversation": "operations",
    "conversations.Message": "operations",
    "conversations.Update": "operations",
    "conversations.Call": "operations",
    "gateway.Endpoint": "integration",
    "events.Event": "events",
    "events.Subscription": "integration",
    "events.Delivery": "integration",
}
SignIn = Callable[..., Client]


@pytest.mark.parametrize("role", sorted(DELIVERED))
def test_a_role_sees_the_rows_of_its_bots_and_of_no_other(role: str, signed_in: SignIn, shop: World, bank: World) -> None:
    browser = signed_in(role, bots=[shop.bot])
    allowed = Role.objects.get(key=role).permissions
    for label, module in MODULES.items():
        own, foreign = shop.rows[label], bank.rows[label]
        sees = "view" in allowed.get(module, [])
        shown = browser.get(listing(label))
        assert (label, shown.status_code) == (label, 200 if sees else 403)
        assert (label, browser.get(change(own)).status_code) == (label, 200 if sees else 403)
        assert (label, browser.get(change(foreign)).status_code) == (label, 302 if sees else 403)
        if sees:
            text = shown.content.decode()
            assert (label, f"{change(own)}" in text, f'{change(foreign)}"' in text) == (label, True, False)


@pytest.mark.parametrize("role", sorted(DELIVERED))
def test_a_role_without_the_right_to_edit_gets_no_button_to_save(role: str, signed_in: SignIn, shop: World) -> None:
    browser = signed_in(role, bots=[shop.bot])
    allowed = Role.objects.get(key=role).permissions
    for label in ("bots.Channel", "identity.Person", "scenarios.Scenario", "gateway.Endpoint"):
        verbs = allowed.get(MODULES[label], [])
        if "view" in verbs:
            text = browser.get(change(shop.rows[label])).content.decode()
            assert (label, 'name="_save"' in text) == (label, "edit" in verbs)


def test_lists_offer_only_own_bots_as_filter(signed_in: SignIn, shop: World, bank: World) -> None:
    third = bank.bot.__class__.objects.create(name="Third")
    text = signed_in("admin", bots=[shop.bot, third]).get(listing("events.Event")).content.decode()
    assert (f'<option value="{shop.bot.pk}">' in text, f'<option value="{bank.bot.pk}">' in text) == (True, False)


def test_nobody_without_a_role_sees_anything(signed_in: SignIn, shop: World) -> None:
    browser = signed_in()
    assert {browser.get(listing(label)).status_code for label in MODULES} == {403}
    assert browser.get("/admin/").status_code == 200
