"""Outside calls: what scenarios asked of other systems, what those answered, how long it took."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from apps.conversations.models import Call
from apps.core.masking import mask
from apps.events.admin.filtering import bot_filter, exact, number, since
from apps.events.admin.pages import Fact, LogAdmin
from apps.events.admin.unfolded import DropdownFilter
from apps.events.showing import EMPTY, badge, json_block, link, moment, page_of, span, trace_link
from apps.identity.attributes import private_keys

GOOD = range(200, 400)


class AnswerFilter(DropdownFilter):
    title = gettext_lazy("answer")
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("good", gettext_lazy("good")), ("bad", gettext_lazy("with an error")), ("none", gettext_lazy("none yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        match self.value():
            case "good":
                return queryset.filter(status_code__gte=GOOD.start, status_code__lt=GOOD.stop)
            case "bad":
                return queryset.filter(state=Call.State.DONE).exclude(status_code__gte=GOOD.start, status_code__lt=GOOD.stop, error="")
            case "none":
                return queryset.filter(state__in=[Call.State.PENDING, Call.State.WAITING])
        return queryset


@admin.register(Call)
class CallAdmin(LogAdmin):
    intro = gettext_lazy(
        "Calls that scenarios made to other systems. Secrets are left out of what is shown; a failed call takes its named exit in the scenario."
    )
    list_display = ("time", "what", "to", "outcome", "took", "tries", "bot", "trace")
    list_filter = (
        AnswerFilter, ("state", ChoicesDropdownFilter), bot_filter("bot_id"), since("created_at"), exact("action", gettext_lazy("action")),
        exact("trace_id", gettext_lazy("trace"), parameter="trace"), number("session_id", gettext_lazy("session (number)"), parameter="session"),
    )  # fmt: skip
    list_select_related = ("bot",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        """The request as it was sent holds secrets and is never read here."""
        return super().get_queryset(request).defer("request", "answer", "callback")

    @display(description=gettext_lazy("time"))
    def time(self, row: Call) -> SafeString:
        return moment(row.created_at)

    @display(description=gettext_lazy("action"))
    def what(self, row: Call) -> str:
        return row.action

    @display(description=gettext_lazy("request"))
    def to(self, row: Call) -> str:
        return request_line(row)

    @display(description=gettext_lazy("answer"))
    def outcome(self, row: Call) -> SafeString:
        return answer_badge(row)

    @display(description=gettext_lazy("took"))
    def took(self, row: Call) -> str:
        return span(row.latency_ms)

    @display(description=gettext_lazy("attempts"))
    def tries(self, row: Call) -> str:
        return str(row.attempts or EMPTY)

    @display(description=gettext_lazy("trace"))
    def trace(self, row: Call) -> SafeString:
        return trace_link(row.trace_id)

    def facts(self, request: HttpRequest, obj: Call) -> list[Fact]:  # noqa: ARG002
        return [
            Fact(_("answer"), answer_badge(obj)), Fact(_("action"), obj.action), Fact(_("created"), moment(obj.created_at)),
            Fact(_("done"), moment(obj.done_at)), Fact(_("took"), span(obj.latency_ms)), Fact(_("attempts"), str(obj.attempts)),
            Fact(_("bot"), link(page_of("bots.Bot", obj.bot_id), obj.bot.name)),
            Fact(_("session"), link(page_of("scenarios.Session", obj.session_id), f"#{obj.session_id}")), Fact(_("trace"), trace_link(obj.trace_id)),
            Fact(_("idempotency key"), obj.idempotency_key), Fact(_("reason"), obj.error or EMPTY),
            Fact(_("callback"), _callback(obj)),
            Fact(_("request"), json_block(mask(obj.shown, private=private_keys())), wide=True),
        ]  # fmt: skip


def _callback(call: Call) -> SafeString | str:
    """What the call waits for, or that it came; the answer itself belongs to the scenario."""
    if call.state == Call.State.WAITING:
        return format_html("{} {}", _("awaited until"), moment(call.due_at))
    return _("came") if call.callback is not None else EMPTY


def request_line(call: Call) -> str:
    shown = call.shown if isinstance(call.shown, dict) else {}
    return str(mask(f"{shown.get('method') or ''} {shown.get('url') or ''}".strip())) or EMPTY


def answer_badge(call: Call) -> SafeString:
    if call.state == Call.State.PENDING:
        return badge(_("waiting"), "warn")
    if call.state == Call.State.WAITING:
        return badge(_("waits for the callback"), "warn")
    if call.state == Call.State.CANCELLED:
        return badge(_("cancelled"))
    good = call.status_code in GOOD and not call.error
    return badge(str(call.status_code or _("no answer")), "ok" if good else "bad", title=call.error)
