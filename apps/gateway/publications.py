"""Versions, tests and publishing over the API of our own pages: what the builder asks without leaving the canvas."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from apps.accounts.access import can_object
from apps.core import audit
from apps.gateway import authoring_spec
from apps.gateway.answers import Json, RefusedError
from apps.gateway.authoring import done, problem_of, refusals, scenario_for
from apps.gateway.staff import StaffView, body_of, reader
from apps.scenarios import loose, publishing
from apps.scenarios.engine.explaining import explain
from apps.scenarios.models import PlannedPublication, Scenario, ScenarioVersion
from apps.scenarios.simulation import keeping, testing
from apps.scenarios.versions import planning

M = TypeVar("M", bound=BaseModel)
LISTED = 100


class Publication(BaseModel):
    """How the draft is to be published. `based_on` is the draft's revision that somebody looked at; `due_at` plans it instead."""

    model_config = ConfigDict(extra="forbid")

    based_on: int
    note: str = Field("", max_length=500)
    override: str = Field("", max_length=500)
    people: ScenarioVersion.People = ScenarioVersion.People.STAY
    mapping: dict[str, str] = Field(default_factory=dict)
    due_at: AwareDatetime | None = None


class Rollback(BaseModel):
    """To which version (its number), why, and what becomes of the people inside."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, lt=2**31)
    note: str = Field("", max_length=400)
    people: ScenarioVersion.People = ScenarioVersion.People.STAY
    mapping: dict[str, str] = Field(default_factory=dict)


def _check_heirs(mapping: Mapping[str, str], definition: Json) -> None:
    known = {node for node, _title in loose.names(definition)}
    lost = [f"mapping.{node}" for node, heir in mapping.items() if heir not in known]
    if lost:
        message = "There will be no such block. Name one at which these people go on."
        raise RefusedError("bad_request", errors=[{"field": field, "message": message} for field in lost])


def edited(request: HttpRequest, pk: int) -> Scenario:
    """The scenario, for who may edit it."""
    scenario = scenario_for(request, pk)
    if not can_object(reader(request), "edit", scenario):
        raise RefusedError("forbidden")
    return scenario


def read(model: type[M], request: HttpRequest) -> M:
    """The body as this model; raises `RefusedError` with the places of mistakes."""
    try:
        return model.model_validate(body_of(request))
    except ValidationError as error:
        raise RefusedError("bad_request", errors=[{"field": path, "message": why} for path, why in explain(error)]) from error


class VersionsView(StaffView):
    """`GET /api/scenarios/{pk}/versions`: what was published, by whom, when and why, and what is planned."""

    methods = ("GET",)

    @extend_schema(**authoring_spec.VERSIONS)
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = scenario_for(request, pk)
        versions = scenario.versions.select_related("published_by").defer("definition", "layout").order_by("-number")[:LISTED]
        planned = scenario.planned.select_related("created_by").defer("definition", "layout")[:LISTED]
        return done({"versions": [_version(row, scenario) for row in versions], "planned": [_planned(row) for row in planned]})


class PublicationView(StaffView):
    """`/api/scenarios/{pk}/publication`: GET what publishing the draft would mean, POST publishes or plans it."""

    methods = ("GET", "POST")

    @extend_schema(**authoring_spec.IMPACT)
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = edited(request, pk)
        problems = publishing.check(scenario.draft, bot=scenario.bot, own=scenario.pk)
        report = testing.run_all(scenario, only_active=True)
        standing = [
            {"node": row.node, "title": row.title, "people": row.people, "removed": row.removed} for row in publishing.standing(scenario)
        ]
        return done(
            {
                "based_on": scenario.draft_version,
                "problems": [problem_of(problem) for problem in problems],
                "standing": standing,
                **told(report),
            }
        )

    @extend_schema(**authoring_spec.PUBLISH)
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario, wish = edited(request, pk), read(Publication, request)
        if wish.based_on != scenario.draft_version:
            raise RefusedError("stale", based_on=scenario.draft_version)
        _check_heirs(wish.mapping, scenario.draft)
        chosen = publishing.Choices(note=wish.note, override=wish.override, people=str(wish.people), mapping=wish.mapping)
        given = {"override": wish.override} if wish.override else {}
        try:
            if wish.due_at:
                planned = planning.plan(scenario, due_at=wish.due_at, user=reader(request), **chosen)
                audit.record(request.user, "scenarios.scenario.plan", scenario, due_at=planned.due_at.isoformat(), **given)
                return done({"planned": _planned(planned)}, status=202)
            version = publishing.publish(scenario, user=reader(request), **chosen)
        except publishing.PublishingRefusedError as error:
            raise RefusedError("invalid_definition", errors=[problem_of(problem) for problem in error.problems]) from error
        except planning.PlanError as error:
            raise RefusedError("bad_request", str(error)) from error
        audit.record(request.user, "scenarios.scenario.publish", scenario, version=version.number, **given)
        return done({"version": _version(version, scenario)}, status=201)


class RollbackView(StaffView):
    """`POST /api/scenarios/{pk}/rollback`: an old version becomes the draft and the newest version."""

    @extend_schema(**authoring_spec.ROLL_BACK)
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario, wish = edited(request, pk), read(Rollback, request)
        old = scenario.versions.filter(number=wish.version).first()
        if old is None:
            raise RefusedError("not_found", "There is no such version.")
        _check_heirs(wish.mapping, old.definition)
        try:
            version = publishing.rollback(old, user=reader(request), note=wish.note, people=str(wish.people), mapping=wish.mapping)
        except publishing.PublishingRefusedError as error:
            raise RefusedError("invalid_definition", errors=[problem_of(problem) for problem in error.problems]) from error
        except publishing.StaleDraftError as error:
            raise RefusedError("stale", based_on=error.version) from error
        scenario.published = version
        audit.record(request.user, "scenarios.scenario.rollback", scenario, version=version.number, to=old.number)
        return done({"version": _version(version, scenario)}, status=201)


class TestsView(StaffView):
    """`/api/scenarios/{pk}/tests`: GET runs the saved tests on the draft, POST keeps a chat as one."""

    methods = ("GET", "POST")

    @extend_schema(**authoring_spec.RUN_TESTS)
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return done(told(testing.run_all(scenario_for(request, pk))))

    @extend_schema(**authoring_spec.KEEP_TEST)
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = edited(request, pk)
        with refusals():
            test = keeping.keep(scenario, keeping.read_chat(body_of(request)), user=reader(request))
        audit.record(request.user, "scenarios.test.kept", test)
        return done({"id": test.pk, "name": test.name}, status=201)


def told(report: testing.Report) -> Json:
    """{"tests": [{id, name, active, passed, failures: [{turn, message}]}], "coverage": {…}}."""
    coverage = report.coverage
    return {
        "tests": [
            {
                "id": result.test.pk, "name": result.test.name, "active": result.test.is_active, "passed": result.passed,
                "failures": [{"turn": failure.turn, "message": failure.message} for failure in result.failures],
            }
            for result in report.results
        ],
        "coverage": {
            "nodes": coverage.nodes, "exits": coverage.exits, "node_percent": coverage.node_percent, "exit_percent": coverage.exit_percent,
            "missing_nodes": list(coverage.missing_nodes), "missing_exits": [{"node": node, "exit": name} for node, name in coverage.missing_exits],
        },
    }  # fmt: skip


def _version(version: ScenarioVersion, scenario: Scenario) -> Json:
    return {
        "number": version.number, "published_at": version.published_at.isoformat(), "published_by": _name(version.published_by), "note": version.note,
        "people": version.people, "mapping": version.mapping, "current": version.pk == scenario.published_id,
    }  # fmt: skip


def _planned(planned: PlannedPublication) -> Json:
    return {
        "id": planned.pk, "due_at": planned.due_at.isoformat(), "planned_by": _name(planned.created_by), "note": planned.note, "state": planned.state,
        "reason": planned.reason, "people": planned.people,
    }  # fmt: skip


def _name(user: Any) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""
