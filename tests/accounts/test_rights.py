from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import Role, User
from apps.accounts.modules import MODULES
from apps.accounts.rights import DELIVERED, clean_permissions


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ({}, {}),
        ({"bots": ["view"]}, {"bots": ["view"]}),
        ({"bots": ["delete"]}, {"bots": ["view", "delete"]}),
        ({"people": ["edit", "view"], "bots": []}, {"people": ["view", "edit"]}),
    ],
)
def test_rights_are_brought_into_one_form(given: Any, clean: dict[str, list[str]]) -> None:
    assert clean_permissions(given) == clean


@pytest.mark.parametrize(
    "given", [None, [], "all", {"nothing": ["view"]}, {"bots": "view"}, {"bots": ["fly"]}, {"bots": [["view"]]}, {"bots": True}]
)
def test_other_rights_are_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        clean_permissions(given)


@pytest.mark.parametrize("key", DELIVERED)
def test_delivered_roles_are_in_that_form_and_in_the_database(db: None, key: str) -> None:
    delivered = DELIVERED[key]
    assert clean_permissions(delivered["permissions"]) == {
        name: delivered["permissions"][name] for name in MODULES if name in delivered["permissions"]
    }
    role = Role.objects.get(key=key)
    assert (role.name, role.builtin, role.permissions) == (delivered["name"], True, delivered["permissions"])


def test_an_e_mail_is_unique_without_regard_to_case_and_may_be_missing(db: None) -> None:
    first = User(username="anna", email="Anna@Example.com")
    first.set_password("x")
    first.full_clean()
    first.save()
    assert first.email == "anna@example.com"
    with pytest.raises(ValidationError, match="already exists"):
        User(username="boris", email="anna@EXAMPLE.com", password="x").full_clean()
    for name in ("c", "d"):
        User.objects.create_user(name)
    assert User.objects.filter(email=None).count() == 2


def test_signing_in_makes_no_history_and_a_change_does(db: None) -> None:
    user = User.objects.create_user("anna")
    user.save(update_fields=["last_login"])
    assert user.history.count() == 1
    user.display_name = "Anna"
    user.save(update_fields=["display_name"])
    assert user.history.count() == 2
    assert not {"password", "last_login"} & {field.name for field in user.history.model._meta.fields}
