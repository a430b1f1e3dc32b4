"""Operations for migrations of tables that hold a lot and are in use."""

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import StateApps
from django.db.models import Field


def without_own_index(app: str, model: str, name: str, field: "Field[Any, Any]") -> Operation:
    """The foreign key as `field` says, without an index of its own. Django's way would make the constraint anew, which reads the whole table while
    nobody may write.
    """
    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunPython(_drop(app, model, name, ends=""), migrations.RunPython.noop)],
        state_operations=[migrations.AlterField(model, name, field)],
    )


def without_pattern_index(app: str, model: str, name: str) -> Operation:
    """The second index that Django gives to every indexed text, for searches by its beginning, for a text that is looked up whole."""
    return migrations.RunPython(_drop(app, model, name, ends="_like"), migrations.RunPython.noop)


def _drop(app: str, model: str, name: str, *, ends: str) -> Callable[[StateApps, BaseDatabaseSchemaEditor], None]:
    def drop(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        found = apps.get_model(app, model)
        table, column = found._meta.db_table, found._meta.get_field(name).column
        declared = {index.name for index in found._meta.indexes}
        with editor.connection.cursor() as cursor:
            known = editor.connection.introspection.get_constraints(cursor, table)
        for index, about in known.items():
            if about["index"] and not about["unique"] and about["columns"] == [column] and index not in declared and index.endswith(ends):
                editor.execute(f"DROP INDEX IF EXISTS {editor.quote_name(index)}")

    return drop
