"""The class of a table's records: an unmanaged Django model in an app registry of its own, made anew when the structure changes.

Attributes: `id`, `version`, `created_at`, `updated_at`, and `f_<field id>` for each field, whatever its alias and column are; a personal field
has `f_<id>_x`, the digest of its value. The class knows its `table`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.apps.registry import Apps
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.customdata.columns import SealedColumn
from apps.customdata.models import Field, Table
from apps.customdata.storage import django_name

APP_LABEL = "customdata"
_KEPT = "_record_class"


class RecordBase(models.Model):
    """What all records have; `table` is on the class."""

    table: ClassVar[Table]
    access_module = "customdata"
    bot_lookup = None

    unnamed = False  # set on a record for a reader who may not see the field that names it

    id = models.BigAutoField(primary_key=True)
    version = models.IntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        managed = False

    def __str__(self) -> str:
        title = None if self.unnamed else self.table.title
        value = getattr(self, title.attribute) if title else None
        return title.type.show(title, value)[:100] if title and value is not None else f"#{self.pk}"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def model_of(table: Table) -> type[RecordBase]:
    """The class of this very picture of the table; the same object for everybody who shares the picture (`structure.tables`)."""
    known: type[RecordBase] | None = table.__dict__.get(_KEPT)
    if known is None:
        known = table.__dict__[_KEPT] = _build(table)
    return known


def _build(table: Table) -> type[RecordBase]:
    return _class(table, table.fields, {})


def _class(table: Table, fields: Iterable[Field], more: dict[str, Any]) -> type[RecordBase]:
    attributes: dict[str, Any] = {"__module__": __name__, "table": table, **more}
    for field in fields:
        attributes |= _columns(field)
    registry = Apps()
    meta = {
        "apps": registry,
        "app_label": APP_LABEL,
        "managed": False,
        "db_table": django_name(table),
        "verbose_name": gettext_lazy("record"),
        "verbose_name_plural": table.name,
        "ordering": ["-id"],
    }
    attributes["Meta"] = type("Meta", (), meta)
    made = type(table.relation, (RecordBase,), attributes)
    registry.app_configs[APP_LABEL] = apps.get_app_config(APP_LABEL)  # pages ask for the app's name
    return made


def _columns(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {field.attribute: column_field(field)}
    if field.personal:
        found[field.digest_attribute] = models.TextField(null=True, editable=False, db_column=field.digest_column)
    return found


def with_kept_columns(table: Table, kept: Iterable[Any]) -> type[RecordBase]:
    """The class with further encrypted columns: of removed fields and of former types whose values are kept."""
    members = {f"kept_{column.column}": column_field(column) for column in kept}
    return _class(table, [*table.fields], members)


def column_field(field: Any) -> "models.Field[Any, Any]":
    """The field's (or `converting.Shape`'s) column as a model field."""
    common: dict[str, Any] = {"null": True, "blank": True, "verbose_name": field.name, "db_column": field.column}
    if field.personal:
        return SealedColumn(kind=field.type, declared=field, **common)
    made: models.Field[Any, Any] = field.type.model_field(field, **common)
    return made
