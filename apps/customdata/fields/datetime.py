"""A moment, kept in UTC and shown in the reader's time zone."""

from datetime import UTC
from datetime import datetime as moment
from typing import Any

from django import forms
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike


class _Input(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # published without types
    def format_value(self, value: Any) -> Any:
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M:%S") if isinstance(value, moment) else value


class DateTime(FieldKind):
    kind = "datetime"
    label = _("Date and time")
    icon = "schedule"
    column = "timestamptz"
    operators = ("eq", "ne", "gt", "gte", "lt", "lte", "empty")

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.DateTimeField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=_Input(attrs={"type": "datetime-local", "step": "1"}), **common)

    def clean(self, field: FieldLike, value: Any) -> moment | None:
        return None if reading.empty(value) else reading.moment(value)

    def dump(self, field: FieldLike, value: moment | None) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def show(self, field: FieldLike, value: moment | None) -> str:
        return "" if value is None else timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
