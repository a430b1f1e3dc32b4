"""The page of a row: acts over it, the form (or the facts, when nobody edits such rows), and panels with what belongs to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import models
from django.forms import Field, ModelForm, Textarea
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core.admin_base import BaseAdmin
from apps.events.admin.acts import ActsMixin
from apps.events.admin.listing import LogListMixin
from apps.events.admin.unfolded import ChangeList

Text = str | Promise


@dataclass(frozen=True)
class Panel:
    """A card under the form: a template with its context, or a ready table."""

    title: Text
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    icon: str = ""
    note: Text = ""
    more_url: str = ""
    wide: bool = True


@dataclass(frozen=True)
class Fact:
    """A line of a record: what it is and its value, ready to show. `wide` values get the whole width."""

    label: Text
    value: SafeString | str
    wide: bool = False


def table(
    title: Text,
    headers: Sequence[Text],
    rows: Iterable[Sequence[Any]],
    *,
    icon: str = "",
    empty: Text = "",
    more_url: str = "",
    note: Text = "",
) -> Panel:
    """A panel with a plain table; `empty` is said when there are no rows."""
    context = {"headers": headers, "rows": [list(row) for row in rows], "empty": empty or _("Nothing here yet.")}
    return Panel(title=title, template="admin/parts/table.html", context=context, icon=icon, note=note, more_url=more_url)


def facts_panel(title: Text, facts: Iterable[Fact], *, icon: str = "", note: Text = "") -> Panel:
    """A panel with lines of “what: value”."""
    return Panel(title=title, template="admin/parts/facts.html", context={"facts": list(facts)}, icon=icon, note=note)


class PlainChangeList(ChangeList):
    """The count is told in the title only when it says something: with a search or a filter."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if getattr(self, "full_result_count", None) is None and not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class PageAdmin(ActsMixin, BaseAdmin):
    """An admin whose pages have acts and panels. `intro` is a sentence over the list that says what the page is for."""

    change_form_outer_before_template = "admin/parts/before.html"
    change_form_outer_after_template = "admin/parts/after.html"
    list_before_template = "admin/parts/intro.html"
    intro: Text = ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return PlainChangeList

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Field | None:
        """Texts get the height of texts, not of essays; pages of related rows are a link away, not a pop-up."""
        field: Field | None = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, Textarea):
            field.widget.attrs["rows"] = 3
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def panels(self, request: HttpRequest, obj: models.Model) -> list[Panel]:  # noqa: ARG002
        """What is shown under the form of a stored row."""
        return []

    def notes(self, request: HttpRequest, obj: models.Model) -> list[SafeString | str]:  # noqa: ARG002
        """What the reader must know before anything else; shown on top in a coloured box."""
        return []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None and obj.pk:
            context.update(acts=self.offered_acts(request, obj), panels=self.panels(request, obj), notes=self.notes(request, obj))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


class RecordAdmin(PageAdmin):
    """Rows that the product writes and people only read: facts instead of a form."""

    read_only = True
    change_form_template = "admin/record.html"

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        """The lines of the record."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, *args: Any, **kwargs: Any) -> "type[ModelForm[Any]]":
        kwargs["fields"] = ()
        return super().get_form(request, obj, *args, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:  # noqa: ARG002
        return []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            context.update(facts=self.facts(request, obj), show_history=False)
        return super().render_change_form(request, context, *args, **kwargs)


class LogAdmin(LogListMixin, RecordAdmin):
    """Records of a table that grows for ever."""
