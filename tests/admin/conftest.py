from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from tests.admin.world import World, make_staff, make_world

Act = Callable[..., Any]


@pytest.fixture
def shop(db: None) -> World:
    return make_world("Shop")


@pytest.fixture
def bank(db: None) -> World:
    return make_world("Bank", user_id="77")


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password="a long passphrase")


@pytest.fixture
def page(client: Client, owner: User) -> Client:
    """A browser in which the owner of the installation is signed in."""
    client.force_login(owner)
    return client


@pytest.fixture
def signed_in(client: Client) -> Callable[..., Client]:
    """A browser in which staff with these roles is signed in: `signed_in("operator", bots=[bot])`."""

    def sign_in(*roles: str, **more: Any) -> Client:
        client.force_login(make_staff(*roles, **more))
        return client

    return sign_in


def change(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def listing(label: str) -> str:
    return reverse(f"admin:{label.lower().replace('.', '_')}_changelist")


def act(row: Any, name: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_act", args=[row.pk, name])


def told(response: Any) -> list[str]:
    """The messages that the next page shows."""
    return [str(message) for message in response.context["messages"]]
