"""Any JSON."""

import json
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.customdata import reading
from apps.customdata.fieldtype import FieldKind, FieldLike
from apps.events.json_field import JSONTextField

MOST_BYTES = 64 * 1024


class AnyJson(FieldKind):
    kind = "json"
    label = _("JSON")
    icon = "data_object"
    column = "jsonb"
    operators = ("has_json", "empty")
    index = "gin"
    unique = False
    sortable = False

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return models.JSONField(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return JSONTextField(small=True, **common)

    def clean(self, field: FieldLike, value: Any) -> Any:
        return None if reading.empty(value) else reading.json_value(value, most_bytes=MOST_BYTES)

    def show(self, field: FieldLike, value: Any) -> str:
        return "" if value is None else json.dumps(value, ensure_ascii=False)
