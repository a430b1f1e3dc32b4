"""Figures of a scenario per block and exit, with the people behind each number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from apps.accounts.access import can
from apps.events.showing import span, with_query
from apps.scenarios import analytics, visitors
from apps.scenarios.analytics import Window
from apps.scenarios.models import Scenario
from apps.scenarios.visitors import Number, Visit

USUAL_DAYS = 30
FATES = {"left": _("went on"), "ended": _("ended here"), "waiting": _("waits"), "dropped": _("dropped")}
LONGEST = 100


@dataclass(frozen=True)
class Shown:
    """A line of the table; `heat` is 0 to 100, of the most visited block."""

    row: analytics.Row
    heat: int
    median: str
    p95: str
    links: dict[str, str]


@dataclass(frozen=True)
class Behind:
    """A line of the people behind a number."""

    visit: Visit
    fate: str
    took: str


def analytics_view(request: HttpRequest, scenario: Scenario, context: dict[str, Any]) -> HttpResponse:
    if not can(request.user, "view", "analytics", scenario.bot_id):
        raise PermissionDenied
    window, asked = read_window(request)
    number = _number(request)
    page = {
        **context, "scenario": scenario, "asked": asked, "versions": analytics.versions(scenario), "languages": analytics.languages(scenario),
        "rows": [] if number.node else _shown(analytics.figures(scenario, window), asked), "number": number,
        "on_canvas": with_query(reverse("admin:scenarios_scenario_builder", args=[scenario.pk]), show="figures", **asked),
        **(_people(request, scenario, window, asked, number) if number.node else {}),
    }  # fmt: skip
    return TemplateResponse(request, "admin/scenarios/analytics.html", page)


def read_window(request: HttpRequest) -> tuple[Window, dict[str, str]]:
    """The window that the address asks for, and the parameters that mean it again; what cannot be read counts as not given."""
    given = request.GET
    since = _day(given.get("since", "")) or timezone.now() - timedelta(days=USUAL_DAYS)
    until = _day(given.get("until", ""))
    version = given.get("version", "")
    number = int(version) if version.isdecimal() and len(version) < 9 else None  # noqa: PLR2004  what fits the column
    language = given.get("language", "").replace("\x00", "")[:10] or None
    window = Window(since, until + timedelta(days=1) if until else None, number, language)
    asked = {
        "since": f"{timezone.localtime(since):%Y-%m-%d}",
        "until": given.get("until", "") if until else "",
        "version": str(number or ""),
        "language": language or "",
    }
    return window, asked


def _day(text: str) -> datetime | None:
    """The beginning of that day in the reader's time zone."""
    try:
        day = parse_date(text)
        known = day is not None and analytics.FIRST_YEAR <= day.year <= analytics.LAST_YEAR
        return timezone.make_aware(datetime(day.year, day.month, day.day)) if day and known else None  # noqa: DTZ001  made aware right here
    except (ValueError, OverflowError):
        return None


def _shown(rows: list[analytics.Row], asked: dict[str, str]) -> list[Shown]:
    most = max((row.figures.visits for row in rows if row.exit is None), default=0)
    return [_line(row, most, asked) for row in rows]


def _line(row: analytics.Row, most: int, asked: dict[str, str]) -> Shown:
    seconds = (row.figures.median_seconds, row.figures.p95_seconds)
    median, p95 = (span(value * 1000 if value is not None else None) for value in seconds)
    place = {**asked, "node": row.node, "exit": row.exit}
    links = {name: with_query("", **place, counted=name) for name in visitors.COUNTED}
    return Shown(row, round(100 * row.figures.visits / most) if most and row.exit is None else 0, median, p95, links)


def _number(request: HttpRequest) -> Number:
    node, exit_, to = (request.GET.get(name, "").replace("\x00", "")[:LONGEST] for name in ("node", "exit", "to"))
    counted = request.GET.get("counted", "")
    return Number(node, exit_, to, counted if counted in visitors.COUNTED else "visits")


def _people(request: HttpRequest, scenario: Scenario, window: Window, asked: dict[str, str], number: Number) -> dict[str, Any]:
    """One page of the people behind a number."""
    given = request.GET.get("page", "")
    page = int(given) if given.isdecimal() and len(given) < 9 else 1  # noqa: PLR2004  far beyond the last page
    visits, more = visitors.behind(scenario, window, number, reader=request.user, page=page)
    place = {**asked, "node": number.node, "exit": number.exit, "to": number.to, "counted": number.counted}
    return {
        "people": [Behind(visit, str(FATES[visit.fate]), span(visit.seconds * 1000 if visit.seconds is not None else None)) for visit in visits],
        "page": page, "before": with_query("", **place, page=page - 1) if page > 1 else "", "after": with_query("", **place, page=page + 1) if more else "",
        "may_see_people": can(request.user, "view", "people", scenario.bot_id),
    }  # fmt: skip
