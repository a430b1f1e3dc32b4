"""A line of text."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata import reading
from apps.customdata.columns import TextColumn
from apps.customdata.fieldtype import FieldKind, FieldLike, Options

LONGEST = 500  # so that an index can hold it


class TextOptions(Options):
    max_length: int = Field(255, ge=1, le=LONGEST, title=gettext_noop("Longest, characters"))


class Text(FieldKind):
    kind = "text"
    label = _("Text")
    icon = "short_text"
    operators = ("eq", "ne", "in", "contains", "starts", "empty")
    index = "fold"
    personal = True
    searchable = True
    Options = TextOptions

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return TextColumn(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=UnfoldAdminTextInputWidget, strip=True, **common)

    def clean(self, field: FieldLike, value: Any) -> str | None:
        if reading.empty(value):
            return None
        found = " ".join(reading.text(value).splitlines()).strip()
        longest = int(field.options.get("max_length") or 255)
        if len(found) > longest:
            raise ValueError(translated("The text is longer than %(limit)s characters.") % {"limit": longest})
        return found or None
