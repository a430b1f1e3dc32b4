"""Messages one by one: above all those that failed, with their reason and a retry."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.access import can_object, scoped
from apps.conversations.admin.bubbles import bubble, state_badge
from apps.conversations.models import Attachment, Message
from apps.conversations.resending import AGAIN, resend
from apps.core import audit
from apps.core.filetypes import DOWNLOAD, INLINE
from apps.events.admin.acts import Act, ActError
from apps.events.admin.filtering import bot_filter, exact, number, since
from apps.events.admin.pages import Fact, LogAdmin, Panel
from apps.events.showing import EMPTY, badge, link, moment, page_of, trace_link


@admin.register(Message)
class MessageAdmin(LogAdmin):
    intro = gettext_lazy("Every message in and out. Filter by “failed” to see what did not arrive, why, and to send it again.")
    list_display = ("time", "way", "client", "words", "state_shown", "why", "trace")
    list_filter = (
        ("state", ChoicesDropdownFilter), ("direction", ChoicesDropdownFilter), ("author", ChoicesDropdownFilter), bot_filter("conversation__bot_id"),
        since("created_at"), exact("trace_id", gettext_lazy("trace"), parameter="trace"),
        number("conversation_id", gettext_lazy("conversation (number)"), parameter="conversation"),
    )  # fmt: skip
    list_select_related = ("conversation__person", "conversation__lead", "channel")
    actions = ("send_again",)
    acts = (
        Act("resend", gettext_lazy("Send again"), icon="send", tone="primary", when=lambda message: message.state in AGAIN and message.direction == "out",
            confirm=gettext_lazy("The message goes out again, behind what the chat waits for. If the first one did arrive, the client gets it twice.")),
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        own = path("file/<uuid:uid>/", self.admin_site.admin_view(self.file_view), name="conversations_message_file")
        return [own, *super().get_urls()]

    def file_view(self, request: HttpRequest, uid: Any) -> FileResponse:
        """A stored file for those who may see its message; always as a download (`<img>` does not mind), never shown as a page."""
        row = scoped(Attachment.objects.filter(uid=uid, state=Attachment.State.STORED), request.user).first()
        if row is None:
            raise Http404
        if "preview" not in request.GET:  # a picture in the conversation is read with it, as its words are
            audit.record(request.user, "conversations.file.opened", row)
        content_type = row.mime if row.mime in INLINE else DOWNLOAD
        response = FileResponse(row.file.open("rb"), as_attachment=True, filename=row.name or str(row.uid), content_type=content_type)
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cache-Control"] = "private, no-store"
        return response

    @action(description=gettext_lazy("Send again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        rows = [row for row in queryset.select_related("conversation__lead")[:500] if can_object(request.user, "edit", row)]
        count = sum(resend(row, user_id=request.user.pk) for row in rows)
        audit.record(request.user, "conversations.message.resend", messages=[row.pk for row in rows])
        messages.success(
            request, ngettext("%(count)s message goes out again.", "%(count)s messages go out again.", count) % {"count": count}
        )

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("conversations.change_message"))

    def act_resend(self, request: HttpRequest, obj: Message) -> str:
        if not resend(obj, user_id=request.user.pk):
            raise ActError(_("This message is not failed any more."))
        return _("The message goes out again.")

    @display(description=gettext_lazy("time"))
    def time(self, row: Message) -> SafeString:
        return moment(row.created_at)

    @display(description=gettext_lazy("direction"))
    def way(self, row: Message) -> SafeString:
        out = row.direction == Message.Direction.OUT
        return badge(row.get_author_display(), "info" if out else "plain", icon="north_east" if out else "south_west")

    @display(description=gettext_lazy("client"))
    def client(self, row: Message) -> SafeString:
        return link(page_of("conversations.Conversation", row.conversation_id), f"{row.conversation.person} · {row.conversation.lead.code}")

    @display(description=gettext_lazy("text"))
    def words(self, row: Message) -> str:
        return row.text[:100] or EMPTY

    @display(description=gettext_lazy("state"))
    def state_shown(self, row: Message) -> SafeString:
        return state_badge(row)

    @display(description=gettext_lazy("reason"))
    def why(self, row: Message) -> str:
        return row.error or EMPTY

    @display(description=gettext_lazy("trace"))
    def trace(self, row: Message) -> SafeString:
        return trace_link(row.trace_id)

    def facts(self, request: HttpRequest, obj: Message) -> list[Fact]:  # noqa: ARG002
        conversation = obj.conversation
        return [
            Fact(_("state"), state_badge(obj)), Fact(_("reason"), obj.error or EMPTY), Fact(_("time"), moment(obj.created_at)),
            Fact(_("sent"), moment(obj.sent_at)), Fact(_("conversation"), link(page_of("conversations.Conversation", conversation.pk), f"#{conversation.pk}")),
            Fact(_("person"), link(page_of("identity.Person", conversation.person_id), str(conversation.person))),
            Fact(_("channel"), link(page_of("bots.Channel", obj.channel_id), str(obj.channel))), Fact(_("trace"), trace_link(obj.trace_id)),
            Fact(_("id at the messenger"), obj.external_id or EMPTY),
        ]  # fmt: skip

    def panels(self, request: HttpRequest, obj: Message) -> list[Panel]:  # type: ignore[override]  # noqa: ARG002
        context = {"bubbles": [bubble(obj, obj.attachments.all())], "older": "", "newest": ""}
        return [Panel(title=_("Message"), template="admin/conversations/chat.html", context=context, icon="chat")]
