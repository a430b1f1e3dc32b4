"""A record of a model, by its number."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike, Options
from apps.customdata.widgets import ChooseRow


class RelationOptions(Options):
    table: int = Field(title=gettext_noop("Model"), gt=0, json_schema_extra={"x-role": "table"})
    on_delete: str = Field(
        "refuse",
        pattern="^(refuse|empty)$",
        title=gettext_noop("When the other record is deleted"),
        json_schema_extra={"x-choices": [["refuse", gettext_noop("refuse to delete it")], ["empty", gettext_noop("empty this field")]]},
    )


class Relation(FieldKind):
    kind = "relation"
    label = _("Link to a record")
    icon = "link"
    column = "bigint"
    operators = ("eq", "ne", "in", "empty")
    refers = True
    Options = RelationOptions

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.BigIntegerField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=ChooseRow(field), **common)

    def clean(self, field: FieldLike, value: Any) -> int | None:
        return None if reading.empty(value) else reading.row_id(value)

    def show(self, field: FieldLike, value: int | None) -> str:
        return "" if value is None else f"#{value}"
