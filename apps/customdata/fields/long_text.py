"""Text of several lines."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.customdata import reading
from apps.customdata.columns import TextColumn
from apps.customdata.fieldtype import FieldKind, FieldLike

LONGEST = 100_000


class LongText(FieldKind):
    kind = "long_text"
    label = _("Long text")
    icon = "notes"
    operators = ("contains", "empty")
    index = ""
    unique = False
    personal = True
    sortable = False
    searchable = True

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return TextColumn(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **common)

    def clean(self, field: FieldLike, value: Any) -> str | None:
        if reading.empty(value):
            return None
        found = reading.text(value).replace("\r\n", "\n")
        if len(found) > LONGEST:
            raise ValueError(translated("The text is longer than %(limit)s characters.") % {"limit": LONGEST})
        return found
