from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import Role, RoleAssignment, User
from apps.bots.models import Bot

MakeUser = Callable[..., User]


@pytest.fixture
def shop(db: None) -> Bot:
    return Bot.objects.create(name="Shop")


@pytest.fixture
def bank(db: None) -> Bot:
    return Bot.objects.create(name="Bank")


@pytest.fixture
def staff(db: None) -> MakeUser:
    """A member of staff with roles by key, for all bots or for the given ones."""

    def make(*roles: str, bots: list[Bot] | None = None, name: str = "anna") -> User:
        user = User.objects.create_user(name, password="a long passphrase", is_staff=True)
        for key in roles:
            RoleAssignment.objects.create(
                user=user,
                role=Role.objects.get(key=key),
                all_bots=bots is None,
                bot_ids=[bot.pk for bot in bots or []],
            )
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def nobody() -> AnonymousUser:
    return AnonymousUser()
