"""An exact number; never a float."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from pydantic import Field, model_validator
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata import reading
from apps.customdata.columns import NumberColumn
from apps.customdata.fieldtype import FieldKind, FieldLike, Options

BEYOND = Decimal(10) ** 18


class NumberOptions(Options):
    decimals: int = Field(0, ge=0, le=10, title=gettext_noop("Digits after the point"))
    minimum: Decimal | None = Field(None, title=gettext_noop("Smallest"), gt=-BEYOND, lt=BEYOND)
    maximum: Decimal | None = Field(None, title=gettext_noop("Largest"), gt=-BEYOND, lt=BEYOND)

    @model_validator(mode="after")
    def _in_order(self) -> "NumberOptions":
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(translated("The smallest number is larger than the largest."))
        return self


class Number(FieldKind):
    kind = "number"
    label = _("Number")
    icon = "123"
    column = "numeric"
    operators = ("eq", "ne", "in", "gt", "gte", "lt", "lte", "empty")
    personal = True
    Options = NumberOptions

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":
        return NumberColumn(**common)

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:
        return forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}), **common)

    def clean(self, field: FieldLike, value: Any) -> Decimal | None:
        if reading.empty(value):
            return None
        found, decimals = reading.number(value), int(field.options.get("decimals") or 0)
        if abs(found) >= BEYOND:
            raise ValueError(translated("The number is too large."))
        if -int(found.as_tuple().exponent) > decimals:
            raise ValueError(translated("At most %(count)s digits after the point are kept here.") % {"count": decimals})
        smallest, largest = (field.options.get(name) for name in ("minimum", "maximum"))
        if smallest is not None and found < Decimal(str(smallest)):
            raise ValueError(translated("Not less than %(limit)s.") % {"limit": smallest})
        if largest is not None and found > Decimal(str(largest)):
            raise ValueError(translated("Not more than %(limit)s.") % {"limit": largest})
        return found

    def dump(self, field: FieldLike, value: Decimal | None) -> Any:
        """A JSON number whose digits are the exact ones; a text when JSON readers would lose some."""
        if value is None:
            return None
        value = Decimal(value)
        if value == value.to_integral_value():
            return int(value)
        return float(value) if Decimal(repr(float(value))) == value else f"{value:f}"

    def show(self, field: FieldLike, value: Decimal | None) -> str:
        return "" if value is None else f"{Decimal(value):.{int(field.options.get('decimals') or 0)}f}"
