"""The class of a table's records: an unmanaged Django model in an app registry of its own, made anew when the structure changes.

Attributes: `id`, `version`, `created_at`, `updated_at`, and `f_<field id>` for each field, whatever its alias and column are; a personal field
has `f_<id>_x`, the digest of its value. The class knows its `table`.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django.apps.registry import Apps
from django.db import models
from django.utils import timezone

from apps.customdata.columns import SealedColumn
from apps.customdata.models import Field, Table
from apps.customdata.storage import django_name

APP_LABEL = "data"
_classes: dict[int, tuple[int, type["RecordBase"]]] = {}


class RecordBase(models.Model):
    """What all records have; `table` is on the class."""

    table: ClassVar[Table]
    access_module = "customdata"
    bot_lookup = None

    id = models.BigAutoField(primary_key=True)
    version = models.IntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        managed = False

    def __str__(self) -> str:
        title = self.table.title
        value = getattr(self, title.attribute) if title else None
        return title.type.show(title, value)[:100] if title and value is not None else f"#{self.pk}"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def model_of(table: Table) -> type[RecordBase]:
    """The present class; the same object as long as the table's version is the same."""
    known = _classes.get(table.pk)
    if known is None or known[0] != table.version:
        known = _classes[table.pk] = (table.version, _build(table))
    return known[1]


def _build(table: Table) -> type[RecordBase]:
    attributes: dict[str, Any] = {"__module__": __name__, "table": table}
    for field in table.fields:
        attributes |= _columns(field)
    meta = {
        "apps": Apps(),
        "app_label": APP_LABEL,
        "managed": False,
        "db_table": django_name(table),
        "verbose_name": table.name,
        "verbose_name_plural": table.name,
        "ordering": ["-id"],
    }
    attributes["Meta"] = type("Meta", (), meta)
    return type(table.relation, (RecordBase,), attributes)


def _columns(field: Field) -> dict[str, Any]:
    common: dict[str, Any] = {"null": True, "blank": True, "verbose_name": field.name, "db_column": field.column}
    if not field.personal:
        return {field.attribute: field.type.model_field(field, **common)}
    return {
        field.attribute: SealedColumn(kind=field.type, declared=field, **common),
        field.digest_attribute: models.TextField(null=True, editable=False, db_column=field.digest_column),
    }
