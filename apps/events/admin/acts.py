"""Acts on one row: buttons over its page that change something, by POST only, with the right checked and the deed in the audit trail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.access import Verb, can_object
from apps.core import audit

Text = str | Promise


class ActError(Exception):
    """The act cannot be done now; the text tells a person why and what to do."""


def _always(_obj: Any) -> bool:
    return True


@dataclass(frozen=True)
class Act:
    """A button. `name` is the end of its address and of the method `act_<name>(request, obj)` that does it and returns a sentence for the
    user (or a response of its own). `confirm` is asked before; `when` says whether a row offers it.
    """

    name: str
    label: Text
    icon: str = ""
    tone: Literal["plain", "primary", "danger"] = "plain"
    confirm: Text = ""
    verb: Verb = "edit"
    when: Callable[[Any], bool] = _always


class ActsMixin:
    """For a ModelAdmin, before `BaseAdmin` in the list of bases."""

    model: type[models.Model]
    admin_site: Any
    acts: tuple[Act, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        opts = self.model._meta
        own = path(
            "<path:object_id>/act/<slug:name>/",
            self.admin_site.admin_view(require_POST(self.act_view)),
            name=f"{opts.app_label}_{opts.model_name}_act",
        )
        return [own, *super().get_urls()]  # type: ignore[misc]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        act = next((act for act in self.acts if act.name == name), None)
        obj = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if act is None or obj is None:
            raise Http404
        if not can_object(request.user, act.verb, obj):
            raise PermissionDenied
        back = HttpResponseRedirect(page_address(obj, site=self.admin_site.name))
        if not act.when(obj):
            messages.warning(request, _("This is not possible any more: the row has changed meanwhile. Look at its present state."))
            return back
        return self._done(request, act, obj) or back

    def _done(self, request: HttpRequest, act: Act, obj: models.Model) -> HttpResponse | None:
        try:
            result = getattr(self, f"act_{act.name}")(request, obj)
        except ActError as error:
            messages.error(request, str(error))
            return None
        audit.record(request.user, f"{obj._meta.app_label}.{obj._meta.model_name}.{act.name}", obj)
        if isinstance(result, HttpResponse):
            return result
        messages.success(request, str(result))
        return None

    def offered_acts(self, request: HttpRequest, obj: models.Model) -> list[dict[str, Any]]:
        """What the page shows to this user for this row."""
        opts = obj._meta
        return [
            {"act": act, "url": reverse(f"admin:{opts.app_label}_{opts.model_name}_act", args=[quote(obj.pk), act.name])}
            for act in self.acts
            if act.when(obj) and can_object(request.user, act.verb, obj)
        ]


def page_address(obj: models.Model, *, site: str = "admin") -> str:
    return reverse(f"{site}:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[quote(obj.pk)])
