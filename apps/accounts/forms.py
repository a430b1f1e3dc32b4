"""Forms of the staff pages: the matrix of rights and the choice of bots."""

from typing import Any, ClassVar

from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import UserChangeForm as UnfoldUserChangeForm
from unfold.forms import UserCreationForm as UnfoldUserCreationForm
from unfold.widgets import CHECKBOX_CLASSES, UnfoldAdminSelect2MultipleWidget, UnfoldAdminSelectWidget

from apps.accounts.access import BotScope
from apps.accounts.giving import covers, may_give
from apps.accounts.models import Role, RoleAssignment, User
from apps.accounts.modules import MODULES, VERBS
from apps.accounts.rights import clean_permissions
from apps.core.form_fields import timezone_field

VERB_LABELS = {"view": gettext_lazy("View"), "edit": gettext_lazy("Edit"), "delete": gettext_lazy("Delete")}


class PermissionMatrix(forms.Widget):
    """Module × verb as check boxes; reads and gives {module: [verbs]}."""

    template_name = "accounts/permission_matrix.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        given = value if isinstance(value, dict) else {}
        rows = [{"label": label, "cells": [self._cell(name, module, verb, given) for verb in VERBS]} for module, label in MODULES.items()]
        context["widget"] |= {"rows": rows, "verbs": list(VERB_LABELS.values()), "checkbox_class": " ".join(CHECKBOX_CLASSES)}
        return context

    @staticmethod
    def _cell(name: str, module: str, verb: str, given: dict[str, list[str]]) -> dict[str, Any]:
        return {
            "value": f"{module}:{verb}",
            "id": f"id_{name}_{module}_{verb}",
            "label": VERB_LABELS[verb],
            "checked": verb in given.get(module, []),
        }

    def value_from_datadict(self, data: Any, _files: Any, name: str) -> dict[str, list[str]]:
        given: dict[str, list[str]] = {}
        for item in data.getlist(name) if hasattr(data, "getlist") else []:
            module, _colon, verb = str(item).partition(":")
            given.setdefault(module, []).append(verb)
        return given

    def value_omitted_from_data(self, _data: Any, _files: Any, _name: str) -> bool:
        return False


class PermissionsField(forms.Field):
    widget = PermissionMatrix

    def clean(self, value: Any) -> dict[str, list[str]]:
        return clean_permissions(value or {})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or {}) != (data or {})


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    """`editor` is put in by the admin page: nobody writes a right into a role that they do not have everywhere."""

    editor: ClassVar[Any] = None
    permissions = PermissionsField(
        required=False,
        label=gettext_lazy("Rights"),
        help_text=gettext_lazy("Whoever may edit or delete may also view."),
    )

    class Meta:
        model = Role
        fields = ("key", "name", "description", "permissions")

    def clean_permissions(self) -> dict[str, list[str]]:
        wanted: dict[str, list[str]] = self.cleaned_data["permissions"]
        added = {
            module: [verb for verb in verbs if verb not in self.instance.permissions.get(module, [])] for module, verbs in wanted.items()
        }
        if self.editor is not None and not covers(self.editor, added, BotScope(everywhere=True)):
            raise ValidationError(_("You can only add rights that you have yourself, for all bots."), code="more_than_own")
        return wanted


def bot_choices() -> list[tuple[int, str]]:
    """Bots lie above accounts in the order of apps, so their model is found by name when the form is shown."""
    return list(apps.get_model("bots", "Bot")._default_manager.order_by("name").values_list("pk", "name"))


class RoleAssignmentForm(forms.ModelForm):  # type: ignore[type-arg]
    editor: ClassVar[Any] = None
    bot_ids = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        choices=bot_choices,
        label=gettext_lazy("Bots"),
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=gettext_lazy("When not for all bots: choose one or more."),
    )

    class Meta:
        model = RoleAssignment
        fields = ("role", "all_bots", "bot_ids")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("all_bots"):
            data["bot_ids"] = []
        elif not data.get("bot_ids"):
            raise ValidationError({"bot_ids": _("Choose at least one bot, or tick “all bots”.")})
        self._check_own_rights(data)
        return data

    def _check_own_rights(self, data: dict[str, Any]) -> None:
        scope = BotScope(everywhere=bool(data.get("all_bots")), ids=frozenset(data.get("bot_ids") or ()))
        role = data.get("role")
        if self.editor is not None and role is not None and not may_give(self.editor, role, scope):
            raise ValidationError({"role": _("This role has rights that you do not have for these bots, so you cannot give it.")})


def _language_field() -> forms.ChoiceField:
    choices = [("", gettext_lazy("the browser's")), *settings.LANGUAGES]
    return forms.ChoiceField(choices=choices, required=False, label=gettext_lazy("Language"), widget=UnfoldAdminSelectWidget)


class UserChangeForm(UnfoldUserChangeForm):  # type: ignore[misc]
    language = _language_field()
    timezone = timezone_field(required=False, label=gettext_lazy("Time zone"), help_text=gettext_lazy("Empty: the server's."))


class UserCreationForm(UnfoldUserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("username",)
