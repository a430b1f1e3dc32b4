import datetime as dt

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.sign_in import check_address
from apps.core.models import AuditEntry
from tests.accounts.conftest import MakeUser

PASSWORD = "a long passphrase"
pytestmark = pytest.mark.django_db


def sign_in(client: Client, password: str, *, name: str = "anna", address: str = "10.1.1.1") -> int:
    response = client.post(reverse("admin:login"), {"username": name, "password": password}, REMOTE_ADDR=address)
    return response.status_code


def test_the_sign_in_page_is_shown(client: Client) -> None:
    response = client.get(reverse("admin:login"))
    assert response.status_code == 200
    assert b'name="password"' in response.content


def test_signing_in_and_out_leaves_a_trail(client: Client, staff: MakeUser) -> None:
    user = staff("analyst")
    assert sign_in(client, PASSWORD) == 302
    client.post(reverse("admin:logout"), REMOTE_ADDR="10.1.1.1")
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "user", "object_id", "ip_address"))
    assert entries == [
        ("accounts.signed_in", user.pk, str(user.pk), "10.1.1.1"),
        ("accounts.signed_out", user.pk, str(user.pk), "10.1.1.1"),
    ]
    assert user.history.count() == 1


def test_five_wrong_passwords_lock_the_name_for_that_address_only(client: Client, staff: MakeUser, settings: Settings) -> None:
    staff("analyst")
    staff("analyst", name="boris")
    codes = [sign_in(client, "wrong") for _time in range(settings.AXES_FAILURE_LIMIT)]
    assert codes == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    assert sign_in(client, PASSWORD) == 429
    assert sign_in(Client(), PASSWORD, name="boris") == 302
    assert sign_in(Client(), PASSWORD, address="10.1.1.2") == 302


def test_the_locked_page_says_what_to_do_and_the_lock_ends(client: Client, staff: MakeUser, settings: Settings) -> None:
    staff("analyst")
    for _time in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, "wrong")
    response = client.post(reverse("admin:login"), {"username": "anna", "password": PASSWORD}, REMOTE_ADDR="10.1.1.1")
    assert response.status_code == 429
    assert "Try again in 15 minutes, or ask an administrator to unlock you." in response.content.decode()
    assert response.headers["Retry-After"] == "900"
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=16)):
        assert sign_in(client, PASSWORD) == 302


def test_one_address_cannot_try_many_names(client: Client, staff: MakeUser, settings: Settings) -> None:
    settings.SIGN_IN_TRIES_PER_ADDRESS = 3
    staff("analyst")
    assert [sign_in(client, "wrong", name=f"name{number}") for number in range(3)] == [200] * 3
    assert sign_in(client, PASSWORD) != 302
    assert sign_in(Client(), PASSWORD, address="10.1.1.2") == 302


def test_without_a_request_the_address_is_not_asked(staff: MakeUser) -> None:
    check_address(None)
    user = staff("analyst")
    assert authenticate(RequestFactory().post("/"), username="anna", password=PASSWORD) == user


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_who_may_not_enter_stays_outside(client: Client, staff: MakeUser, change: dict[str, bool]) -> None:
    user = staff("admin")
    User.objects.filter(pk=user.pk).update(**change)
    assert sign_in(client, PASSWORD) == 200
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_person_without_a_role_sees_an_empty_admin(client: Client, staff: MakeUser) -> None:
    client.force_login(staff())
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 403
    assert client.get(reverse("admin:bots_bot_changelist")).status_code == 403
