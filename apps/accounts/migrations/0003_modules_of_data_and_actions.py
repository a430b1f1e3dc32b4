"""Delivered roles of an installation that existed before these modules get the rights that a new installation's have. Nothing else is touched."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from apps.accounts.rights import DELIVERED

NEW = ("action_jail", "datamodels")


def add_rights(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    for role in apps.get_model("accounts", "Role").objects.filter(builtin=True, key__in=DELIVERED):
        known: dict[str, Any] = role.permissions
        given = {module: DELIVERED[role.key]["permissions"].get(module) for module in NEW if module not in known}
        added = {module: verbs for module, verbs in given.items() if verbs}
        if added:
            role.permissions = {**known, **added}
            role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_roles")]

    operations = [migrations.RunPython(add_rights, migrations.RunPython.noop, elidable=False)]
