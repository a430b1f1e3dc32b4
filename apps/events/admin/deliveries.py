"""Deliveries: what was sent to whom, what came back, and once more."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.access import scoped
from apps.core import audit
from apps.core.masking import mask
from apps.events.admin.acts import Act, ActError
from apps.events.admin.filtering import BotFilter, exact, number, since
from apps.events.admin.pages import Fact, LogAdmin, Panel, table
from apps.events.kinds import kind_title
from apps.events.models import Delivery
from apps.events.showing import EMPTY, Tone, badge, json_block, link, moment, page_of, span, trace_link
from apps.events.webhooks import deliveries

State = Delivery.State
TONES: dict[str, Tone] = {State.PENDING: "warn", State.DONE: "ok", State.FAILED: "bad", State.HELD: "plain"}
SHOWN_CHARS = 20_000


class OfBot(BotFilter):
    column = "subscription__bot_id"


def _may_replay(row: Delivery) -> bool:
    return row.state != State.PENDING


@admin.register(Delivery)
class DeliveryAdmin(LogAdmin):
    intro = gettext_lazy(
        "What was told to subscribed systems. What fails is tried ten times over three days; here it can be looked at and sent once more."
    )
    list_display = ("time", "what", "to", "state_shown", "answer", "tries", "took", "why", "trace")
    list_filter = (
        ("state", ChoicesDropdownFilter), OfBot, since("created_at"), exact("kind", gettext_lazy("kind of event")),
        number("subscription_id", gettext_lazy("subscription (number)"), parameter="subscription"), exact("message_id", "webhook-id"),
        exact("trace_id", gettext_lazy("trace"), parameter="trace"),
    )  # fmt: skip
    list_select_related = ("subscription",)
    actions = ("replay_all",)
    acts = (Act("replay", gettext_lazy("Send once more"), icon="replay", tone="primary", when=_may_replay),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Lists need no contents: they are encrypted and large; and no secrets of the receivers."""
        return super().get_queryset(request).defer("body", "subscription__secret", "subscription__old_secret")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("events.change_delivery"))

    @action(description=gettext_lazy("Send once more"), permissions=["replay"])
    def replay_all(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        rows = list(scoped(queryset, request.user, "edit")[: deliveries.REPLAY_MOST])
        count = deliveries.replay(rows)
        audit.record(request.user, "events.delivery.replay_many", None, ids=[row.pk for row in rows][:100], count=count)
        messages.success(request, ngettext("%(count)s event is sent again.", "%(count)s events are sent again.", count) % {"count": count})

    def act_replay(self, _request: HttpRequest, obj: Delivery) -> str:
        if not deliveries.replay([obj]):
            raise ActError(_("The subscription is not active. Confirm or resume it first."))
        return _("Sent once more. Reload this page in a moment to see the answer.")

    @display(description=gettext_lazy("time"))
    def time(self, row: Delivery) -> SafeString:
        return moment(row.created_at)

    @display(description=gettext_lazy("event"))
    def what(self, row: Delivery) -> SafeString:
        return link("", kind_title(row.kind), title=row.kind)

    @display(description=gettext_lazy("subscription"))
    def to(self, row: Delivery) -> SafeString:
        return link(page_of("events.Subscription", row.subscription_id), row.subscription.name)

    @display(description=gettext_lazy("state"))
    def state_shown(self, row: Delivery) -> SafeString:
        return state_badge(row)

    @display(description=gettext_lazy("answer"))
    def answer(self, row: Delivery) -> str:
        return str(row.status_code or EMPTY)

    @display(description=gettext_lazy("attempts"))
    def tries(self, row: Delivery) -> str:
        return str(row.attempts or EMPTY)

    @display(description=gettext_lazy("took"))
    def took(self, row: Delivery) -> str:
        return span(row.latency_ms)

    @display(description=gettext_lazy("reason"))
    def why(self, row: Delivery) -> str:
        return row.error[:120] or EMPTY

    @display(description=gettext_lazy("trace"))
    def trace(self, row: Delivery) -> SafeString:
        return trace_link(row.trace_id)

    def facts(self, request: HttpRequest, obj: Delivery) -> list[Fact]:  # noqa: ARG002
        return [
            Fact(_("state"), state_badge(obj)), Fact(_("event"), f"{kind_title(obj.kind)} ({obj.kind})"),
            Fact(_("subscription"), link(page_of("events.Subscription", obj.subscription_id), obj.subscription.name)), Fact("webhook-id", obj.message_id),
            Fact(_("created"), moment(obj.created_at)), Fact(_("done"), moment(obj.done_at)),
            Fact(_("next attempt"), moment(obj.due_at) if obj.state == State.PENDING else EMPTY), Fact(_("attempts"), str(obj.attempts)),
            Fact(_("sent once more"), str(obj.replays or EMPTY)), Fact(_("trace"), trace_link(obj.trace_id)),
            Fact(_("reason"), obj.error or EMPTY), Fact(_("body"), json_block(_shown(obj.body)), wide=True),
        ]  # fmt: skip

    def panels(self, request: HttpRequest, obj: Delivery) -> list[Panel]:  # type: ignore[override]  # noqa: ARG002
        rows = obj.log.order_by("-id")[:50]
        return [
            table(
                _("Attempts"),
                [_("time"), _("address"), _("answer"), _("took"), _("what was sent (headers)"), _("what came back")],
                [
                    [
                        moment(row.at), row.url, str(row.status_code or row.error), span(row.latency_ms), json_block(row.request_headers),
                        json_block({"headers": row.response_headers, "body": row.response_body} if row.status_code else {"reason": row.error}),
                    ]
                    for row in rows
                ],
                icon="swap_vert",
                empty=_("No attempt was made yet."),
            )
        ]  # fmt: skip


def state_badge(row: Delivery) -> SafeString:
    return badge(row.get_state_display(), TONES[row.state], title=row.error)


def delivery_line(row: Delivery) -> list[Any]:
    """A row of the table on the subscription's page."""
    return [
        moment(row.created_at), link(page_of("events.Delivery", row.pk), kind_title(row.kind), title=row.kind), state_badge(row),
        str(row.status_code or EMPTY), str(row.attempts or EMPTY), row.error[:200] or EMPTY,
    ]  # fmt: skip


def _shown(body: str) -> Any:
    """The body for people: without secrets and personal data, cut when it is long."""
    if len(body) > SHOWN_CHARS:
        return str(mask(body[:SHOWN_CHARS])) + " …"
    try:
        return mask(json.loads(body))
    except ValueError:
        return str(mask(body))
