"""The schema of the records and the comparison of texts without case; the new module of rights for roles that are there already."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# The first that the server has: built in since PostgreSQL 17, of the C library, of ICU; all of them know every script.
COLLATIONS = ("pg_c_utf8", "C.utf8", "und-x-icu")
MODULE = "datamodels"
VERBS = {"admin": ["view", "edit", "delete"], "integrator": ["view", "edit", "delete"], "communications_manager": ["view", "edit"]}


def make_schema(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT collname FROM pg_collation WHERE collname = ANY(%s)", [list(COLLATIONS)])
        there = {name for (name,) in cursor.fetchall()}
        collation = next((f'COLLATE pg_catalog."{name}"' for name in COLLATIONS if name in there), "")
        cursor.execute("CREATE SCHEMA IF NOT EXISTS records")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION records.fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE "
            f"AS $$ SELECT pg_catalog.lower($1 {collation}) $$"
        )


def give_right(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    role: Any = apps.get_model("accounts", "Role")
    for delivered in role.objects.filter(key__in=VERBS, builtin=True):
        if MODULE not in delivered.permissions:
            delivered.permissions = {**delivered.permissions, MODULE: VERBS[delivered.key]}
            delivered.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("customdata", "0001_initial"), ("accounts", "0002_roles")]

    operations = [
        migrations.RunPython(make_schema, migrations.RunPython.noop),
        migrations.RunPython(give_right, migrations.RunPython.noop),
    ]
