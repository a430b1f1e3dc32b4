"""Filters of a record list, one for each field by what its kind can be asked; they speak `filtering`, never the ORM's names."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.customdata.access import rights
from apps.customdata.choosing import pairs
from apps.customdata.filtering import Filter, FilterError, condition
from apps.customdata.models import Field, Table
from apps.events.admin.unfolded import DropdownFilter, TextFilter

EMPTY = "~"


def names(made: Any) -> tuple[str, ...]:
    """The parameters that a filter class reads."""
    name = str(made.parameter_name)
    return (f"{name}__gte", f"{name}__lte") if issubclass(made, RangeFilter) else (name,)


def applied(request: HttpRequest, rows: QuerySet[Any], asked: Filter) -> QuerySet[Any]:
    """The rows that pass; with what cannot be asked none, and the reason is told."""
    table: Table = rows.model.table
    try:
        return rows.filter(condition(table, asked, without=rights(request.user, table).hidden))
    except FilterError as error:
        name = table.by_alias[asked.field].name if asked.field in table.by_alias else asked.field
        messages.warning(request, f"{name}: {error}")
        return rows.none()


class _PartFilter(TextFilter):
    """Contains what is typed; of personal data and numbers of rows the exact value."""

    op = "contains"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = str(self.value() or "").strip()
        return applied(request, queryset, Filter(self.parameter_name or "", self.op, text)) if text else queryset


class _ChoiceFilter(DropdownFilter):
    op = "eq"
    offered: tuple[tuple[str, str], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [*self.offered, (EMPTY, _("empty"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        alias = self.parameter_name or ""
        return applied(request, queryset, Filter(alias, "empty", True) if value == EMPTY else Filter(alias, self.op, value))


class RangeFilter(SimpleListFilter):
    """From and to, both included."""

    template = "admin/customdata/range_filter.html"
    input_type = "text"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self._names:
            given = params.pop(name, None)
            if given:
                self.used_parameters[name] = given[-1] if isinstance(given, list) else given

    def expected_parameters(self) -> list[str | None]:
        return list(self._names)

    @property
    def _names(self) -> tuple[str, str]:
        return f"{self.parameter_name}__gte", f"{self.parameter_name}__lte"

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return []

    def choices(self, changelist: Any) -> Iterator[Any]:  # noqa: ARG002
        low, high = self._names
        form = forms.Form(data=self.used_parameters)
        for name, hint in ((low, _("from")), (high, _("to"))):
            widget = UnfoldAdminTextInputWidget(attrs={"type": self.input_type, "placeholder": hint, "aria-label": f"{self.title} {hint}"})
            form.fields[name] = forms.CharField(required=False, widget=widget)
        yield {"form": form}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for name in self._names:
            alias, _sign, op = name.rpartition("__")
            value = str(self.used_parameters.get(name) or "").strip()
            if value:
                queryset = applied(request, queryset, Filter(alias, op, value))
        return queryset


def filter_of(field: Field) -> type[SimpleListFilter]:
    """The filter that fits the field."""
    common = {"title": field.name, "parameter_name": field.alias}
    operators = () if field.personal else field.type.operators
    if "gte" in operators:
        return type(
            "Range", (RangeFilter,), {**common, "input_type": {"date": "date", "datetime": "datetime-local"}.get(field.kind, "text")}
        )
    if field.kind in ("choice", "choices"):
        return type(
            "Choice", (_ChoiceFilter,), {**common, "offered": tuple(pairs(field)), "op": "has" if field.kind == "choices" else "eq"}
        )
    if field.kind == "boolean":
        return type("YesNo", (_ChoiceFilter,), {**common, "offered": (("true", _("Yes")), ("false", _("No")))})
    if operators == ("empty",):
        return type("Empty", (_ChoiceFilter,), common)
    op = "contains" if "contains" in operators else "has_json" if "has_json" in operators else "eq"
    return type("Part", (_PartFilter,), {**common, "op": op})


def created_filter() -> type[SimpleListFilter]:
    return type("Created", (RangeFilter,), {"title": _("created"), "parameter_name": "created_at", "input_type": "datetime-local"})
