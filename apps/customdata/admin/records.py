"""The records of one model as a table of the admin like any other."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy, ngettext

from apps.core import audit
from apps.customdata import access, deleting, links, records, searching
from apps.customdata.access import Rights
from apps.customdata.admin import bulk, cells, inline, past
from apps.customdata.admin.filters import created_filter, filter_of
from apps.customdata.admin.forms import RecordForm, form_for
from apps.customdata.admin.listing import RecordChangeList
from apps.customdata.building import RecordBase
from apps.customdata.filtering import Filter, FilterError, conditions
from apps.customdata.models import Field, Table
from apps.customdata.noting import Actor
from apps.customdata.records import ConflictError
from apps.customdata.searching import TooSlowError
from apps.events.admin.pages import Fact, PageAdmin
from apps.events.showing import moment

MOST_SEARCHED = 10
_COLUMNS = "_record_columns"


class RecordAdmin(PageAdmin):
    """Made for each model by `addresses`; what a user may see and do comes from `access` alone."""

    change_list_template = "admin/customdata/record_list.html"
    list_before_template = "admin/customdata/record_intro.html"
    change_form_template = "admin/customdata/record_form.html"
    list_per_page = 50
    list_filter_sheet = True
    list_fullwidth = True
    actions = ("set_value",)

    class Media:
        js = ("admin_ui/customdata.js",)
        css = {"all": ("admin_ui/customdata.css",)}

    @property
    def table(self) -> Table:
        return self.model.table  # type: ignore[attr-defined,no-any-return]

    @cached_property
    def intro(self) -> str:  # type: ignore[override]
        return self.table.description

    # --- who may -----------------------------------------------------------------------------------------------------------------
    def rights(self, request: HttpRequest) -> Rights:
        return access.rights(request.user, self.table)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.rights(request).view

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return self.rights(request).view

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.rights(request).add

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return self.rights(request).edit

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return self.rights(request).delete

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return access.rows(self.table, request.user).order_by("-pk")

    def _check_scope(self, request: HttpRequest, obj: Any) -> None:
        """Rows are in scope as a whole table is."""

    # --- the list ----------------------------------------------------------------------------------------------------------------
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ARG002
        return RecordChangeList

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The same functions all through a request: the list compares them to know which can be sorted by."""
        made: list[Any] | None = getattr(request, _COLUMNS, None)
        if made is None:
            made = self._columns(request)
            setattr(request, _COLUMNS, made)
        return made

    def _columns(self, request: HttpRequest) -> list[Any]:
        rights = self.rights(request)
        return [_number, *(_column(field, rights) for field in rights.fields(self.table) if field.in_list), _changed]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:  # noqa: ARG002
        return [_number]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*(filter_of(field) for field in self.rights(request).fields(self.table) if field.in_filter), created_filter()]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [field.attribute for field in self._searched(request)]

    def _searched(self, request: HttpRequest) -> list[Field]:
        seen = [field for field in self.rights(request).fields(self.table) if field.type.searchable]
        return ([field for field in seen if field.in_search] or [field for field in seen if not field.personal])[:MOST_SEARCHED]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()[:200]
        if not term:
            return queryset, False
        try:
            known = searching.ids(self.table, term, without=self.rights(request).hidden)
        except TooSlowError as error:
            messages.warning(request, str(error))
            return queryset.none(), False
        if known is not None:
            return queryset.filter(pk__in=known), False
        found = searching.condition(self.table, term, without=self.rights(request).hidden)
        found |= Q(pk=int(term)) if term.isascii() and term.isdigit() and len(term) < 19 else Q(pk__in=())  # noqa: PLR2004  fits a bigint
        for field in self._searched(request):
            found |= self._holding(field, term)
        return queryset.filter(found), False

    def _holding(self, field: Field, term: str) -> Q:
        try:
            return conditions(self.table, [Filter(field.alias, "eq" if field.personal else "contains", term)])
        except FilterError:
            return Q(pk__in=())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        return True  # the list lets only the names of its own filters through

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"table": self.table, "title": self.table.name, "subtitle": None, "may_design": _may_design(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.action(description=gettext_lazy("Set a value"), permissions=["change"])
    def set_value(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return bulk.set_value(self, request, queryset)

    # --- one record --------------------------------------------------------------------------------------------------------------
    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> "type[ModelForm[Any]]":  # noqa: ARG002
        return form_for(self.table, self.rights(request), request.user)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:  # noqa: ARG002
        """Sections in the order of their first fields; fields without one come first."""
        sections: dict[str, list[str]] = {"": []}
        for field in self.rights(request).fields(self.table):
            sections.setdefault(field.section, []).append(field.attribute)
        sections[""] = [*sections[""], "seen_version"]
        return [(name or None, {"fields": fields}) for name, fields in sections.items()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        rights = self.rights(request)
        if object_id is not None and not rights.edit:
            return self._look(request, object_id)
        if object_id is None and not rights.add:
            raise PermissionDenied
        return super().changeform_view(request, object_id, form_url, {"table": self.table, **(extra_context or {})})

    def _look(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page of somebody who may see but not edit."""
        record = self.get_object(request, object_id)
        if not self.rights(request).view or request.method != "GET":
            raise PermissionDenied
        if record is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        record.goals = links.goals(self.table, [record], request.user)
        facts = [
            Fact(field.name, cells.whole(record, field), wide=field.kind in ("long_text", "json"))
            for field in self.rights(request).fields(self.table)
        ]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": record, "object_id": object_id, "title": str(record), "facts": facts,
            "has_view_permission": True, "change": True, "has_change_permission": False, "is_popup": False, "save_as": False, "media": self.media,
            "adminform": None, "panels": self.panels(request, record), "table": self.table,
        }  # fmt: skip
        return TemplateResponse(request, "admin/record.html", context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found: Any = super().get_object(request, object_id, from_field)
        return access.named(found, self.rights(request)) if found is not None else None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        by, without = Actor.staff(request.user), self.rights(request).hidden
        if change:
            wrote = {alias: form.values[alias] for alias in self._changed(form)}
            stored = records.update(self.table, obj.pk, wrote, by=by, version=form.cleaned_data.get("seen_version"), without=without)
        else:
            stored = records.create(self.table, form.values, by=by, without=without)
        obj.__dict__.update({name: value for name, value in stored.__dict__.items() if name != "_state"})
        obj._state.adding = False

    def _changed(self, form: RecordForm) -> list[str]:
        return [field.alias for field in form.shown() if field.attribute in form.changed_data and field.alias in form.values]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        return self.changeform_view(request, None, form_url, extra_context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return self.changeform_view(request, object_id, form_url, extra_context)
        except ConflictError as error:
            messages.error(request, past.who_changed(error.record, str(error)))
            return HttpResponseRedirect(request.path)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        records.delete(self.table, obj.pk, by=Actor.staff(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        outcomes = records.delete_many(self.table, list(queryset.values_list("pk", flat=True)), by=Actor.staff(request.user))
        kept = [outcome for outcome in outcomes if not outcome.ok]
        if kept:
            told = ngettext("%(count)d record was kept: %(why)s", "%(count)d records were kept: %(why)s", len(kept))
            messages.warning(request, told % {"count": len(kept), "why": next(iter(kept[0].errors.values()), "")})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What goes, what is emptied and what stands in the way."""
        rows = [access.named(row, self.rights(request)) for row in objs[:1000]]
        refused = deleting.refusals(self.table, [row.pk for row in rows])
        shown = [format_html("{} #{}", row, row.pk) for row in rows[:100]]
        missing = set() if self.rights(request).delete else {self.table.name}
        return shown, {self.table.name: len(rows)}, missing, [f"#{pk}: {why}" for pk, why in refused.items()]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "added", obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "changed", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        audit.record(request.user, "customdata.records.deleted", self.table, count=len(list(queryset)))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> list[Any]:  # noqa: ARG002, FBT001, FBT002
        return [] if add else [{"changed": {"fields": [field.name for field in form.shown() if field.attribute in form.changed_data]}}]

    # --- more pages --------------------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, f"customdata_{self.table.relation}"
        return [
            path("<int:pk>/cell/<slug:alias>/", wrap(self.cell_view), name=f"{name}_cell"),
            path("<int:pk>/file/<slug:alias>/", wrap(self.file_view), name=f"{name}_file"),
            *super().get_urls(),
        ]

    def cell_view(self, request: HttpRequest, pk: int, alias: str) -> HttpResponse:
        return inline.cell(self, request, pk, alias)

    def file_view(self, request: HttpRequest, pk: int, alias: str) -> Any:
        return inline.file(self, request, pk, alias)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return past.page(self, request, object_id, extra_context)

    def back(self) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:data_list", args=[self.table.alias]))


def _may_design(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("customdata.change_table"))


@admin.display(description=gettext_lazy("number"), ordering="pk")
def _number(record: RecordBase) -> str:
    return f"#{record.pk}"


@admin.display(description=gettext_lazy("changed"), ordering="updated_at")
def _changed(record: RecordBase) -> Any:
    return moment(record.updated_at)


def _column(field: Field, rights: Rights) -> Callable[[RecordBase], Any]:
    def column(record: RecordBase) -> Any:
        return cells.editable(record, field, rights)

    described: Any = column
    column.__name__ = field.attribute
    described.short_description = field.name
    if field.type.sortable and not field.personal:
        described.admin_order_field = field.attribute
    return column
