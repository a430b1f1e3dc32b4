"""A phone number in the international form."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata import reading
from apps.customdata.columns import TextColumn
from apps.customdata.fieldtype import FieldKind, FieldLike
from apps.identity.contacts import normal_phone


class Phone(FieldKind):
    kind = "phone"
    label = _("Phone")
    icon = "call"
    operators = ("eq", "ne", "in", "contains", "empty")
    index = "fold"
    personal = True
    searchable = True

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return TextColumn(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"type": "tel"}), **common)

    def clean(self, field: FieldLike, value: Any) -> str | None:
        if reading.empty(value):
            return None
        found = normal_phone(reading.text(value))
        if not found:
            raise ValueError(translated("This is no phone number. Use the international form, e.g. +380501112233."))
        return found
