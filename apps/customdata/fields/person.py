"""A person: a client of one of the bots, by the person's number."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike
from apps.customdata.widgets import ChooseRow


class PersonLink(FieldKind):
    kind = "person"
    label = _("Link to a person")
    icon = "person"
    column = "bigint"
    operators = ("eq", "ne", "in", "empty")
    refers = True

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.BigIntegerField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=ChooseRow(field), **common)

    def clean(self, field: FieldLike, value: Any) -> int | None:
        return None if reading.empty(value) else reading.row_id(value)

    def show(self, field: FieldLike, value: int | None) -> str:
        return "" if value is None else f"#{value}"
