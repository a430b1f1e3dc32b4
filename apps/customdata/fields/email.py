"""An e-mail address in lower case."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata import reading
from apps.customdata.columns import TextColumn
from apps.customdata.fieldtype import FieldKind, FieldLike
from apps.identity.contacts import normal_email


class Email(FieldKind):
    kind = "email"
    label = _("E-mail")
    icon = "mail"
    operators = ("eq", "ne", "in", "contains", "starts", "empty")
    index = "fold"
    personal = True
    searchable = True

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return TextColumn(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"type": "email"}), **common)

    def clean(self, field: FieldLike, value: Any) -> str | None:
        if reading.empty(value):
            return None
        found = normal_email(reading.text(value))
        if not found:
            raise ValueError(translated("This is no e-mail address."))
        return found
