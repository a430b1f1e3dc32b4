"""The page of a person: who it is, through which chats, under which ids, and what is known."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.accounts.access import can
from apps.bots.admin.health import icon_of
from apps.core.admin_base import BaseTabularInline
from apps.core.masking import mask_email, mask_phone
from apps.events.admin.filtering import bot_filter, exact, since
from apps.events.admin.listing import LogListMixin
from apps.events.admin.pages import Fact, PageAdmin, Panel, facts_panel, table
from apps.events.showing import EMPTY, badge, badges, link, list_of, moment, page_of
from apps.identity import attributes, searching
from apps.identity.admin.merges import merge_page
from apps.identity.forms import CARD, ExternalIdForm, ExternalIdFormSet, PersonForm, person_form
from apps.identity.models import ExternalId, Lead, Person


class ExternalIdInline(BaseTabularInline):
    model = ExternalId
    form = ExternalIdForm
    formset = ExternalIdFormSet
    fields = ("system", "value", "created_at")
    readonly_fields = ("created_at",)
    extra = 0
    verbose_name_plural = gettext_lazy("ids in other systems")


@admin.register(Person)
class PersonAdmin(LogListMixin, PageAdmin):
    intro = gettext_lazy(
        "Everybody who has written to a bot or was made known by another system. One person may have several chats and ids."
    )
    list_display = ("shown_name", "bot", "user_ids", "chats", "segment", "language", "created")
    list_filter = (
        bot_filter("bot_id"),
        exact("segment", gettext_lazy("segment")),
        exact("language", gettext_lazy("language")),
        since("created_at"),
    )
    list_select_related = ("bot",)
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name, user id, lead, chat id, phone or e-mail")
    inlines = (ExternalIdInline,)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("<int:pk>/merge/", wrap(self.merge_view), name="identity_person_merge"), *super().get_urls()]

    def merge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return merge_page(request, pk, admin_site=self.admin_site)

    # --- the list -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        leads = Lead.objects.select_related("channel").order_by("pk")
        return super().get_queryset(request).prefetch_related("external_ids", Prefetch("leads", queryset=leads))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:  # noqa: ARG002
        return searching.people(queryset, search_term), False

    @display(description=gettext_lazy("name"))
    def shown_name(self, person: Person) -> str:
        return str(person)

    @display(description=gettext_lazy("user ids"))
    def user_ids(self, person: Person) -> SafeString | str:
        ids = [badge(f"{row.system} {row.value}") for row in person.external_ids.all()]
        return badges(ids) if ids else EMPTY

    @display(description=gettext_lazy("chats"))
    def chats(self, person: Person) -> SafeString | str:
        leads = [
            badge(lead.code, "plain" if lead.is_active else "warn", icon=icon_of(lead.channel), title=lead.inactive_reason)
            for lead in person.leads.all()
        ]
        return badges(leads) if leads else EMPTY

    @display(description=gettext_lazy("created"))
    def created(self, person: Person) -> SafeString:
        return moment(person.created_at)

    # --- the form -----------------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Person | None = None, *args: Any, **kwargs: Any) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            kwargs["form"] = person_form()
        return super().get_form(request, obj, *args, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Person | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return (
                (None, {"fields": ("bot", "name", "segment", ("language", "timezone"), "masked_phone", "masked_email", "masked_values")}),
            )
        card = tuple(f"{CARD}{key}" for key, field in attributes.client_fields().items() if field.in_card)
        return (
            (None, {"fields": ("bot", "name", ("phone", "email"), "segment", ("language", "timezone"))}),
            *([(_("Client fields"), {"fields": card, "classes": ["tab"]})] if card else []),
            *([(_("Further attributes"), {"fields": ("attributes",), "classes": ["tab"]})] if obj else []),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Person | None = None) -> tuple[str, ...]:
        if obj is not None and not self.has_change_permission(request, obj):
            return ("masked_phone", "masked_email", "masked_values")
        return ("bot",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Person, form: Form, change: bool) -> None:  # noqa: FBT001  Django's signature
        """The row is made by Django; its values are written by the one function that everybody else uses too."""
        if not change:
            super().save_model(request, obj, form, change)
        assert isinstance(form, PersonForm)  # noqa: S101  get_form gives no other
        attributes.set_values(obj, form.changed_values(), source=f"staff:{request.user.get_username()}")

    @display(description=gettext_lazy("phone"))
    def masked_phone(self, person: Person) -> str:
        return mask_phone(person.phone) if person.phone else EMPTY

    @display(description=gettext_lazy("e-mail"))
    def masked_email(self, person: Person) -> str:
        return mask_email(person.email) if person.email else EMPTY

    @display(description=gettext_lazy("client fields"))
    def masked_values(self, person: Person) -> str:
        declared = attributes.client_fields()
        shown = [f"{declared[key].label if key in declared else key}: {value}" for key, value in person.attributes.items()]
        return " · ".join([*shown, *(f"{declared[key].label if key in declared else key}: •••" for key in person.private)]) or EMPTY

    # --- around the form ----------------------------------------------------------------------------------------------

    def notes(self, request: HttpRequest, obj: Person) -> list[SafeString | str]:  # type: ignore[override]  # noqa: ARG002
        confirmed = [str(name) for name, yes in ((_("phone"), obj.phone_verified), (_("e-mail"), obj.email_verified)) if yes]
        return [_("Confirmed by the person: %(what)s.") % {"what": ", ".join(confirmed)}] if confirmed else []

    def panels(self, request: HttpRequest, obj: Person) -> list[Panel]:  # type: ignore[override]
        found = [_chats(obj), *([_merging(obj)] if self.has_change_permission(request, obj) else [])]
        if can(request.user, "view", "operations", obj.bot_id):
            found.append(_conversations(obj))
        if can(request.user, "view", "events", obj.bot_id):
            found.append(_events_link(obj))
        return found


def _chats(person: Person) -> Panel:
    rows = [
        (
            link(page_of("identity.Lead", lead.pk), lead.code), str(lead.channel), lead.chat_id, _name(lead),
            badge(_("active"), "ok") if lead.is_active else badge(_("inactive"), "warn", title=lead.inactive_reason),
            moment(lead.connected_at), moment(lead.last_inbound_at),
        )
        for lead in person.leads.all()
    ]  # fmt: skip
    headers = (_("lead"), _("channel"), _("chat id"), _("name in the messenger"), _("state"), _("connected"), _("last wrote"))
    return table(_("Chats"), headers, rows, icon="chat", empty=_("This person has not written yet."))


def _merging(person: Person) -> Panel:
    ways = [
        Fact(_("the same human under another number"), link(reverse("admin:identity_person_merge", args=[person.pk]), _("Merge…"))),
        Fact(_("earlier merges"), link(list_of("identity.PersonMerge", person=person.pk), _("Show"))),
    ]
    return facts_panel(_("Duplicates"), ways, icon="merge")


def _conversations(person: Person) -> Panel:
    """Conversations lie in an app above; they are reached through the relation, not imported."""
    found: Any = person.conversations.select_related("lead").order_by("-pk")[:10]
    rows = [
        (
            link(page_of("conversations.Conversation", row.pk), f"#{row.pk}"), row.lead.code,
            badge(row.get_status_display(), "info" if row.status == "open" else "plain"), row.last_text or EMPTY, moment(row.last_at),
        )
        for row in found
    ]  # fmt: skip
    headers = (_("conversation"), _("lead"), _("status"), _("last message"), _("last activity"))
    more = list_of("conversations.Conversation", person=person.pk)
    return table(_("Conversations"), headers, rows, icon="forum", empty=_("No conversation yet."), more_url=more)


def _events_link(person: Person) -> Panel:
    address = list_of("events.Event", person=person.pk)
    return facts_panel(_("Event log"), [Fact(_("everything that happened with this person"), link(address, _("Show")))], icon="list_alt")


def _name(lead: Lead) -> str:
    return " ".join(part for part in (lead.display_name, f"@{lead.username}" if lead.username else "") if part) or EMPTY
