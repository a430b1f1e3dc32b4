"""Conversations: who talks with whom, who serves it, and the whole text to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from apps.bots.admin.health import icon_of, kind_label
from apps.conversations.admin.bubbles import bubble
from apps.conversations.models import Conversation, Message
from apps.events.admin.filtering import bot_filter, number, since
from apps.events.admin.pages import Fact, LogAdmin, Panel, table
from apps.events.showing import EMPTY, Tone, badge, link, list_of, moment, page_of, with_query
from apps.identity import searching

SHOWN = 100
OWNERS: dict[str, Tone] = {Conversation.Owner.BOT: "info", Conversation.Owner.QUEUE: "warn", Conversation.Owner.OPERATOR: "ok"}


@admin.register(Conversation)
class ConversationAdmin(LogAdmin):
    intro = gettext_lazy("All threads with clients, the liveliest first. Open one to read it; operators answer in the panel.")
    page_by = "last_at"
    list_display = ("who", "where", "served_by", "last_message", "waits", "active_at")
    list_filter = (
        bot_filter("bot_id"), ("status", ChoicesDropdownFilter), ("owner", ChoicesDropdownFilter), since("last_at"),
        number("person_id", gettext_lazy("person (number)"), parameter="person"),
    )  # fmt: skip
    list_select_related = ("person", "lead__channel", "operator", "bot")
    search_fields = ("lead__code",)
    search_help_text = gettext_lazy("Name, lead, chat id, user id, phone or e-mail")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:  # noqa: ARG002
        people = searching.people(queryset.model._meta.get_field("person").related_model.objects.all(), search_term)
        return (queryset.filter(person_id__in=list(people.values_list("pk", flat=True)[:500])) if search_term.strip() else queryset), False

    @display(description=gettext_lazy("client"))
    def who(self, row: Conversation) -> str:
        return f"{row.person} · {row.lead.code}"

    @display(description=gettext_lazy("bot and channel"))
    def where(self, row: Conversation) -> SafeString:
        channel = row.lead.channel
        return badge(row.bot.name, icon=icon_of(channel), title=kind_label(channel))

    @display(description=gettext_lazy("served by"))
    def served_by(self, row: Conversation) -> SafeString:
        return served_by(row)

    @display(description=gettext_lazy("last message"))
    def last_message(self, row: Conversation) -> str:
        return f"{'→ ' if row.last_author != Message.Author.CLIENT else ''}{row.last_text[:80]}" if row.last_text else EMPTY

    @display(description=gettext_lazy("client waits since"))
    def waits(self, row: Conversation) -> SafeString:
        return moment(row.waiting_since)

    @display(description=gettext_lazy("last activity"))
    def active_at(self, row: Conversation) -> SafeString:
        return moment(row.last_at)

    def facts(self, request: HttpRequest, obj: Conversation) -> list[Fact]:  # noqa: ARG002
        return [
            Fact(_("person"), link(page_of("identity.Person", obj.person_id), str(obj.person))),
            Fact(_("lead"), link(page_of("identity.Lead", obj.lead_id), obj.lead.code)),
            Fact(_("bot"), link(page_of("bots.Bot", obj.bot_id), obj.bot.name)),
            Fact(_("channel"), link(page_of("bots.Channel", obj.lead.channel_id), str(obj.lead.channel))),
            Fact(_("served by"), served_by(obj)),
            Fact(_("client waits since"), moment(obj.waiting_since)),
            Fact(_("opened"), moment(obj.opened_at)),
            Fact(_("closed"), moment(obj.closed_at)),
        ]

    def panels(self, request: HttpRequest, obj: Conversation) -> list[Panel]:  # type: ignore[override]
        return [_chat(request, obj), _sessions(obj)]


def served_by(row: Conversation) -> SafeString:
    if row.status == Conversation.Status.CLOSED:
        return badge(_("closed"))
    name = str(row.operator) if row.owner == Conversation.Owner.OPERATOR and row.operator else row.get_owner_display()
    return badge(name, OWNERS.get(row.owner, "plain"))


def _chat(request: HttpRequest, conversation: Conversation) -> Panel:
    """The last messages; `?before=` a number shows those before it."""
    rows = conversation.messages.order_by("-seq").prefetch_related("attachments")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:  # noqa: PLR2004  fits a bigint
        rows = rows.filter(seq__lt=int(before))
    found = list(rows[: SHOWN + 1])
    shown = found[:SHOWN][::-1]
    older = with_query(request.path, before=shown[0].seq) if len(found) > SHOWN else ""
    context = {"bubbles": [bubble(row, row.attachments.all()) for row in shown], "older": older, "newest": request.path if before else ""}
    return Panel(title=_("Messages"), template="admin/conversations/chat.html", context=context, icon="forum")


def _sessions(conversation: Conversation) -> Panel:
    """Sessions lie in an app above; they are reached through the relation, not imported."""
    found: Any = conversation.sessions.select_related("scenario", "version").order_by("-pk")[:10]
    rows = [
        (
            link(page_of("scenarios.Session", row.pk), f"{row.scenario} {row.version}"), row.get_status_display(), row.node or EMPTY,
            moment(row.started_at), row.error or EMPTY,
        )
        for row in found
    ]  # fmt: skip
    headers = (_("scenario"), _("status"), _("stands at"), _("started"), _("error"))
    return table(
        _("Sessions"),
        headers,
        rows,
        icon="play_circle",
        empty=_("No scenario has run here."),
        more_url=list_of("scenarios.Session", conversation=conversation.pk),
    )
