"""What the builder and the chat preview ask of scenarios."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema

from apps.accounts.access import can, scoped
from apps.core.trace import current_trace_id
from apps.gateway import authoring_spec
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.staff import StaffView, body_of, reader
from apps.scenarios import analytics, visitors
from apps.scenarios.engine.contract import Problem
from apps.scenarios.engine.flow import DefinitionError
from apps.scenarios.models import Scenario
from apps.scenarios.simulation import asked, asking
from apps.scenarios.versions import differing

MAX_DIGITS = 9


def done(body: Json, *, status: int = 200, **headers: str) -> HttpResponse:
    return Answer(status, {"success": True, "trace_id": current_trace_id(), **body}, headers).response()


@contextmanager
def refusals() -> Iterator[None]:
    """Errors of the scenarios' own code as answers of the API."""
    try:
        yield
    except asking.AskError as error:
        raise RefusedError("bad_request", errors=[{"field": path, "message": why} for path, why in error.errors]) from error
    except asked.NotAllowedError as error:
        raise RefusedError("forbidden") from error
    except asked.NotThereError as error:
        raise RefusedError("not_found", f"There is no such {error.what}.") from error
    except DefinitionError as error:
        raise RefusedError("invalid_definition", errors=[problem_of(problem) for problem in error.problems]) from error


def problem_of(problem: Problem) -> Json:
    """{"level", "code", "message", "section", "node", "field"}."""
    return {name: getattr(problem, name) for name in ("level", "code", "message", "section", "node", "field")}


def scenario_for(request: HttpRequest, pk: int) -> Scenario:
    """The scenario, for who may see it."""
    found = scoped(Scenario.objects.select_related("bot", "published"), reader(request), "view").filter(pk=pk).first()
    if found is None:
        raise RefusedError("not_found", "There is no such scenario.")
    return found


class DifferencesView(StaffView):
    """`GET /api/scenarios/{pk}/differences?old=3&new=4`: what differs, for the canvas."""

    methods = ("GET",)

    @extend_schema(**authoring_spec.DIFFERENCES)
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = scenario_for(request, pk)
        published = str(scenario.published.number) if scenario.published else ""
        try:
            old = differing.side(scenario, request.GET.get("old") or published)
            new = differing.side(scenario, request.GET.get("new", ""))
        except differing.NoSuchVersionError as error:
            raise RefusedError("not_found", "There is no such version.") from error
        drawn = {"old": differing.drawn(old), "new": differing.drawn(new)} if request.GET.get("drawn") == "1" else None
        return done({**differing.difference(old, new), "drawn": drawn})


class AnalyticsView(StaffView):
    """`GET /api/scenarios/{pk}/analytics`: figures per block and exit."""

    methods = ("GET",)

    @extend_schema(**authoring_spec.ANALYTICS)
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = _measured(request, pk)
        window = _window(request)
        rows = analytics.figures(scenario, window)
        blocks = [{"node": row.node, "title": row.title, "kind": row.kind, **row.figures.as_json()} for row in rows if row.exit is None]
        edges = [_exit(row) for row in rows if row.exit is not None]
        return done({"nodes": blocks, "edges": edges, "versions": analytics.versions(scenario), "languages": analytics.languages(scenario)})


def _exit(row: analytics.Row) -> Json:
    ways = [{"node": node, "visits": visits} for node, visits in row.to]
    return {"node": row.node, "exit": row.exit, **row.figures.as_json(), "to": ways}


class VisitsView(StaffView):
    """`GET /api/scenarios/{pk}/visits?node=thanks&counted=dropped`: the people behind a figure."""

    methods = ("GET",)

    @extend_schema(**authoring_spec.VISITS)
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = _measured(request, pk)
        number, page = _number(request), request.GET.get("page", "") or "1"
        if not (page.isdecimal() and len(page) < MAX_DIGITS):
            raise RefusedError("bad_request", "page must be a number.")
        visits, more = visitors.behind(scenario, _window(request), number, reader=reader(request), page=int(page))
        return done({"visits": [_visit(visit) for visit in visits], "page": int(page), "more": more})


def _measured(request: HttpRequest, pk: int) -> Scenario:
    """The scenario, for who may see its figures."""
    scenario = scenario_for(request, pk)
    if not can(reader(request), "view", "analytics", scenario.bot_id):
        raise RefusedError("forbidden")
    return scenario


def _number(request: HttpRequest) -> visitors.Number:
    given = {name: request.GET.get(name, "") for name in ("node", "exit", "to")}
    counted = request.GET.get("counted", "") or "visits"
    if not given["node"] or any("\x00" in text for text in given.values()):
        raise RefusedError("bad_request", "node must be the name of a block.")
    if counted not in visitors.COUNTED:
        raise RefusedError("bad_request", f"counted must be one of: {', '.join(visitors.COUNTED)}.")
    return visitors.Number(**given, counted=counted)


def _visit(visit: visitors.Visit) -> Json:
    told = {name: value for name, value in asdict(visit).items() if name != "trace_id"}
    return {**told, "at": visit.at.isoformat()}


def _window(request: HttpRequest) -> analytics.Window:
    """Raises `RefusedError` for what cannot be read: a wrong window would give wrong figures."""
    since, until = (_moment(request, name) for name in ("since", "until"))
    version, language = request.GET.get("version", ""), request.GET.get("language", "")
    if version and not (version.isdecimal() and len(version) < MAX_DIGITS):
        raise RefusedError("bad_request", "version must be the number of a version.")
    if "\x00" in language:
        raise RefusedError("bad_request", "language must be a code such as en.")
    return analytics.Window(since, until, int(version) if version else None, language or None)


def _moment(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name, "")
    try:
        found = parse_datetime(text) if text else None
    except ValueError:
        found = None
    known = found is not None and found.tzinfo is not None and analytics.FIRST_YEAR <= found.year <= analytics.LAST_YEAR
    if text and not known:
        raise RefusedError("bad_request", f"{name} must be a moment with its zone, such as 2026-05-20T00:00:00Z.")
    return found


class SimulateView(StaffView):
    """`POST /api/scenarios/simulate`: one turn of a chat with a draft, a version or a definition, over the pure core."""

    @extend_schema(**authoring_spec.SIMULATE)
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        with refusals():
            return done(asked.simulate(asking.read_ask(body_of(request)), reader(request)))
