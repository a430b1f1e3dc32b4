"""The start page: does everything run, what happened today, what needs a person, and where to begin in an empty installation."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.access import AnyUser, can, can_model, scoped
from apps.bots.models import Bot, Channel
from apps.conversations.models import Update
from apps.core import health
from apps.events.admin.listing import patience
from apps.events.kinds import kind_title
from apps.events.models import Event, Subscription
from apps.events.showing import list_of, moment, page_of, trace_page
from apps.gateway.models import ApiToken, Endpoint
from apps.scenarios.models import Scenario, Session

COUNTED = 10_000
SHOWN = 6
Text = str | Promise

PARTS: dict[str, Text] = {
    "database": gettext_lazy("Database"),
    "redis": gettext_lazy("Redis"),
    "migrations": gettext_lazy("Database schema"),
    "worker": gettext_lazy("Workers"),
    "sender": gettext_lazy("Sender"),
    "beat": gettext_lazy("Clock (beat)"),
}


@dataclass(frozen=True)
class Lamp:
    name: Text
    tone: str
    text: str = ""
    url: str = ""


@dataclass(frozen=True)
class Figure:
    name: Text
    value: str
    url: str = ""
    tone: str = "plain"


@dataclass(frozen=True)
class Matter:
    """Something that needs a person; `text` says why, the link leads to where it can be settled."""

    title: Text
    text: str
    url: str
    at: SafeString
    tone: str = "bad"
    trace_url: str = ""


@dataclass(frozen=True)
class FirstStep:
    title: Text
    text: Text
    url: str
    done: bool


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: what the template of the start page shows to this user."""
    steps = first_steps(request.user)
    return {
        **context,
        "title": _("Start page"),
        "processes": processes(),
        "channels": channels(request.user),
        "figures": figures(request.user),
        "matters": matters(request.user),
        "steps": [] if all(step.done for step in steps) else steps,
    }


def processes() -> list[Lamp]:
    return [Lamp(name=PARTS.get(name, name), tone="ok" if part.ok else "bad", text=part.text) for name, part in health.report().items()]


TONES = {Channel.Health.OK: "ok", Channel.Health.FAILING: "bad", Channel.Health.PAUSED: "warn", Channel.Health.UNKNOWN: "plain"}


def channels(user: AnyUser) -> list[Lamp]:
    rows = scoped(Channel.objects.filter(is_active=True).select_related("bot").order_by("bot__name", "name"), user)
    return [
        Lamp(
            name=f"{row.bot.name}: {row.name}",
            tone=TONES[Channel.Health(row.health)],
            text=row.health_text,
            url=page_of("bots.Channel", row.pk),
        )
        for row in rows[:40]
    ]


# --- today's figures ----------------------------------------------------------------------------------------------------

KINDS: tuple[tuple[Text, tuple[str, ...], str], ...] = (
    (gettext_lazy("Events received"), ("endpoint.called",), "plain"),
    (gettext_lazy("Messages in"), ("message.received", "button.pressed", "chat.started"), "plain"),
    (gettext_lazy("Messages out"), ("message.sent",), "plain"),
    (gettext_lazy("Messages failed"), ("message.failed", "message.unknown"), "bad"),
    (gettext_lazy("Outside calls"), ("call.made",), "plain"),
)


def figures(user: AnyUser) -> list[Figure]:
    """Counted from the log through its index of kinds, from the first row of today on; never more than `COUNTED` rows of a kind."""
    found = []
    if can(user, "view", "events"):
        since = _first_of_today()
        found = [_figure(user, name, kinds, tone, since) for name, kinds, tone in KINDS]
    if can(user, "view", "operations"):
        found.append(
            Figure(name=_("Active sessions"), value=_active_sessions(user), url=list_of("scenarios.Session", status__exact="active"))
        )
    return found


def _figure(user: AnyUser, name: Text, kinds: tuple[str, ...], tone: str, since: int) -> Figure:
    value = _counted(user, kinds, since)
    return Figure(name=name, value=value, tone=tone if value != "0" else "plain", url=list_of("events.Event", kind=kinds[0], since="today"))


def _midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _first_of_today() -> int:
    return Event.objects.filter(timestamp__gte=_midnight()).order_by("timestamp").values_list("pk", flat=True).first() or 2**62


def _counted(user: AnyUser, kinds: Iterable[str], since: int) -> str:
    rows = scoped(Event.objects.filter(kind__in=list(kinds), pk__gte=since), user)
    return _capped(rows)


def _active_sessions(user: AnyUser) -> str:
    return _capped(scoped(Session.objects.filter(status=Session.Status.ACTIVE), user))


