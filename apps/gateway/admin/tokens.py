"""Access tokens: issued, rotated and revoked here; the clear text is shown once, on the page that follows, and never again."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from apps.accounts.models import User
from apps.core import audit
from apps.events.admin.acts import Act, ActError
from apps.events.admin.pages import PageAdmin
from apps.events.showing import badge, badges, moment
from apps.gateway import tokens
from apps.gateway.forms import TokenForm
from apps.gateway.models import ApiToken


def _is_live(token: ApiToken) -> bool:
    return token.is_active and (token.expires_at is None or token.expires_at > timezone.now())


@admin.register(ApiToken)
class ApiTokenAdmin(PageAdmin):
    form = TokenForm
    intro = gettext_lazy("A token lets an outside system call endpoints. Give each system its own, with only the rights that it needs.")
    list_display = ("name", "shown", "source_system", "for_bots", "for_endpoints", "used", "ends", "state")
    list_filter = (("is_active", BooleanRadioFilter), ("dry_run_only", BooleanRadioFilter))
    search_fields = ("name", "source_system", "=last_four")
    search_help_text = gettext_lazy("Name, system or last four characters")
    fieldsets = (
        (None, {"fields": (("name", "source_system"), "is_active")}),
        (gettext_lazy("What it may do"), {"fields": (("all_bots", "bots"), ("all_aliases", "aliases"), "data_rights", "dry_run_only")}),
        (gettext_lazy("Limits"), {"fields": ("calls_per_minute", "expires_at")}),
    )
    acts = (
        Act("rotate", gettext_lazy("Rotate"), icon="autorenew", tone="primary", when=_is_live,
            confirm=gettext_lazy("A second token with the same rights is made and shown once. The old one works for seven more days.")),
        Act("revoke", gettext_lazy("Revoke"), icon="block", tone="danger", when=lambda token: token.is_active,
            confirm=gettext_lazy("Calls with this token are refused from now on.")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("bots")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Not the usual form: whoever issues a token must see its clear text, which is stored nowhere."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form_class = self.get_form(request, None)
        form = form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._issued(request, *self._issue(request, form.cleaned_data))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Issue a token"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/gateway/new_token.html", context)

    def _issue(self, request: HttpRequest, data: dict[str, Any]) -> tuple[ApiToken, str]:
        row, clear = tokens.issue(
            name=data["name"], source_system=data["source_system"], bots=None if data["all_bots"] else data["bots"],
            aliases=None if data["all_aliases"] else data["aliases"], dry_run_only=data["dry_run_only"], calls_per_minute=data["calls_per_minute"],
            expires_at=data["expires_at"], created_by=_staff(request), data=data["data_rights"],
        )  # fmt: skip
        if not data["is_active"]:
            row.is_active = False
            row.save(update_fields=["is_active"])
        audit.record(request.user, "gateway.apitoken.issue", row)
        return row, clear

    def _issued(self, request: HttpRequest, row: ApiToken, clear: str) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": _("The new token"), "opts": self.opts, "token": row, "clear": clear}
        response = TemplateResponse(request, "admin/gateway/issued_token.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def act_rotate(self, request: HttpRequest, obj: ApiToken) -> HttpResponse:
        try:
            return self._issued(request, *tokens.rotate(obj, created_by=_staff(request)))
        except tokens.RotationError as error:
            raise ActError(_("This token has been replaced already, and both are live. Revoke one of the two first.")) from error

    def act_revoke(self, _request: HttpRequest, obj: ApiToken) -> str:
        obj.is_active = False
        obj.save(update_fields=["is_active"])
        return _("Revoked. Calls with this token are refused from now on.")

    @display(description=gettext_lazy("token"))
    def shown(self, token: ApiToken) -> str:
        return f"{token.prefix}…{token.last_four}"

    @display(description=gettext_lazy("bots"))
    def for_bots(self, token: ApiToken) -> SafeString:
        return badge(_("all"), "warn") if token.all_bots else badges(badge(bot.name) for bot in token.bots.all())

    @display(description=gettext_lazy("endpoints"))
    def for_endpoints(self, token: ApiToken) -> SafeString:
        return badge(_("all")) if token.all_aliases else badges(badge(alias) for alias in token.aliases[:5])

    @display(description=gettext_lazy("last used"), ordering="last_used_at")
    def used(self, token: ApiToken) -> SafeString:
        return moment(token.last_used_at)

    @display(description=gettext_lazy("expires"), ordering="expires_at")
    def ends(self, token: ApiToken) -> SafeString:
        return moment(token.expires_at)

    @display(description=gettext_lazy("state"))
    def state(self, token: ApiToken) -> SafeString:
        if not token.is_active:
            return badge(_("revoked"))
        if not _is_live(token):
            return badge(_("expired"))
        return badge(_("dry run only"), "info") if token.dry_run_only else badge(_("live"), "ok")


def _staff(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
