"""Sign-in by password, permissions by roles: Django's `has_perm` answers what `access` says."""

from typing import Any

from django.apps import apps
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import HttpRequest

from apps.accounts.access import can_add, can_model, can_object
from apps.accounts.models import User
from apps.accounts.sign_in import check_address
from apps.core.rights import Verb, module_of

_VERBS: dict[str, Verb] = {"view": "view", "change": "edit", "delete": "delete"}


class RoleBackend(ModelBackend):
    """Django's groups and user permissions are not asked."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any) -> Any:
        """As Django's, after a limit on how many names one address may try."""
        if username is not None:
            check_address(request)
        return super().authenticate(request, username=username, password=password, **kwargs)

    def has_perm(self, user_obj: User | AnonymousUser, perm: str, obj: models.Model | None = None) -> bool:
        model, action = _asked(perm)
        if model is None:
            return False
        if action == "add":
            return can_add(user_obj, model)
        verb = _VERBS[action]
        return can_model(user_obj, verb, model) if obj is None or obj.pk is None else can_object(user_obj, verb, obj)

    def has_module_perms(self, user_obj: User | AnonymousUser, app_label: str) -> bool:
        return any(module_of(model) and can_model(user_obj, "view", model) for model in apps.get_app_config(app_label).get_models())

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: models.Model | None = None) -> set[str]:
        """Django's names of everything that the roles allow; for third-party code, ours asks `access`."""
        if obj is not None:
            return set()
        names = (f"{model._meta.app_label}.{action}_{model._meta.model_name}" for model in apps.get_models() for action in (*_VERBS, "add"))
        return {name for name in names if self.has_perm(user_obj, name)}

    def with_perm(self, *_args: Any, **_kwargs: Any) -> Any:
        return User.objects.none()


def _asked(perm: str) -> tuple[type[models.Model] | None, str]:
    """`bots.change_channel` → (Channel, "change"); (None, "") for what is not one of Django's four permissions of a model."""
    app_label, _dot, codename = perm.partition(".")
    action, _underscore, model_name = codename.partition("_")
    if action not in (*_VERBS, "add"):
        return None, ""
    try:
        return apps.get_model(app_label, model_name), action
    except (LookupError, ValueError):
        return None, ""
