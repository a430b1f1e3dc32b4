"""The pages that publish and roll back: what would change and for whom, tests that fail, what becomes of the people inside, now or at a moment."""

from typing import Any, Unpack

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import audit
from apps.events.admin.acts import ActError, page_address
from apps.scenarios import comparing, loose, publishing
from apps.scenarios.engine.contract import Json
from apps.scenarios.forms import PublishForm, RollbackForm
from apps.scenarios.models import PlannedPublication, Scenario, ScenarioVersion
from apps.scenarios.publishing import Choices
from apps.scenarios.simulation import testing
from apps.scenarios.versions import planning


def publish_view(request: HttpRequest, scenario: Scenario, context: dict[str, Any]) -> HttpResponse:
    """Whoever comes here may edit the scenario."""
    if request.method == "POST" and "cancel" in request.POST:
        return _cancelled(request, scenario)
    standing = publishing.standing(scenario)
    form = PublishForm(request.POST or None, removed=[row for row in standing if row.removed], nodes=loose.names(scenario.draft))
    if request.method == "POST" and form.is_valid() and _published(request, scenario, form):
        return HttpResponseRedirect(page_address(scenario))
    page = {**context, **_outlook(scenario, scenario.draft, standing), "form": form, "planned": _planned(scenario)}
    return TemplateResponse(request, "admin/scenarios/publish.html", page)


def rollback_view(request: HttpRequest, version: ScenarioVersion, context: dict[str, Any]) -> HttpResponse:
    """The same for going back to `version`: what would change, who stands where, why."""
    scenario = version.scenario
    standing = publishing.standing(scenario, version.definition)
    form = RollbackForm(request.POST or None, removed=[row for row in standing if row.removed], nodes=loose.names(version.definition))
    if request.method == "POST" and form.is_valid() and _rolled_back(request, version, form):
        return HttpResponseRedirect(page_address(scenario))
    page = {**context, **_outlook(scenario, version.definition, standing), "form": form, "version": version}
    page["waiting"] = [row for row in _planned(scenario) if row.state == PlannedPublication.State.PLANNED]
    return TemplateResponse(request, "admin/scenarios/publish.html", page)


def _outlook(scenario: Scenario, definition: Json, standing: list[publishing.Standing]) -> dict[str, Any]:
    """What publishing this definition would mean."""
    problems = publishing.check(definition, bot=scenario.bot, own=scenario.pk)
    refused = any(problem.level == "error" for problem in problems)
    return {
        "scenario": scenario, "problems": problems, "refused": refused, "standing": standing, "inside": sum(row.people for row in standing),
        "changes": comparing.compare(scenario.published.definition, definition) if scenario.published else None,
        "failed": [] if refused else testing.run_all(scenario, definition=definition, only_active=True).failed,
    }  # fmt: skip


def _rolled_back(request: HttpRequest, version: ScenarioVersion, form: RollbackForm) -> bool:
    try:
        made, text = roll_back(request, version, **form.how())
    except ActError as error:
        messages.error(request, str(error))
        return False
    audit.record(request.user, "scenarios.scenario.rollback", version.scenario, version=made.number, to=version.number)
    messages.success(request, text)
    return True


def roll_back(request: HttpRequest, version: ScenarioVersion, **how: Unpack[Choices]) -> tuple[ScenarioVersion, str]:
    """The version that was made and what to tell the person. Raises `ActError`."""
    assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
    try:
        made = publishing.rollback(version, user=request.user, **how)
    except publishing.PublishingRefusedError as error:
        raise ActError(_("This version cannot be published any more: %(why)s") % {"why": error}) from error
    except publishing.StaleDraftError as error:
        raise ActError(_("Somebody has saved the draft at this very moment. Look at it and try again.")) from error
    told = _("Version %(number)s is published; it says what version %(old)s said.")
    return made, told % {"number": made.number, "old": version.number}


def _published(request: HttpRequest, scenario: Scenario, form: PublishForm) -> bool:
    assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
    how, due_at = form.how(), form.cleaned_data["due_at"]
    given = {"override": how["override"]} if how["override"] else {}
    try:
        if due_at:
            planned = planning.plan(scenario, due_at=due_at, user=request.user, **how)
            audit.record(request.user, "scenarios.scenario.plan", scenario, due_at=planned.due_at.isoformat(), **given)
            messages.success(request, _("Planned: the draft as it is now is published at that moment."))
            return True
        version = publishing.publish(scenario, user=request.user, **how)
    except publishing.TestsFailedError:
        messages.error(request, _("Not published: tests fail. Correct the draft or the tests, or say why it is published all the same."))
        return False
    except publishing.PublishingRefusedError:
        messages.error(request, _("Not published: the draft has errors. Correct them first."))
        return False
    except planning.PlanError as error:
        messages.error(request, str(error))
        return False
    audit.record(request.user, "scenarios.scenario.publish", scenario, version=version.number, **given)
    messages.success(request, _("Version %(number)s is published. New dialogues run it from now on.") % {"number": version.number})
    return True


def _cancelled(request: HttpRequest, scenario: Scenario) -> HttpResponse:
    number = request.POST.get("cancel", "")
    planned = scenario.planned.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 18 else None  # noqa: PLR2004
    if planned and planning.cancel(planned):
        audit.record(request.user, "scenarios.scenario.unplan", scenario, due_at=planned.due_at.isoformat())
        messages.success(request, _("The planned publication is cancelled."))
    else:
        messages.error(request, _("It was published or cancelled meanwhile."))
    return HttpResponseRedirect(request.path)


def _planned(scenario: Scenario) -> list[PlannedPublication]:
    return list(scenario.planned.select_related("created_by", "version").defer("definition", "layout")[:10])
