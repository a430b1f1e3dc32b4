"""Sessions: where each dialogue stands, the way it took, and what it knows (masked)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from apps.conversations import inbox
from apps.conversations.inbox import Posting
from apps.conversations.models import Update
from apps.core.masking import mask
from apps.core.trace import current_trace_id
from apps.events.admin.acts import Act
from apps.events.admin.filtering import bot_filter, number, since
from apps.events.admin.pages import Fact, LogAdmin, Panel, facts_panel, table
from apps.events.showing import EMPTY, Tone, badge, json_block, link, list_of, moment, page_of, trace_link
from apps.identity import searching
from apps.identity.attributes import private_keys
from apps.identity.models import Person
from apps.scenarios.models import Session
from apps.scenarios.registry import blocks

STEPS = 200
OPEN = (Session.Status.ACTIVE, Session.Status.SUSPENDED, Session.Status.QUEUED)
TONES: dict[str, Tone] = {
    Session.Status.ACTIVE: "info", Session.Status.SUSPENDED: "warn", Session.Status.QUEUED: "warn", Session.Status.ENDED: "ok",
    Session.Status.FAILED: "bad", Session.Status.CANCELLED: "plain",
}  # fmt: skip


@admin.register(Session)
class SessionAdmin(LogAdmin):
    intro = gettext_lazy("One session is one person going through one scenario. Active ones wait for an answer, a time or another system.")
    list_display = ("who", "scenario_shown", "standing", "node", "waits", "started", "why", "trace")
    list_filter = (
        ("status", ChoicesDropdownFilter), bot_filter("scenario__bot_id"), since("started_at"),
        number("scenario_id", gettext_lazy("scenario (number)"), parameter="scenario"),
        number("conversation_id", gettext_lazy("conversation (number)"), parameter="conversation"),
    )  # fmt: skip
    list_select_related = ("person", "lead", "scenario", "version")
    search_fields = ("lead__code",)
    search_help_text = gettext_lazy("Name, lead, chat id, user id, phone or e-mail")
    acts = (
        Act("cancel", gettext_lazy("Cancel the session"), icon="cancel", tone="danger", when=lambda session: session.status in OPEN,
            confirm=gettext_lazy("The scenario ends here for this person; nothing more is said. A queued scenario starts after it.")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists need neither the variables nor the definitions."""
        return (
            super()
            .get_queryset(request)
            .defer("state", "start", "scenario__draft", "scenario__layout", "version__definition", "version__layout")
        )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:  # noqa: ARG002
        found = searching.people(Person.objects.all(), search_term).values_list("pk", flat=True)
        return (queryset.filter(person_id__in=list(found[:500])) if search_term.strip() else queryset), False

    def act_cancel(self, request: HttpRequest, obj: Session) -> str:
        """Through the chat's queue, so that it never meets a step that is just being made."""
        channel = obj.lead.channel
        inbox.post([Posting(
            channel_id=channel.pk, bot_id=channel.bot_id, chat_id=obj.lead.chat_id, kind=Update.Kind.OPERATOR, source="panel",
            event_key=f"cancel:{obj.pk}", payload={"act": "cancel_session", "session": obj.pk, "user": request.user.pk}, trace_id=current_trace_id(),
        )])  # fmt: skip
        return _("The session is being cancelled; look at its state in a moment.")

    @display(description=gettext_lazy("client"))
    def who(self, row: Session) -> str:
        return f"{row.person} · {row.lead.code}"

    @display(description=gettext_lazy("scenario"))
    def scenario_shown(self, row: Session) -> str:
        return f"{row.scenario} {row.version}"

    @display(description=gettext_lazy("status"))
    def standing(self, row: Session) -> SafeString:
        return badge(row.get_status_display(), TONES.get(row.status, "plain"))

    @display(description=gettext_lazy("waits for"))
    def waits(self, row: Session) -> str:
        return row.waits_for or EMPTY

    @display(description=gettext_lazy("started"))
    def started(self, row: Session) -> SafeString:
        return moment(row.started_at)

    @display(description=gettext_lazy("error"))
    def why(self, row: Session) -> str:
        return row.error[:80] or EMPTY

    @display(description=gettext_lazy("trace"))
    def trace(self, row: Session) -> SafeString:
        return trace_link(row.trace_id)

    def facts(self, request: HttpRequest, obj: Session) -> list[Fact]:  # noqa: ARG002
        return [
            Fact(_("person"), link(page_of("identity.Person", obj.person_id), str(obj.person))),
            Fact(_("conversation"), link(page_of("conversations.Conversation", obj.conversation_id), f"#{obj.conversation_id}")),
            Fact(_("scenario"), link(page_of("scenarios.Scenario", obj.scenario_id), str(obj.scenario))),
            Fact(_("version"), link(page_of("scenarios.ScenarioVersion", obj.version_id), str(obj.version))),
            Fact(_("status"), self.standing(obj)), Fact(_("stands at"), obj.node or EMPTY), Fact(_("waits for"), obj.waits_for or EMPTY),
            Fact(_("started"), moment(obj.started_at)), Fact(_("changed"), moment(obj.changed_at)), Fact(_("ended"), moment(obj.ended_at)),
            Fact(_("trace"), trace_link(obj.trace_id)), Fact(_("outside calls"), link(list_of("conversations.Call", session=obj.pk), _("Show"))),
            *([Fact(_("error"), badge(obj.error, "bad"), wide=True)] if obj.error else []),
        ]  # fmt: skip

    def panels(self, request: HttpRequest, obj: Session) -> list[Panel]:  # type: ignore[override]  # noqa: ARG002
        return [_steps(obj), _variables(obj)]


def _steps(session: Session) -> Panel:
    rows = []
    for step in session.steps.order_by("visit")[:STEPS]:
        kind = str(blocks[step.kind].label) if step.kind in blocks else step.kind
        events = step.events if isinstance(step.events, list) else []
        rows.append(
            (
                str(step.visit),
                step.section,
                step.node,
                kind,
                happened(events),
                step.exit or EMPTY,
                moment(step.at),
                trace_link(step.trace_id),
            )
        )
    headers = (_("visit"), _("section"), _("block"), _("kind"), _("what happened"), _("exit"), _("time"), _("trace"))
    note = _("Only the first %(count)s visits are shown.") % {"count": STEPS} if len(rows) == STEPS else ""
    return table(_("The way it took"), headers, rows, icon="route", empty=_("No block has run yet."), note=note)


def happened(events: list[Any]) -> str:
    """The visit in a few words: what was said, asked, set, called."""
    words = []
    for event in events:
        if not isinstance(event, Mapping) or event.get("kind") in ("entered", "left"):
            continue
        details = event.get("details") or {}
        told = details.get("text") or details.get("name") or details.get("message") or details.get("action") or ""
        value = f" = {details['value']}" if event.get("kind") == "set" and "value" in details else ""
        words.append(f"{event.get('kind')}: {told}{value}"[:160] if told else str(event.get("kind")))
    return " · ".join(words) or EMPTY


def _variables(session: Session) -> Panel:
    state = session.state if isinstance(session.state, dict) else {}
    private = private_keys()
    shown = {
        _("Variables"): mask(state.get("vars", {}), private=private), _("Started with"): mask(session.start, private=private),
        _("Waits for"): mask(state.get("wait"), private=private),
    }  # fmt: skip
    facts = [Fact(name, json_block(value), wide=True) for name, value in shown.items() if value]
    return facts_panel(_("What it knows"), facts, icon="data_object", note=_("Secrets and personal data are hidden."))
