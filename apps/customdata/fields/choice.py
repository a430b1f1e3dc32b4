"""One of the given values."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.customdata import choosing, reading
from apps.customdata.fieldtype import FieldKind, FieldLike


class Choice(FieldKind):
    kind = "choice"
    label = _("Choice")
    icon = "radio_button_checked"
    operators = ("eq", "ne", "in", "empty")
    unique = False
    Options = choosing.ChoiceOptions

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.TextField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.ChoiceField(choices=[("", "–"), *choosing.pairs(field)], widget=UnfoldAdminSelectWidget, **common)

    def clean(self, field: FieldLike, value: Any) -> str | None:
        return None if reading.empty(value) else choosing.value_of(field, value)

    def show(self, field: FieldLike, value: str | None) -> str:
        return "" if value is None else choosing.label_of(field, value)
