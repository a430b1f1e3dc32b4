"""Several of the given values."""

from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.customdata import choosing, reading
from apps.customdata.fieldtype import FieldKind, FieldLike


class Choices(FieldKind):
    kind = "choices"
    label = _("Multiple choice")
    icon = "checklist"
    column = "text[]"
    operators = ("has", "has_any", "has_all", "empty")
    index = "gin"
    unique = False
    sortable = False
    Options = choosing.ChoiceOptions

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return ArrayField(models.TextField(), **common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.MultipleChoiceField(choices=choosing.pairs(field), widget=UnfoldAdminCheckboxSelectMultipleWidget, **common)

    def clean(self, field: FieldLike, value: Any) -> list[str] | None:
        """A list, or a text with “;” or “,” between the values; in the order of the choices, each once."""
        if reading.empty(value):
            return None
        given = value if isinstance(value, list | tuple | set) else choosing.split(field, reading.text(value))
        found = {choosing.value_of(field, item) for item in given}
        return [choice for choice, _label in choosing.pairs(field) if choice in found] or None

    def show(self, field: FieldLike, value: list[str] | None) -> str:
        return ", ".join(choosing.label_of(field, item) for item in value or [])
