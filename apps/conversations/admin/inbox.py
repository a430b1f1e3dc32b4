"""The inbox: what was accepted and how it went. Parked items wait here for a person: replay or discard."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.access import can_object
from apps.conversations import parking
from apps.conversations.models import Update
from apps.core import audit
from apps.core.masking import mask
from apps.events.admin.acts import Act, ActError
from apps.events.admin.filtering import bot_filter, exact, since
from apps.events.admin.pages import Fact, LogAdmin
from apps.events.showing import EMPTY, Tone, badge, json_block, link, moment, page_of, trace_link
from apps.identity.attributes import private_keys

TONES: dict[str, Tone] = {
    Update.State.PENDING: "warn",
    Update.State.DONE: "ok",
    Update.State.PARKED: "bad",
    Update.State.DISCARDED: "plain",
}


@admin.register(Update)
class UpdateAdmin(LogAdmin):
    intro = gettext_lazy(
        "What came in and could not be handled is parked here with its reason; the chat goes on. Mend the cause, then replay the item, or discard it."
    )
    list_display = ("received", "kind_shown", "state_shown", "bot", "channel", "tries", "why", "trace")
    list_filter = (
        ("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter), bot_filter("bot_id"), since("received_at"),
        exact("trace_id", gettext_lazy("trace"), parameter="trace"),
    )  # fmt: skip
    list_select_related = ("bot", "channel")
    actions = ("replay_all", "discard_all")
    acts = (
        Act("replay", gettext_lazy("Replay"), icon="replay", tone="primary", when=lambda update: update.state in ("parked", "discarded")),
        Act("discard", gettext_lazy("Discard"), icon="delete", tone="danger", when=lambda update: update.state == "parked",
            confirm=gettext_lazy("The item stays in the log and is never handled. It can still be replayed later.")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Update]:
        """Lists need no contents: they are encrypted and large."""
        return super().get_queryset(request).defer("payload")

    @action(description=gettext_lazy("Replay"), permissions=["settle"])
    def replay_all(self, request: HttpRequest, queryset: QuerySet[Update]) -> None:
        count = self._each(request, queryset, "replay")
        messages.success(
            request, ngettext("%(count)s item is handled again.", "%(count)s items are handled again.", count) % {"count": count}
        )

    @action(description=gettext_lazy("Discard"), permissions=["settle"])
    def discard_all(self, request: HttpRequest, queryset: QuerySet[Update]) -> None:
        count = self._each(request, queryset, "discard")
        messages.success(request, ngettext("%(count)s item discarded.", "%(count)s items discarded.", count) % {"count": count})

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("conversations.change_update"))

    def _each(self, request: HttpRequest, queryset: QuerySet[Update], act: str) -> int:
        rows = [row for row in queryset.order_by("pk")[:500] if can_object(request.user, "edit", row)]
        audit.record(request.user, f"conversations.update.{act}", updates=[row.pk for row in rows])
        settle = parking.replay if act == "replay" else parking.discard
        return sum(settle(row, user_id=request.user.pk) for row in rows)

    def act_replay(self, request: HttpRequest, obj: Update) -> str:
        if not parking.replay(obj, user_id=request.user.pk):
            raise ActError(_("The item is not parked any more."))
        return _("The item is handled again; look at its state in a moment.")

    def act_discard(self, request: HttpRequest, obj: Update) -> str:
        if not parking.discard(obj, user_id=request.user.pk):
            raise ActError(_("The item is not parked any more."))
        return _("Discarded.")

    @display(description=gettext_lazy("received"))
    def received(self, row: Update) -> SafeString:
        return moment(row.received_at)

    @display(description=gettext_lazy("kind"))
    def kind_shown(self, row: Update) -> str:
        return row.get_kind_display()

    @display(description=gettext_lazy("state"))
    def state_shown(self, row: Update) -> SafeString:
        return state_badge(row)

    @display(description=gettext_lazy("attempts"))
    def tries(self, row: Update) -> str:
        return str(row.attempts) if row.attempts else EMPTY

    @display(description=gettext_lazy("reason"))
    def why(self, row: Update) -> str:
        return row.error[:120] or EMPTY

    @display(description=gettext_lazy("trace"))
    def trace(self, row: Update) -> SafeString:
        return trace_link(row.trace_id)

    def facts(self, request: HttpRequest, obj: Update) -> list[Fact]:  # noqa: ARG002
        private = private_keys()
        return [
            Fact(_("state"), state_badge(obj)), Fact(_("kind"), obj.get_kind_display()), Fact(_("received"), moment(obj.received_at)),
            Fact(_("done"), moment(obj.done_at)), Fact(_("attempts"), str(obj.attempts)),
            Fact(_("bot"), link(page_of("bots.Bot", obj.bot_id), obj.bot.name)),
            Fact(_("channel"), link(page_of("bots.Channel", obj.channel_id), str(obj.channel))), Fact(_("trace"), trace_link(obj.trace_id)),
            Fact(_("event key"), obj.event_key),
            *([Fact(_("reason"), badge(obj.error, "bad") if len(obj.error) < 80 else json_block(obj.error), wide=True)] if obj.error else []),  # noqa: PLR2004
            Fact(_("content"), json_block(mask(obj.payload, private=private)), wide=True),
            *([Fact(_("outcome"), json_block(mask(obj.outcome, private=private)), wide=True)] if obj.outcome else []),
        ]  # fmt: skip


def state_badge(row: Update) -> SafeString:
    return badge(row.get_state_display(), TONES.get(row.state, "plain"))
