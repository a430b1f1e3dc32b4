"""The log as a list: filters, export, and from each row the way to its chain."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from apps.core.masking import mask
from apps.events import views
from apps.events.admin.filtering import PeriodFilter, SeenValuesFilter, bot_filter, exact, number, since
from apps.events.admin.listing import LogChangeList
from apps.events.admin.pages import Fact, LogAdmin
from apps.events.admin.places import Named, named
from apps.events.admin.unfolded import ChangeList
from apps.events.kinds import kind_title
from apps.events.models import Event
from apps.events.showing import EMPTY, badge, json_block, link, moment, span, trace_link
from apps.events.tracing import Place


class KindFilter(SeenValuesFilter):
    title = _("kind")
    parameter_name = "kind"
    column = "kind"

    def label(self, value: str) -> str:
        return f"{kind_title(value)} ({value})"


class EventChangeList(LogChangeList):
    """Knows the names of everything on its page after one query for each kind of thing."""

    names: dict[Place, Named]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        places = {
            place
            for row in self.result_list
            for place in (Place("bots.Bot", row.bot_id), Place("identity.Person", row.person_id))
            if place.pk
        }
        self.names = named(places, request.user)
        for row in self.result_list:
            row.names = self.names


@admin.register(Event)
class EventAdmin(LogAdmin):
    intro = _(
        "Everything that happened, newest first. The trace shows a whole chain: from the call of a system to the client's answer and back."
    )
    list_display = ("time", "what", "outcome", "source", "bot", "person", "took", "trace")
    list_display_links = ("time",)
    list_filter = (
        since("timestamp"),
        KindFilter,
        ("status", ChoicesDropdownFilter),
        bot_filter("bot_id"),
        exact("source_system", _("source system")),
        exact("endpoint", _("endpoint")),
        exact("trace_id", _("trace"), parameter="trace"),
        number("person_id", _("person (number)"), parameter="person"),
        number("conversation_id", _("conversation (number)"), parameter="conversation"),
        ("timestamp", PeriodFilter),
    )
    search_fields = ("trace_id",)
    search_help_text = _("Trace id")
    change_list_template = "events/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("trace/<str:trace_id>/", wrap(self.trace_view), name="events_event_trace"),
            path("export/", wrap(self.export_view), name="events_event_export"),
        ]
        return [*own, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return EventChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:  # noqa: ARG002
        """A trace id is found whole, through its index."""
        term = search_term.strip()
        return (queryset.filter(trace_id=term) if term else queryset), False

    def trace_view(self, request: HttpRequest, trace_id: str) -> HttpResponse:
        return views.trace_page(request, trace_id, admin_site=self.admin_site)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        return views.export(request, self)

    @display(description=_("time"))
    def time(self, row: Event) -> SafeString:
        return moment(row.timestamp)

    @display(description=_("what happened"))
    def what(self, row: Event) -> SafeString:
        return link("", kind_title(row.kind, failed=row.status == Event.Status.FAIL), title=row.kind)

    @display(description=_("status"))
    def outcome(self, row: Event) -> SafeString:
        return outcome(row)

    @display(description=_("system and endpoint"))
    def source(self, row: Event) -> str:
        return " · ".join(part for part in (row.source_system, row.endpoint) if part) or EMPTY

    @display(description=_("bot"))
    def bot(self, row: Event) -> SafeString | str:
        return _place(row, Place("bots.Bot", row.bot_id or 0))

    @display(description=_("person"))
    def person(self, row: Event) -> SafeString | str:
        return _place(row, Place("identity.Person", row.person_id or 0))

    @display(description=_("took"))
    def took(self, row: Event) -> str:
        return span(row.latency_ms)

    @display(description=_("trace"))
    def trace(self, row: Event) -> SafeString:
        return trace_link(row.trace_id)

    def facts(self, request: HttpRequest, obj: Event) -> list[Fact]:
        about = {
            "bots.Bot": obj.bot_id,
            "bots.Channel": obj.channel_id,
            "identity.Person": obj.person_id,
            "identity.Lead": obj.lead_id,
            "conversations.Conversation": obj.conversation_id,
            "scenarios.Session": obj.session_id,
            "accounts.User": obj.user_id,
        }
        names = named((Place(label, pk) for label, pk in about.items() if pk), request.user)
        return [
            Fact(_("time"), moment(obj.timestamp)),
            Fact(_("what happened"), f"{kind_title(obj.kind)} ({obj.kind})"),
            Fact(_("status"), outcome(obj)),
            Fact(_("latency"), span(obj.latency_ms)),
            Fact(_("source system"), obj.source_system or EMPTY),
            Fact(_("endpoint"), obj.endpoint or EMPTY),
            Fact(_("trace"), trace_link(obj.trace_id)),
            *(Fact(found.what, link(found.url, found.name)) for found in names.values()),
            Fact(_("details"), json_block(mask(obj.details)) if obj.details else EMPTY, wide=True),
        ]


def outcome(row: Event) -> SafeString:
    """Failures stand out; a success is only a tick, or a page of green would hide them."""
    if row.status == Event.Status.FAIL:
        return badge(row.get_status_display(), "bad")
    return format_html(
        '<span class="db-tick material-symbols-outlined" title="{0}" aria-label="{0}">check</span>', row.get_status_display()
    )


def _place(row: Event, place: Place) -> SafeString | str:
    found: Named | None = getattr(row, "names", {}).get(place)
    return link(found.url, found.name) if found else EMPTY
