from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.rights import DELIVERED
from apps.bots.models import Bot
from apps.scenarios.models import Scenario
from tests.making import make_bot
from tests.scenarios.definitions import thank_you
from tests.scenarios.making import make_scenario

Save = Callable[..., Any]


@pytest.fixture
def bot(db: None) -> Bot:
    return make_bot(name="Shop")


@pytest.fixture
def scenario(bot: Bot) -> Scenario:
    return make_scenario(bot, thank_you(), key="thank-you", publish=False)


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password="a long passphrase", first_name="Anna")


@pytest.fixture
def page(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def address(scenario: Scenario, what: str) -> str:
    return f"/api/scenarios/{scenario.pk}/{what}"


def save(page: Client, scenario: Scenario, definition: Any, *, revision: object = 1, layout: Any = None, base: Any = None) -> Any:
    headers = {} if revision is None else {"If-Match": f'"{revision}"'}
    body = {"definition": definition, "layout": layout or {}, **({"base": {"definition": base, "layout": {}}} if base else {})}
    return page.put(address(scenario, "draft"), body, content_type="application/json", headers=headers)


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A browser of somebody with one role: `staff("analyst")`, for some bots: `staff("integrator", all_bots=False, bot_ids=[1])`."""

    def sign_in(role: str, *, is_staff: bool = True, **assignment: Any) -> Client:
        known, _made = Role.objects.get_or_create(key=role, defaults=DELIVERED[role])
        user = User.objects.create_user(f"{role}-{User.objects.count()}", password="x")
        User.objects.filter(pk=user.pk).update(is_staff=is_staff)
        RoleAssignment.objects.create(user=user, role=known, **{"all_bots": True, **assignment})
        browser = Client()
        browser.force_login(user)
        return browser

    return sign_in
