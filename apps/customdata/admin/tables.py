"""The page “Models”: a list of models, and for each the designer of its fields, its rights and the changes that wait for a decision."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts.access import scoped
from apps.bots.models import Bot
from apps.core import audit
from apps.core.strictjson import StrictJsonError, loads
from apps.customdata import deleting, designing, links, naming, redesigning, storage, structure
from apps.customdata.admin import changes
from apps.customdata.designing import StaleError
from apps.customdata.models import FieldChange, Table
from apps.customdata.redesigning import DesignError
from apps.customdata.storage import StorageBusyError
from apps.customdata.structure import TableGoneError
from apps.events.admin.pages import PageAdmin
from apps.events.showing import link


@admin.register(Table)
class TableAdmin(PageAdmin):
    intro = gettext_lazy(
        "Tables of your own: complaints, shops, questions and answers. Staff work with the records in the menu “Data”; scenarios, other systems "
        "and the BI tool use them at once."
    )
    list_display = ("named", "alias", "shown_fields", "shown_records", "bot", "updated_at")
    list_display_links = ("named",)
    search_fields = ("name", "alias", "description")
    ordering = ("position", "name")
    change_form_template = "admin/customdata/designer.html"

    class Media:
        js = ("admin_ui/designer.js",)
        css = {"all": ("admin_ui/customdata.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("bot").prefetch_related("all_fields")

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def named(self, table: Table) -> str:
        return table.name

    @admin.display(description=gettext_lazy("fields"))
    def shown_fields(self, table: Table) -> str:
        return str(len(table.fields))

    @admin.display(description=gettext_lazy("records"))
    def shown_records(self, table: Table) -> str:
        """Counted up to a thousand, as a link to the list."""
        count = storage.row_count(table, cap=1000)
        return link(links.list_url(table), _("more than 1,000") if count > 1000 else f"{count:,}")  # noqa: PLR2004

    # --- the designer ------------------------------------------------------------------------------------------------------------
    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> Any:  # noqa: ARG002
        table = self._table(request, object_id)
        may_edit = self.has_change_permission(request, table) if table else self.has_add_permission(request)
        if not may_edit and not (table and self.has_view_permission(request, table)):
            raise PermissionDenied
        if request.method == "POST":
            if not may_edit:
                raise PermissionDenied
            return self._save(request, table)
        return self._show(request, table, may_edit=may_edit)

    def _table(self, request: HttpRequest, object_id: str | None) -> Table | None:
        if object_id is None:
            return None
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404(_("There is no such model."))
        return structure.fresh(found.pk)

    def _show(self, request: HttpRequest, table: Table | None, *, may_edit: bool) -> HttpResponse:
        told = {
            "design": redesigning.described(table),
            "kinds": redesigning.kinds_for_page(),
            "tables": [{"id": one.pk, "name": one.name} for one in structure.tables().values()],
            "bots": [{"id": bot.pk, "name": bot.name} for bot in scoped(Bot.objects.order_by("name"), request.user, "view")],
            "rights": redesigning.rights_of(table),
            "may_edit": may_edit,
            "most": storage.MAX_FIELDS,
            "suggest": reverse("admin:customdata_table_alias"),
        }
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": table.name if table else _("New model"), "told": told, "table": table,
            "original": table, "object_id": table.pk if table else None, "media": self.media, "may_edit": may_edit, "may_delete": table is not None and
            self.has_delete_permission(request, table), "changes": changes.shown(table) if table else [], "list_url": links.list_url(table) if table else "",
            "records": storage.row_count(table, cap=1000) if table else 0,
        }  # fmt: skip
        return TemplateResponse(request, self.change_form_template, context)

    def _save(self, request: HttpRequest, table: Table | None) -> HttpResponse:
        try:
            design = loads(request.body)
            if not isinstance(design, dict):
                return JsonResponse({"errors": {"": _("The design is damaged. Load the page again.")}}, status=422)
            version = design.get("version") if table else None
            saved = redesigning.save(table.pk if table else None, design, user=request.user, version=version or (0 if table else None))
        except StrictJsonError as error:
            return JsonResponse({"errors": {"": error.reason}}, status=422)
        except DesignError as error:
            return JsonResponse({"errors": error.errors, "fields": error.fields}, status=422)
        except (StaleError, StorageBusyError, TableGoneError) as error:
            return JsonResponse({"errors": {"": str(error) or _("This model was deleted meanwhile.")}, "stale": True}, status=409)
        audit.record(request.user, f"customdata.table.{'changed' if table else 'added'}", saved.table)
        for note in saved.notes:
            messages.info(request, note)
        messages.success(request, self._told(saved, new=table is None))
        waiting = bool(saved.changes)
        own = reverse("admin:customdata_table_change", args=[saved.table.pk])
        return JsonResponse({"url": f"{own}#changes" if waiting or table else links.list_url(saved.table)})

    @staticmethod
    def _told(saved: Any, *, new: bool) -> str:
        if saved.changes:
            return _("Saved. Look at the changes that touch stored values below: nothing happens to them before you decide.")
        return _("The model is ready. Add the first record, or import a file.") if new else _("Saved.")

    # --- deletion ----------------------------------------------------------------------------------------------------------------
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """A model goes with all its records; models that link to it stand in the way."""
        tables = [structure.fresh(one.pk) for one in objs]
        going = {table.pk for table in tables}
        shown = [_("%(name)s with %(count)s records") % {"name": one.name, "count": _records(one)} for one in tables]
        protected = [
            _("“%(model)s”: its field “%(field)s” links to “%(goal)s”. Remove that field first.")
            % {"model": field.table.name, "field": field.name, "goal": table.name}
            for table in tables
            for field in deleting.pointing_at(table)
            if field.table_id not in going
        ]
        missing = set() if all(self.has_delete_permission(request, one) for one in tables) else {str(self.opts.verbose_name)}
        return shown, {str(self.opts.verbose_name_plural): len(tables)}, missing, protected

    def delete_model(self, request: HttpRequest, obj: Table) -> None:  # noqa: ARG002
        designing.remove_table(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Table]) -> None:  # noqa: ARG002
        for table in queryset:
            designing.remove_table(table)

    # --- more addresses ----------------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("alias/", wrap(self.alias_view), name="customdata_table_alias"),
            path("choose/<int:pk>/", wrap(self.choose_view), name="customdata_table_choose"),
            path("changes/<int:pk>/", wrap(self.change_state_view), name="customdata_table_state"),
            path("changes/<int:pk>/refused.csv", wrap(self.refused_view), name="customdata_table_refused"),
            path("changes/<int:pk>/<slug:name>/", wrap(require_POST(self.decide_view)), name="customdata_table_decide"),
        ]
        return [*own, *super().get_urls()]

    def alias_view(self, request: HttpRequest) -> JsonResponse:
        """An alias for a name, as the designer offers it."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        name, taken = request.GET.get("name", "")[:200], request.GET.getlist("taken")[:500]
        reserved = naming.RESERVED_TABLES if request.GET.get("of") == "table" else naming.RESERVED_FIELDS
        if request.GET.get("of") == "table":
            taken = list(Table.objects.values_list("alias", flat=True))
        return JsonResponse({"alias": naming.alias_from(name, taken=taken, reserved=reserved) if name.strip() else ""})

    def choose_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Rows for a link's box: only of what the user may see."""
        from apps.customdata import access  # noqa: PLC0415  next to its only use

        field = next((one for table in structure.tables().values() for one in table.fields if one.pk == pk), None)
        if (
            field is None
            or not access.rights(request.user, field.table).view
            or field.alias in access.rights(request.user, field.table).hidden
        ):
            raise Http404
        rows = links.offered(field, request.GET.get("q", "").strip()[:100].replace("\x00", ""), request.user)
        return JsonResponse({"rows": [{"id": goal.url, "text": goal.text} for goal in rows]})

    def change_state_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(changes.state(self._change(request, pk)))

    def refused_view(self, request: HttpRequest, pk: int) -> Any:
        return changes.refused_csv(self._change(request, pk))

    def decide_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        change = self._change(request, pk, edit=True)
        changes.decide(request, change, name)
        return HttpResponseRedirect(reverse("admin:customdata_table_change", args=[change.table_id]) + "#changes")

    def _change(self, request: HttpRequest, pk: int, *, edit: bool = False) -> Any:
        change = FieldChange.objects.select_related("field", "table").filter(pk=pk).first()
        if change is None:
            raise Http404
        if not (self.has_change_permission if edit else self.has_view_permission)(request, change.table):
            raise PermissionDenied
        return change


def _records(table: Table) -> str:
    count = storage.row_count(table, cap=1_000_000)
    return f"{count:,}"