def _capped(rows: Any) -> str:
    try:
        with patience(1):
            count = rows.order_by()[: COUNTED + 1].count()
    except OperationalError:
        return "…"
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


# --- needs attention ----------------------------------------------------------------------------------------------------


def matters(user: AnyUser) -> list[Matter]:
    """Failing channels, parked items, and the newest failures of the log that nobody has to search for."""
    return [*_failing_channels(user), *_disabled_subscriptions(user), *_parked(user), *_failures(user)]


def _failing_channels(user: AnyUser) -> list[Matter]:
    rows = scoped(Channel.objects.filter(is_active=True, health=Channel.Health.FAILING).select_related("bot"), user)
    return [
        Matter(
            title=_("Channel fails: %(name)s") % {"name": f"{row.bot.name}, {row.name}"},
            text=row.health_text,
            url=page_of("bots.Channel", row.pk),
            at=moment(row.health_at),
        )
        for row in rows[:SHOWN]
    ]


def _disabled_subscriptions(user: AnyUser) -> list[Matter]:
    rows = scoped(Subscription.objects.filter(state=Subscription.State.DISABLED).order_by("-failing_since", "-id"), user)
    return [
        Matter(
            title=_("Subscription disabled: %(name)s") % {"name": row.name},
            text=row.state_text,
            url=page_of("events.Subscription", row.pk),
            at=moment(row.failing_since),
        )
        for row in rows[:SHOWN]
    ]


def _parked(user: AnyUser) -> list[Matter]:
    if not can_model(user, "view", Update):
        return []
    rows = scoped(Update.objects.filter(state=Update.State.PARKED).order_by("-id"), user)
    return [
        Matter(
            title=_("Parked: %(what)s") % {"what": row.get_kind_display()},
            text=row.error[:300],
            url=page_of("conversations.Update", row.pk),
            at=moment(row.received_at),
            trace_url=trace_page(row.trace_id),
        )
        for row in rows[:SHOWN]
    ]


LOGGED = ("message.failed", "message.unknown", "session.failed", "call.made", "endpoint.called")


def _failures(user: AnyUser) -> list[Matter]:
    if not can(user, "view", "events"):
        return []
    rows = scoped(Event.objects.filter(status=Event.Status.FAIL, kind__in=LOGGED).order_by("-id"), user)
    try:
        with patience(1):
            found = list(rows[:SHOWN])
    except OperationalError:
        found = []
    return [
        Matter(title=kind_title(row.kind, failed=True), text=_why(row), url=trace_page(row.trace_id), at=moment(row.timestamp), tone="warn")
        for row in found
    ]


def _why(row: Event) -> str:
    details: dict[str, Any] = row.details if isinstance(row.details, dict) else {}
    why = next((str(details[key]) for key in ("reason", "message", "error", "answer") if details.get(key)), "")
    found = details.get("request")
    asked = found if isinstance(found, dict) else {}
    address = f"{asked.get('method') or ''} {asked.get('url') or ''}".strip()
    return " · ".join(part for part in (row.source_system, row.endpoint, address, why) if part)[:300]


# --- first steps --------------------------------------------------------------------------------------------------------


def first_steps(user: AnyUser) -> list[FirstStep]:
    """The way from nothing to the first dialogue; only for those who may go it."""
    if not (can(user, "edit", "bots") and can(user, "edit", "scenarios")):
        return []
    return [
        FirstStep(
            _("Make a bot"),
            _("A bot is one assistant of your company, with its language and its texts."),
            page_add("bots.Bot"),
            done=scoped(Bot.objects.all(), user).exists(),
        ),
        FirstStep(
            _("Connect a channel"),
            _("Telegram needs the token of @BotFather; the web chat needs nothing."),
            page_add("bots.Channel"),
            done=scoped(Channel.objects.all(), user).exists(),
        ),
        FirstStep(
            _("Write a scenario and publish it"),
            _("Begin with the template: a greeting, a question, an answer."),
            page_add("scenarios.Scenario"),
            done=scoped(Scenario.objects.filter(published__isnull=False), user).exists(),
        ),
        FirstStep(
            _("Make an endpoint"),
            _("The address that your system calls to start the scenario."),
            page_add("gateway.Endpoint"),
            done=scoped(Endpoint.objects.all(), user).exists(),
        ),
        FirstStep(
            _("Issue an access token"),
            _("Your system sends it with each call. It is shown once."),
            page_add("gateway.ApiToken"),
            done=scoped(ApiToken.objects.all(), user).exists(),
        ),
    ]


def page_add(label: str) -> str:
    return reverse(f"admin:{label.lower().replace('.', '_')}_add")
