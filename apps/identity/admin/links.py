"""Connect links: made here for one user, shown once, and seen to be used."""

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
from unfold.decorators import display

from apps.accounts.access import scoped
from apps.bots.models import Channel
from apps.core import audit
from apps.events.admin.filtering import bot_filter, exact, since
from apps.events.admin.pages import Fact, LogAdmin
from apps.events.showing import EMPTY, badge, link, moment, page_of
from apps.identity import linking
from apps.identity.forms import ConnectLinkForm
from apps.identity.models import ConnectLink


@admin.register(ConnectLink)
class ConnectLinkAdmin(LogAdmin):
    intro = gettext_lazy(
        "A connect link, opened in the messenger, links that chat to a user of your system. It works once and for ten minutes."
    )
    list_display = ("for_user", "bot", "channel", "state", "expires", "used_by_link")
    list_filter = (bot_filter("bot_id"), exact("external_id", gettext_lazy("user id"), parameter="user"), since("created_at"))
    list_select_related = ("bot", "channel", "used_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("identity.add_connectlink"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Make one and show it: its token is stored as a digest, so that this page is the only place where it can be read."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ConnectLinkForm(request.POST or None)
        form.fields["channel"].queryset = self._channels(request)  # type: ignore[attr-defined]
        made = self._make(request, form) if request.method == "POST" and form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Make a connect link"),
            "opts": self.opts,
            "form": form,
            "made": made,
        }
        response = TemplateResponse(request, "admin/identity/make_link.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def _channels(self, request: HttpRequest) -> QuerySet[Channel]:
        rows = Channel.objects.filter(is_active=True).select_related("bot").order_by("bot__name", "name")
        return scoped(rows, request.user, "edit", module="people")

    def _make(self, request: HttpRequest, form: ConnectLinkForm) -> linking.MadeLink:
        channel: Channel = form.cleaned_data["channel"]
        audit.record(request.user, "identity.connect_link.made", channel, user_id=form.cleaned_data["external_id"])
        return linking.make_link(channel.bot, channel, system=form.cleaned_data["system"], external_id=form.cleaned_data["external_id"])

    @display(description=gettext_lazy("for the user"))
    def for_user(self, row: ConnectLink) -> str:
        return str(row)

    @display(description=gettext_lazy("state"))
    def state(self, row: ConnectLink) -> SafeString:
        return state(row)

    @display(description=gettext_lazy("expires"))
    def expires(self, row: ConnectLink) -> SafeString:
        return moment(row.expires_at)

    @display(description=gettext_lazy("used by"))
    def used_by_link(self, row: ConnectLink) -> SafeString | str:
        return _lead(row)

    def facts(self, request: HttpRequest, obj: ConnectLink) -> list[Fact]:  # noqa: ARG002
        return [
            Fact(_("for the user"), str(obj)), Fact(_("state"), state(obj)), Fact(_("bot"), link(page_of("bots.Bot", obj.bot_id), str(obj.bot))),
            Fact(_("channel"), str(obj.channel or EMPTY)), Fact(_("made"), moment(obj.created_at)), Fact(_("expires"), moment(obj.expires_at)),
            Fact(_("used"), moment(obj.used_at)), Fact(_("used by"), _lead(obj)),
        ]  # fmt: skip


def state(row: ConnectLink) -> SafeString:
    if row.used_at:
        return badge(_("used"), "ok")
    return badge(_("expired"), "plain") if row.expires_at < timezone.now() else badge(_("open"), "info")


def _lead(row: ConnectLink) -> SafeString | str:
    return link(page_of("identity.Lead", row.used_by_id), row.used_by.code) if row.used_by else EMPTY
