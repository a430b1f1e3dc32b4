"""Search by likeness where the server offers it and lets us: pg_trgm. Without it, search goes by words."""

from django.db import InternalError, ProgrammingError, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def install(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if not cursor.fetchone():
            return
        try:
            with transaction.atomic(using=editor.connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except (ProgrammingError, InternalError):
            return  # not ours to install: the owner of the server may


class Migration(migrations.Migration):
    dependencies = [("imports", "0002_schema")]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
