"""A day of the calendar."""

from datetime import date
from typing import Any

from django import forms
from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike


class Date(FieldKind):
    kind = "date"
    label = _("Date")
    icon = "event"
    column = "date"
    operators = ("eq", "ne", "gt", "gte", "lt", "lte", "empty")
    personal = True

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.DateField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), **common)

    def clean(self, field: FieldLike, value: Any) -> date | None:
        return None if reading.empty(value) else reading.day(value)

    def dump(self, field: FieldLike, value: date | None) -> str | None:
        return None if value is None else value.isoformat()

    def show(self, field: FieldLike, value: date | None) -> str:
        return "" if value is None else date_format(value, "Y-m-d")
