"""The six delivered roles (PL-1). An installation edits them as it likes; a later migration never overwrites them."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from apps.accounts.rights import DELIVERED


def add_roles(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    role: Any = apps.get_model("accounts", "Role")
    for key, delivered in DELIVERED.items():
        role.objects.get_or_create(key=key, defaults={**delivered, "builtin": True})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(add_roles, migrations.RunPython.noop, elidable=False)]
