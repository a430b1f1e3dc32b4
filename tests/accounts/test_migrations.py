"""Installations that existed before a module was added."""

import importlib

import pytest
from django.apps import apps

from apps.accounts.models import Role
from apps.accounts.rights import DELIVERED

pytestmark = pytest.mark.django_db
add_rights = importlib.import_module("apps.accounts.migrations.0003_modules_of_data_and_actions").add_rights


def test_delivered_roles_get_the_rights_of_new_modules_and_keep_their_own() -> None:
    Role.objects.all().delete()
    Role.objects.create(key="integrator", name="Integrator", builtin=True, permissions={"scenarios": ["view"]})
    Role.objects.create(key="operator", name="Operator", builtin=True, permissions={"desk": ["view", "edit"]})
    Role.objects.create(key="interns", name="Interns", permissions={"scenarios": ["view"]})
    for _twice in range(2):
        add_rights(apps, None)
    assert dict(Role.objects.values_list("key", "permissions")) == {
        "integrator": {"scenarios": ["view"], "action_jail": ["view", "edit", "delete"], "datamodels": ["view", "edit", "delete"]},
        "operator": {"desk": ["view", "edit"]},
        "interns": {"scenarios": ["view"]},
    }
    assert "datamodels" not in DELIVERED["operator"]["permissions"]
