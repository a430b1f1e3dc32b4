from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from apps.accounts.middleware import PersonalMiddleware
from apps.accounts.models import User


def shown_to(user: User | AnonymousUser) -> tuple[str, str]:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{translation.get_language()} {timezone.get_current_timezone_name()}")

    request = HttpRequest()
    request.user = user
    response: Any = PersonalMiddleware(view)(request)
    language, _space, zone = response.content.decode().partition(" ")
    return language, zone


@pytest.mark.parametrize(
    ("language", "zone", "expected"),
    [
        ("ru", "Asia/Tashkent", ("ru", "Asia/Tashkent")),
        ("", "Europe/Kyiv", ("en", "Europe/Kyiv")),
        ("ru", "", ("ru", "UTC")),
        ("", "Mars/Base", ("en", "UTC")),
        ("", "", ("en", "UTC")),
    ],
)
def test_pages_are_shown_as_a_person_chose(language: str, zone: str, expected: tuple[str, str]) -> None:
    assert shown_to(User(language=language, timezone=zone)) == expected
    assert (translation.get_language(), timezone.get_current_timezone_name()) == ("en", "UTC")


def test_nobody_gets_the_servers_choice() -> None:
    assert shown_to(AnonymousUser()) == ("en", "UTC")


async def test_it_works_under_asgi() -> None:
    async def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(timezone.get_current_timezone_name())

    async def who() -> User:
        return User(timezone="Asia/Tashkent")

    request = HttpRequest()
    request.auser = who
    response: Any = await PersonalMiddleware(view)(request)  # type: ignore[misc]
    assert response.content == b"Asia/Tashkent"


@pytest.mark.django_db
def test_the_admin_speaks_the_persons_language(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", None, "x", language="ru"))
    assert 'lang="ru"' in client.get(reverse("admin:accounts_user_changelist")).content.decode()
