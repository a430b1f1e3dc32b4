"""A stored file, by the number of its row (`RecordFile`)."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike, Options
from apps.customdata.widgets import FileInput


class FileOptions(Options):
    max_mb: int = Field(20, ge=1, le=50, title=gettext_noop("Largest, MB"))


class File(FieldKind):
    kind = "file"
    label = _("File")
    icon = "attach_file"
    column = "bigint"
    operators = ("empty",)
    unique = False
    sortable = False
    refers = True
    Options = FileOptions

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.BigIntegerField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.FileField(widget=FileInput, **common)

    def clean(self, field: FieldLike, value: Any) -> int | None:
        return None if reading.empty(value) else reading.row_id(value)

    def show(self, field: FieldLike, value: int | None) -> str:
        return "" if value is None else f"#{value}"
