"""Yes, no or not said."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike


class Boolean(FieldKind):
    kind = "boolean"
    label = _("Yes or no")
    icon = "toggle_on"
    column = "boolean"
    operators = ("eq", "empty")
    unique = False

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.BooleanField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.ChoiceField(choices=[("", "–"), ("true", _("Yes")), ("false", _("No"))], widget=UnfoldAdminSelectWidget, **common)

    def clean(self, field: FieldLike, value: Any) -> bool | None:
        return None if reading.empty(value) else reading.yes_or_no(value)

    def show(self, field: FieldLike, value: bool | None) -> str:  # noqa: FBT001  the contract's value
        return "" if value is None else translated("Yes") if value else translated("No")
