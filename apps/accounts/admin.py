"""Admin pages of staff, roles and locked sign-ins."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from apps.accounts.forms import RoleAssignmentForm, RoleForm, UserChangeForm, UserCreationForm
from apps.accounts.giving import may_manage
from apps.accounts.models import Role, RoleAssignment, User
from apps.core.admin_base import BaseAdmin, BaseStackedInline

admin.site.unregister(Group)  # rights come from roles


class RoleAssignmentInline(BaseStackedInline):
    model = RoleAssignment
    verbose_name = _("role")
    verbose_name_plural = _("roles")
    form = RoleAssignmentForm
    fields = ["role", "all_bots", "bot_ids"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        kwargs["form"] = type("RoleAssignmentForm", (RoleAssignmentForm,), {"editor": request.user})
        return super().get_formset(request, obj, **kwargs)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, BaseAdmin):  # type: ignore[type-arg]
    """Superusers, and people with more rights than one's own, are shown but not changed."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "shown_name", "email", "roles", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "role_assignments__role", "is_superuser"]
    search_fields = ["username", "display_name", "first_name", "last_name", "email"]
    ordering = ["username"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("About"), {"fields": [("display_name", "email"), ("first_name", "last_name"), ("language", "timezone")]}),
        (
            _("Access"),
            {
                "fields": ["is_active", "is_staff", "is_superuser", ("last_login", "date_joined")],
                "description": _("What a person may do comes from the roles below. A superuser may do everything."),
            },
        ),
    ]
    add_fieldsets = [(None, {"classes": ("wide",), "fields": ("username", "usable_password", "password1", "password2")})]

    def get_inlines(self, _request: HttpRequest, obj: User | None) -> list[Any]:
        """Roles come on the second page, when the person exists."""
        return [] if obj is None else [RoleAssignmentInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        assigned = RoleAssignment.objects.select_related("role").order_by("role__name")
        return super().get_queryset(request).prefetch_related(Prefetch("role_assignments", queryset=assigned))

    @admin.display(description=_("name"), ordering="display_name")
    def shown_name(self, obj: User) -> str:
        return obj.display_name or obj.get_full_name()

    @admin.display(description=_("roles"))
    def roles(self, obj: User) -> str:
        return ", ".join(given.role.name for given in obj.role_assignments.all()) or "—"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        own = obj is not None and obj.pk == request.user.pk
        return not own and super().has_delete_permission(request, obj) and (obj is None or may_manage(request.user, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fields = [str(name) for name in super().get_readonly_fields(request, obj)]
        if not request.user.is_superuser:
            fields.append("is_superuser")
        if obj is not None and obj.pk == request.user.pk:
            fields += ["is_active", "is_staff"]  # nobody locks themselves out
        return list(dict.fromkeys(fields))

    def save_model(self, request: HttpRequest, obj: User, form: Form, change: bool) -> None:  # noqa: FBT001  Django's signature
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)


@admin.register(Role)
class RoleAdmin(BaseAdmin):
    form = RoleForm
    list_display = ["name", "key", "description", "people"]
    search_fields = ["name", "key", "description"]
    fields = ["name", "key", "description", "permissions"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(people_count=Count("assignments__user", distinct=True))
        return rows

    @admin.display(description=_("people"), ordering="people_count")
    def people(self, obj: Any) -> int:
        return int(obj.people_count)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **kwargs)
        return type("RoleForm", (form,), {"editor": request.user})

    def get_readonly_fields(self, _request: HttpRequest, obj: Role | None = None) -> list[str]:
        return ["key"] if obj is not None else []

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """The delivered roles stay: a later version may speak of them."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.builtin)


if admin.site.is_registered(AccessAttempt):
    admin.site.unregister(AccessAttempt)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(BaseAdmin):
    """Deleting a row unlocks the name for that address."""

    list_display = ["attempt_time", "username", "ip_address", "failures_since_start"]
    search_fields = ["username", "ip_address"]
    ordering = ["-attempt_time"]
    fields = ["attempt_time", "username", "ip_address", "failures_since_start", "user_agent", "path_info"]

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
