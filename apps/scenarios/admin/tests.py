"""Saved tests: the page of a scenario's tests with what they cover, and the page of each."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.events.admin.acts import Act
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin, Panel, table
from apps.events.json_field import JSONTextField
from apps.events.showing import EMPTY, badge, link, moment, page_of
from apps.scenarios import loose
from apps.scenarios.models import SavedTest, Scenario
from apps.scenarios.simulation import testing
from apps.scenarios.simulation.asking import AskError


def tests_view(request: HttpRequest, scenario: Scenario, context: dict[str, Any], *, may_run: bool) -> HttpResponse:
    """Running is a POST, because it notes each test's outcome."""
    if request.method == "POST" and may_run:
        report = testing.run_all(scenario)
        testing.note(report)
        failed = len(report.failed)
        if failed:
            messages.error(request, _("%(failed)s of %(all)s tests fail.") % {"failed": failed, "all": len(report.results)})
        else:
            messages.success(request, _("All %(all)s tests pass.") % {"all": len(report.results)})
        return HttpResponseRedirect(request.path)
    report = testing.run_all(scenario)
    titles = dict(loose.names(scenario.draft))
    page = {
        **context, "scenario": scenario, "results": report.results, "coverage": report.coverage, "may_run": may_run,
        "missing_nodes": [titles.get(node, node) for node in report.coverage.missing_nodes],
        "missing_exits": [(titles.get(node, node), name) for node, name in report.coverage.missing_exits],
    }  # fmt: skip
    return TemplateResponse(request, "admin/scenarios/tests.html", page)


class SavedTestForm(forms.ModelForm):  # type: ignore[type-arg]
    recording = JSONTextField(label=gettext_lazy("Recording"), empty={})

    class Meta:
        model = SavedTest
        fields = ("name", "description", "is_active", "recording")

    def clean_recording(self) -> dict[str, Any]:
        data: dict[str, Any] = self.cleaned_data["recording"]
        try:
            testing.read_recording(data)
        except AskError as error:
            raise ValidationError([f"{path}: {why}" for path, why in error.errors], code="recording") from error
        return data


@admin.register(SavedTest)
class SavedTestAdmin(PageAdmin):
    form = SavedTestForm
    intro = gettext_lazy(
        "Chats that must go on as they went. They run before publishing; new ones are kept from a scenario's chat preview."
    )
    list_display = ("name", "scenario_link", "state", "is_active", "run_at")
    list_filter = (bot_filter("scenario__bot_id"),)
    list_select_related = ("scenario__bot",)
    search_fields = ("name", "scenario__name")
    fieldsets = ((None, {"fields": ("name", "description", "is_active", "recording")}),)
    acts = (Act("run", gettext_lazy("Run on the draft"), icon="play_arrow", tone="primary"),)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """A test begins as a chat."""
        return False

    def act_run(self, request: HttpRequest, obj: SavedTest) -> HttpResponse | str:  # noqa: ARG002
        report = testing.run_all(obj.scenario)
        own = [result for result in report.results if result.test.pk == obj.pk]
        testing.note(testing.Report(own, report.coverage))
        passed = all(result.passed for result in own)
        return _("The test passes.") if passed else _("The test fails; the differences are below.")

    @display(description=gettext_lazy("scenario"))
    def scenario_link(self, test: SavedTest) -> SafeString:
        return link(reverse("admin:scenarios_scenario_tests", args=[test.scenario_id]), f"{test.scenario.bot}: {test.scenario}")

    @display(description=gettext_lazy("state"))
    def state(self, test: SavedTest) -> SafeString:
        return (
            badge(_("not run"), "plain")
            if test.last_passed is None
            else badge(_("passes"), "ok")
            if test.last_passed
            else badge(_("fails"), "bad")
        )

    @display(description=gettext_lazy("last run"), ordering="last_run_at")
    def run_at(self, test: SavedTest) -> SafeString:
        return moment(test.last_run_at)

    def panels(self, request: HttpRequest, obj: SavedTest) -> list[Panel]:  # type: ignore[override]  # noqa: ARG002
        rows = [(failure.get("turn") or EMPTY, failure.get("message", "")) for failure in obj.last_failures or ()]
        where = link(page_of("scenarios.Scenario", obj.scenario_id), str(obj.scenario))
        note = _("What went another way when the test ran last.")
        return [
            table(_("Differences"), (_("turn"), _("difference")), rows, icon="difference", empty=_("None."), note=note),
            table(_("Scenario"), (_("name"), _("made")), [(where, moment(obj.created_at))], icon="account_tree"),
        ]
