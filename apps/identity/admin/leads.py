"""The mapping table userId ↔ leadId ↔ chatId: the sources' own names, editable and exportable."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from apps.bots.admin.health import icon_of, kind_label
from apps.bots.registry import adapters
from apps.core import audit
from apps.events import exporting
from apps.events.admin.acts import Act
from apps.events.admin.filtering import bot_filter, since
from apps.events.admin.listing import LogListMixin
from apps.events.admin.pages import Fact, PageAdmin, Panel, facts_panel
from apps.events.admin.unfolded import DropdownFilter
from apps.events.showing import EMPTY, badge, json_block, link, moment, page_of
from apps.identity import linking, searching
from apps.identity.mapping import mapping, mapping_row
from apps.identity.models import Lead

COLUMNS = ("userId", "leadId", "chatId", "isActive", "source", "connected_at")


class SourceFilter(DropdownFilter):
    title = gettext_lazy("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return adapters.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(channel__kind=self.value()) if self.value() else queryset


class LinkedFilter(DropdownFilter):
    title = gettext_lazy("linked to a user")
    parameter_name = "linked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("1", gettext_lazy("yes")), ("0", gettext_lazy("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(connected_at__isnull=self.value() == "0") if self.value() in ("0", "1") else queryset


@admin.register(Lead)
class LeadAdmin(LogListMixin, PageAdmin):
    intro = gettext_lazy(
        "Which user of your system is which chat: userId ↔ leadId ↔ chatId. A row appears by itself when somebody writes to a bot."
    )
    list_display = ("user_id", "lead_id", "chat", "active", "source", "connected", "person_link")
    list_display_links = ("lead_id",)
    list_filter = (bot_filter("channel__bot_id"), SourceFilter, ("is_active", BooleanRadioFilter), LinkedFilter, since("connected_at"))
    search_fields = ("code",)
    search_help_text = gettext_lazy("Lead, chat id or user id")
    change_list_template = "admin/identity/mapping_list.html"
    fieldsets = (
        (None, {"fields": ("mapping_shown", "person_link", "is_active", "inactive_reason")}),
        (
            gettext_lazy("What the messenger tells"),
            {"fields": ("display_name", "username", "profile_shown", "is_group"), "classes": ["collapse"]},
        ),
    )
    readonly_fields = ("mapping_shown", "person_link", "display_name", "username", "profile_shown", "is_group")
    acts = (
        Act("disconnect", gettext_lazy("Unlink from the user"), icon="link_off", tone="danger", when=lambda lead: lead.connected_at is not None,
            confirm=gettext_lazy("The chat will belong to nobody: a new, unknown person is made for it. The person keeps ids and other chats.")),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        return [path("export/", self.admin_site.admin_view(self.export_view), name="identity_lead_export"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("person", "channel__bot").prefetch_related("person__external_ids")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:  # noqa: ARG002
        return searching.leads(queryset, search_term), False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """A lead is a chat that exists in the messenger; it cannot be made up."""
        return False

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The rows that the list shows with its filters, as CSV or JSON; noted in the audit trail."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kind = "json" if request.GET.get("format") == "json" else "csv"
        filters = request.GET.copy()
        filters.pop("format", None)
        request.GET = filters  # type: ignore[assignment]  # the change list reads its filters here
        rows = self.get_changelist_instance(request).get_queryset(request)
        audit.record(request.user, "identity.mapping.exported", format=kind, filters=filters.dict())
        return exporting.download("mapping", kind, COLUMNS, mapping(rows))

    def act_disconnect(self, request: HttpRequest, obj: Lead) -> str:
        person = linking.disconnect(obj, reason=f"unlinked by {request.user.get_username()}")
        return _("Unlinked. The chat belongs to the new person number %(number)s.") % {"number": person.pk}

    @display(description="userId")
    def user_id(self, lead: Lead) -> str:
        found = mapping_row(lead)["userId"]
        return EMPTY if found is None else str(found)

    @display(description="leadId")
    def lead_id(self, lead: Lead) -> str:
        return lead.code

    @display(description="chatId")
    def chat(self, lead: Lead) -> str:
        return lead.chat_id

    @display(description="isActive")
    def active(self, lead: Lead) -> SafeString:
        return badge(_("yes"), "ok") if lead.is_active else badge(_("no"), "warn", title=lead.inactive_reason)

    @display(description="source")
    def source(self, lead: Lead) -> SafeString:
        return badge(kind_label(lead.channel), icon=icon_of(lead.channel), title=lead.channel.name)

    @display(description="connected_at")
    def connected(self, lead: Lead) -> SafeString:
        return moment(lead.connected_at)

    @display(description=gettext_lazy("person"))
    def person_link(self, lead: Lead) -> SafeString:
        return link(page_of("identity.Person", lead.person_id), str(lead.person))

    @display(description=gettext_lazy("mapping"))
    def mapping_shown(self, lead: Lead) -> SafeString:
        return json_block(mapping_row(lead))

    @display(description=gettext_lazy("profile"))
    def profile_shown(self, lead: Lead) -> SafeString | str:
        return json_block(lead.profile) if lead.profile else EMPTY

    def panels(self, request: HttpRequest, obj: Lead) -> list[Panel]:  # type: ignore[override]  # noqa: ARG002
        facts = [
            Fact(_("channel"), link(page_of("bots.Channel", obj.channel_id), str(obj.channel))),
            Fact(_("bot"), link(page_of("bots.Bot", obj.channel.bot_id), obj.channel.bot.name)),
            Fact(_("last wrote"), moment(obj.last_inbound_at)),
            Fact(_("first seen"), moment(obj.created_at)),
        ]
        return [facts_panel(_("Where it is"), facts, icon="cell_tower")]
