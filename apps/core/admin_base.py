"""What every page of the admin shares: rights by role, rows by bot, history, write-only secrets, lists that stay fast."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern
from django.utils.functional import cached_property
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin as UnfoldAdmin
from unfold.admin import StackedInline as UnfoldStackedInline
from unfold.admin import TabularInline as UnfoldTabularInline

from apps.core import audit
from apps.core.audit import note_secret_changes
from apps.core.rights import Verb, bot_lookup, module_of, scoped

if TYPE_CHECKING:  # both packages are untyped; their classes stand on these

    class _ModelAdmin(admin.ModelAdmin[Any]):
        def history_form_view(self, request: HttpRequest, object_id: str, version_id: str) -> HttpResponse: ...

    _Paginator = Paginator[Any]
    _Inline = InlineModelAdmin[Any, Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _StackedInline = admin.StackedInline[Any, Any]
else:

    class _ModelAdmin(SimpleHistoryAdmin, UnfoldAdmin):
        pass

    _Paginator, _Inline = Paginator, object
    _TabularInline, _StackedInline = UnfoldTabularInline, UnfoldStackedInline

_ACTIONS: dict[str, Verb] = {"view": "view", "change": "edit", "delete": "delete"}


class CappedPaginator(_Paginator):
    """Counts at most `CAP` rows, so that a page of a big table costs the same as one of a small."""

    CAP = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[: self.CAP].count()
        return len(rows)


class RightsMixin:
    """Rights from roles: `request.user.has_perm` answers for a model and for one row (apps.accounts.backends)."""

    model: type[models.Model]
    read_only = False  # for logs: nobody adds, changes or deletes by hand

    def _may(self, request: HttpRequest, action: str, obj: models.Model | None = None) -> bool:
        if self.read_only and action != "view":
            return False
        opts = self.model._meta
        return request.user.has_perm(f"{opts.app_label}.{action}_{opts.model_name}", obj)

    def _scoped_field(self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Offers only related rows of bots for which the user may edit *this* model."""
        related = db_field.remote_field.model
        if module_of(self.model) and bot_lookup(related) is not None:
            rows = kwargs["queryset"] if "queryset" in kwargs else related._default_manager.all()
            return {**kwargs, "queryset": scoped(rows, request.user, "edit", module=module_of(self.model))}
        return kwargs


class BaseAdmin(RightsMixin, _ModelAdmin):
    """The base of every admin page.

    Set `read_only = True` for logs; for secrets take `apps.core.form_fields.SecretForm`. A secret that is changed leaves a note in the
    history, never a value. A saved row must lie within the user's bots, whatever the form let through.
    """

    empty_value_display = "–"
    object_history_list_template = "core/object_history_list.html"
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # a count per choice reads the whole table
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 200
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scoped(super().get_queryset(request), request.user, "view")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """What PostgreSQL cannot hold is no filter; without this a made-up address would be an error."""
        if any("\x00" in value for values in request.GET.lists() for value in (values[0], *values[1])):
            request.GET = QueryDict()  # as if nothing had been asked
        return super().get_changelist_instance(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Where there is only one bot to choose, it is chosen."""
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        field = next((field for field in self.model._meta.fields if field.name == "bot"), None)
        if field is None or "bot" in given or not isinstance(field.related_model, type):
            return given
        offered = self._scoped_field(field, request, {}).get("queryset", field.related_model._default_manager.all())
        only = list(offered.values_list("pk", flat=True)[:2])
        return {**given, "bot": only[0]} if len(only) == 1 else given

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **self._scoped_field(db_field, request, kwargs))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **self._scoped_field(db_field, request, kwargs))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        note_secret_changes(obj, form.changed_data)
        super().save_model(request, obj, form, change)
        self._check_scope(request, obj)

    def save_formset(self, request: HttpRequest, form: BaseForm, formset: Any, change: bool) -> None:  # noqa: FBT001
        super().save_formset(request, form, formset, change)
        for obj in (*formset.new_objects, *(changed for changed, _fields in formset.changed_objects)):
            self._check_scope(request, obj)

    def _check_scope(self, request: HttpRequest, obj: models.Model) -> None:
        """Undoes the save (the view runs in one transaction) when the row ended in a bot that is not the user's."""
        model = type(obj)
        if module_of(model) and not scoped(model._default_manager.filter(pk=obj.pk), request.user, "edit").exists():
            raise PermissionDenied

    @cached_property
    def _has_history(self) -> bool:
        return hasattr(self.model._meta, "simple_history_manager_attribute")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "added", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "changed", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._note(request, "deleted", obj, "")
        return super().log_deletions(request, queryset)

    def _note(self, request: HttpRequest, what: str, obj: models.Model, message: Any) -> None:
        """The audit trail names every row that somebody added, changed (which fields; values are in its history) or deleted."""
        told = {"what": message} if message else {}
        audit.record(request.user, f"{obj._meta.label_lower}.{what}"[:60], obj, **told)

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        return urls if self._has_history else [url for url in urls if not str(url.name).endswith("_simple_history")]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self._has_history:
            return super().history_view(request, object_id, extra_context)
        return admin.ModelAdmin.history_view(self, request, object_id, extra_context)

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        """A former state, to look at. Going back would overwrite fields that history does not hold (secrets), so it is not offered."""
        if request.method != "GET":
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id)

    def revert_disabled(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return True

    def has_change_history_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without “delete selected” where nothing can be deleted."""
        actions = super().get_actions(request)
        if not self.has_delete_permission(request):
            actions.pop("delete_selected", None)
        return actions


class _InlineRights(RightsMixin, _Inline):
    """Rows of a child model on its parent's page: the child's rights, for the parent's bot."""

    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_below(request, "view", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.read_only and self._may_below(request, "change", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_below(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_below(request, "delete", obj)

    def _may_below(self, request: HttpRequest, action: str, parent: models.Model | None) -> bool:
        if not self._may(request, action):
            return False
        if parent is None or parent.pk is None or not isinstance(parent, models.Model):
            return True
        rows = type(parent)._default_manager.filter(pk=parent.pk)
        return scoped(rows, request.user, _ACTIONS[action], module=module_of(self.model)).exists()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **self._scoped_field(db_field, request, kwargs))


class BaseTabularInline(_InlineRights, _TabularInline):
    """Child rows as a table."""


class BaseStackedInline(_InlineRights, _StackedInline):
    """Child rows as forms."""
