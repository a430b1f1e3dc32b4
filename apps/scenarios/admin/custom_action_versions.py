"""Published versions of custom actions: never changed; to be read, compared and run again by rolling back."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.accounts.models import User
from apps.events.admin.acts import Act, ActError, page_address
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import Fact, LogAdmin
from apps.events.showing import EMPTY, badge, link, moment
from apps.scenarios.jail import publishing
from apps.scenarios.models import CustomActionVersion


def _is_old(version: CustomActionVersion) -> bool:
    return version.action.published_id != version.pk


@admin.register(CustomActionVersion)
class CustomActionVersionAdmin(LogAdmin):
    intro = gettext_lazy("Everything that was ever published of custom actions, by whom and why.")
    list_display = ("name", "action_link", "state", "note", "published_by", "at")
    list_filter = (bot_filter("action__bot_id"),)
    list_select_related = ("action__bot", "published_by")
    search_fields = ("action__name", "action__key", "note")
    acts = (
        Act("rollback", gettext_lazy("Roll back to this version"), icon="settings_backup_restore", tone="primary", when=_is_old,
            confirm=gettext_lazy("The draft becomes this version and is published as a new one. Unpublished changes of the draft stay in its history only.")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("action__bot")

    def act_rollback(self, request: HttpRequest, obj: CustomActionVersion) -> HttpResponse | str:
        assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
        try:
            publishing.roll_back(obj, user=request.user)
        except publishing.UnreadableCodeError as error:
            raise ActError(str(error)) from error
        return HttpResponseRedirect(page_address(obj.action))

    @display(description=gettext_lazy("version"))
    def name(self, version: CustomActionVersion) -> str:
        return str(version)

    @display(description=gettext_lazy("custom action"))
    def action_link(self, version: CustomActionVersion) -> SafeString:
        return link(page_address(version.action), version.action.name)

    @display(description=gettext_lazy("state"))
    def state(self, version: CustomActionVersion) -> SafeString:
        return badge(_("old")) if _is_old(version) else badge(_("running"), "ok")

    @display(description=gettext_lazy("published"), ordering="published_at")
    def at(self, version: CustomActionVersion) -> SafeString:
        return moment(version.published_at)

    def facts(self, request: HttpRequest, obj: CustomActionVersion) -> list[Fact]:  # noqa: ARG002
        compare = f"{reverse('admin:scenarios_customaction_compare', args=[obj.action_id])}?old={obj.number}"
        return [
            Fact(_("Custom action"), self.action_link(obj)),
            Fact(_("State"), self.state(obj)),
            Fact(_("Published"), self.at(obj)),
            Fact(_("By"), str(obj.published_by or EMPTY)),
            Fact(_("What is new"), obj.note or EMPTY),
            Fact(_("Although tests failed, because"), obj.despite or EMPTY),
            Fact(_("Differences"), link(compare, _("against the draft"))),
            Fact(_("Parameters"), ", ".join(f"{one['name']}: {one['type']}" for one in obj.params) or EMPTY),
            Fact(_("Exits"), ", ".join(one["name"] for one in obj.exits) or EMPTY),
            Fact(_("Code"), format_html('<pre class="db-code">{}</pre>', obj.code), wide=True),
        ]
