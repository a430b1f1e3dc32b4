"""The scenario's pages: the draft in its editor, the check beside it, publishing, versions, differences, export and import."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import Func, IntegerField, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from apps.accounts.access import can_object
from apps.accounts.models import User
from apps.core import audit
from apps.core.strictjson import StrictJsonError, loads
from apps.events.admin.acts import page_address
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin, Panel, PlainChangeList, table
from apps.events.showing import EMPTY, badge, json_text, link, moment, page_of
from apps.scenarios import comparing, needs, publishing
from apps.scenarios.admin import analytics, files, foreign, languages, preview, publish, starting, tests
from apps.scenarios.admin.builder import builder_view
from apps.scenarios.admin.history import DraftHistory
from apps.scenarios.admin.outline import outline
from apps.scenarios.admin.palette import palette
from apps.scenarios.engine.contract import Problem
from apps.scenarios.forms import NewScenarioForm, ScenarioForm, file_of
from apps.scenarios.models import Scenario, ScenarioVersion, Session
from apps.scenarios.ordering import readable
from apps.scenarios.versions import differing

COUNTED = 1000
MAX_NUMBER = 2**31


class ScenarioChangeList(PlainChangeList):
    """Knows how many people are inside each scenario of its page, counted up to a limit through the index of active sessions by version."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        active = Session.objects.filter(version__scenario=OuterRef("pk"), status=Session.Status.ACTIVE).order_by()
        inside = Func(ArraySubquery(active.values("pk")[: COUNTED + 1]), function="cardinality", output_field=IntegerField())
        counts = dict(Scenario.objects.filter(pk__in=[row.pk for row in self.result_list]).order_by().values_list("pk", inside))
        for row in self.result_list:
            row.people_inside = counts.get(row.pk, 0)


@admin.register(Scenario)
class ScenarioAdmin(PageAdmin):
    form = ScenarioForm
    change_form_template = "admin/scenarios/scenario.html"
    change_list_template = "admin/scenarios/change_list.html"
    intro = gettext_lazy("What bots say and do. People edit the draft; only a published version runs, and who is inside one stays on it.")
    list_display = ("title", "bot", "state", "published_shown", "inside", "changed")
    list_filter = (bot_filter("bot_id"), ("is_active", BooleanRadioFilter))
    list_select_related = ("bot", "published")
    search_fields = ("name", "key", "description")
    search_help_text = gettext_lazy("Name, key or description")
    prepopulated_fields = {"key": ("name",)}
    fieldsets = ((None, {"fields": (("name", "key"), "description", "is_active")}),)
    add_fieldsets = ((None, {"fields": ("bot", ("name", "key"), "description", "begin_with", "file")}),)

    def get_urls(self) -> list[URLPattern]:
        wrap, info = self.admin_site.admin_view, "scenarios_scenario"
        own = [
            path("<int:pk>/builder/", wrap(self.builder_view), name=f"{info}_builder"),
            path("<int:pk>/check/", wrap(require_POST(self.check_view)), name=f"{info}_check"),
            path("<int:pk>/publish/", wrap(self.publish_view), name=f"{info}_publish"),
            path("<int:pk>/rollback/<int:number>/", wrap(self.rollback_view), name=f"{info}_rollback"),
            path("<int:pk>/preview/", wrap(self.preview_view), name=f"{info}_preview"),
            path("<int:pk>/preview/turn/", wrap(require_POST(self.preview_turn_view)), name=f"{info}_preview_turn"),
            path("<int:pk>/preview/keep/", wrap(require_POST(self.preview_keep_view)), name=f"{info}_preview_keep"),
            path("<int:pk>/tests/", wrap(self.tests_view), name=f"{info}_tests"),
            path("<int:pk>/start/", wrap(self.start_view), name=f"{info}_start"),
            path("<int:pk>/languages/", wrap(self.languages_view), name=f"{info}_languages"),
            path("<int:pk>/languages/export/", wrap(self.texts_view), name=f"{info}_texts"),
            path("<int:pk>/analytics/", wrap(self.analytics_view), name=f"{info}_analytics"),
            path("<int:pk>/compare/", wrap(self.compare_view), name=f"{info}_compare"),
            path("<int:pk>/export/", wrap(self.export_view), name=f"{info}_export"),
            path("import/", wrap(self.import_view), name=f"{info}_import"),
            path("import-flows/", wrap(self.import_flows_view), name=f"{info}_import_flows"),
            path("bot-file/<int:bot_id>/", wrap(files.export_view), name=f"{info}_bot_file"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        rights = {"may_import": files.may_import(request.user), "may_import_flows": self.has_add_permission(request)}
        shown: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **rights})
        return shown

    # --- the list -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("layout")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PlainChangeList]:  # noqa: ARG002
        return ScenarioChangeList

    @display(description=gettext_lazy("name"), ordering="name")
    def title(self, scenario: Scenario) -> SafeString:
        return format_html('{} <span class="db-hint">{}</span>', scenario.name, scenario.key)

    @display(description=gettext_lazy("state"))
    def state(self, scenario: Scenario) -> SafeString:
        if scenario.published is None:
            return badge(_("draft only"), "warn")
        return badge(_("running"), "ok") if scenario.is_active else badge(_("switched off"))

    @display(description=gettext_lazy("published version"))
    def published_shown(self, scenario: Scenario) -> SafeString | str:
        version = scenario.published
        return format_html("{} {}", version, moment(version.published_at)) if version else EMPTY

    @display(description=gettext_lazy("people inside"))
    def inside(self, scenario: Scenario) -> str:
        count = getattr(scenario, "people_inside", 0)
        return f"{COUNTED}+" if count > COUNTED else str(count or EMPTY)

    @display(description=gettext_lazy("changed"), ordering="updated_at")
    def changed(self, scenario: Scenario) -> SafeString:
        return moment(scenario.updated_at)

    # --- the form -----------------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Scenario | None = None, *args: Any, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewScenarioForm
        return super().get_form(request, obj, *args, **kwargs)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Scenario | None = None) -> dict[str, Any]:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Scenario | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Endpoints and files name a scenario by its key."""
        return ("key",) if obj else ()

    def response_add(self, request: HttpRequest, obj: Scenario, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        messages.success(request, _("The scenario is made. Change the draft, check it, then publish it."))
        lacks = needs.missing(obj.draft, obj.bot)
        if lacks:
            told = ", ".join(f"{need.label} {need.key}" for need in lacks)
            messages.warning(request, _("This installation does not have what the scenario names: %(what)s.") % {"what": told})
        errors = [problem.message for problem in _problems(obj.draft, obj) if problem.level == "error"]
        if errors:
            told = ngettext("It has an error: %(first)s", "It has %(count)s errors, such as: %(first)s", len(errors))
            messages.warning(request, told % {"count": len(errors), "first": errors[0]})
        return HttpResponseRedirect(page_address(obj))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        if isinstance(obj, Scenario) and obj.pk:
            context.update(self._bench(request, obj, context["adminform"].form))
        return super().render_change_form(request, context, *args, **kwargs)

    def _bench(self, request: HttpRequest, obj: Scenario, form: Any) -> dict[str, Any]:
        shown = form["draft"].value() if self.has_change_permission(request, obj) else obj.draft
        definition = _read(shown) if isinstance(shown, str) else shown
        theirs = getattr(form, "theirs", None)
        return {
            "scenario": obj, "may_edit": self.has_change_permission(request, obj), "palette": palette(obj.bot_id),
            "problems": _problems(definition, obj), "outline": outline(definition), "draft_text": shown if isinstance(shown, str) else json_text(readable(shown)),
            "theirs": theirs, "their_changes": comparing.compare(_opened(theirs, form), theirs.draft) if theirs else [],
            "unpublished": obj.published_id is None or bool(comparing.compare(obj.published.definition, obj.draft) if obj.published else True),
            "is_fullwidth": "1",
        }  # fmt: skip

    def get_historical_record_context_helper(self, _request: HttpRequest, historical_record: Any) -> DraftHistory:
        return DraftHistory(self.model, historical_record)  # type: ignore[call-arg]  # simple-history's signature

    def panels(self, request: HttpRequest, obj: Scenario) -> list[Panel]:  # type: ignore[override]
        return [_versions(obj, may_edit=self.has_change_permission(request, obj)), _triggers(obj)]

    def builder_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return builder_view(request, self._scenario(request, pk), {**self.admin_site.each_context(request), "opts": self.opts})

    # --- checking -----------------------------------------------------------------------------------------------------

    def check_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """What the editor asks while people write: problems and outline of the text as it stands; nothing is stored."""
        scenario = self._scenario(request, pk)
        try:
            definition = loads(request.POST.get("draft", "").encode(errors="surrogatepass"))
        except StrictJsonError as error:
            return JsonResponse({"error": error.reason}, status=400)
        problems = render_to_string("admin/scenarios/problems.html", {"problems": _problems(definition, scenario)}, request)
        return JsonResponse(
            {"problems": problems, "outline": render_to_string("admin/scenarios/outline.html", {"outline": outline(definition)}, request)}
        )

    # --- publishing ---------------------------------------------------------------------------------------------------

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What would change and for whom, then the publishing itself."""
        scenario = self._edited(request, pk)
        title = _("Publish %(name)s") % {"name": scenario.name}
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        return publish.publish_view(request, scenario, context)

    def rollback_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        scenario = self._edited(request, pk)
        version = scenario.versions.filter(number=number).first() if number < MAX_NUMBER else None
        if version is None:
            raise Http404
        version.scenario = scenario
        title = _("Roll %(name)s back to version %(number)s") % {"name": scenario.name, "number": number}
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        return publish.rollback_view(request, version, context)

    # --- trying out -------------------------------------------------------------------------------------------------------

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = self._edited(request, pk)
        title = _("Chat preview of %(name)s") % {"name": scenario.name}
        return preview.preview_view(
            request, scenario, {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        )

    def preview_turn_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return preview.turn_view(request, self._edited(request, pk))

    def preview_keep_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return preview.keep_view(request, self._edited(request, pk))

    def tests_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = self._scenario(request, pk)
        may_run = can_object(request.user, "edit", scenario)
        title = _("Tests of %(name)s") % {"name": scenario.name}
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        return tests.tests_view(request, scenario, context, may_run=may_run)

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = self._edited(request, pk)
        title = _("Start %(name)s for people") % {"name": scenario.name}
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        return starting.start_view(request, scenario, cast("User", request.user), context, back=page_address(scenario))

    def languages_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = self._scenario(request, pk)
        title = _("Languages of %(name)s") % {"name": scenario.name}
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        return languages.languages_view(request, scenario, context, may_edit=can_object(request.user, "edit", scenario))

    def texts_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return languages.export_view(request, self._scenario(request, pk))

    def analytics_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        scenario = self._scenario(request, pk)
        title = _("Figures of %(name)s") % {"name": scenario.name}
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": scenario}
        return analytics.analytics_view(request, scenario, context)

    # --- comparing ----------------------------------------------------------------------------------------------------

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Two versions, or a version and the draft: differences per block and field, and as text."""
        scenario = self._scenario(request, pk)
        versions = list(scenario.versions.order_by("-number"))
        older, newer = (self._side(scenario, versions, request.GET.get(name, "")) for name in ("old", "new"))
        older = older or (versions[0] if versions else None)
        old = differing.Side("", older.definition, older.layout) if older else differing.Side("", {}, {})
        new = differing.Side("", newer.definition, newer.layout) if newer else differing.side(scenario, "")
        context = {
            "scenario": scenario, "versions": versions, "older": older, "newer": newer, "moved": differing.moved(old, new),
            "changes": comparing.compare(old.definition, new.definition), "lines": comparing.text_difference(old.definition, new.definition),
        }  # fmt: skip
        return self._page(request, "admin/scenarios/compare.html", _("Differences of %(name)s") % {"name": scenario.name}, context)

    def _side(self, _scenario: Scenario, versions: list[ScenarioVersion], number: str) -> ScenarioVersion | None:
        return next((version for version in versions if str(version.number) == number), None)

    # --- files --------------------------------------------------------------------------------------------------------

    def export_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The draft, or with `?version=` a published one, as a file that can be imported again."""
        scenario = self._scenario(request, pk)
        number = request.GET.get("version", "")
        version = next((row for row in scenario.versions.all() if str(row.number) == number), None)
        if number and version is None:
            raise Http404
        audit.record(request.user, "scenarios.scenario.export", scenario, version=number or "draft")
        response = HttpResponse(
            json_text(file_of(scenario, version.definition if version else scenario.draft)), content_type="application/json"
        )
        name = f"{scenario.key}{f'-v{number}' if number else ''}.json"
        response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return response

    def import_view(self, request: HttpRequest) -> HttpResponse:
        return files.import_view(request, {**self.admin_site.each_context(request), "title": _("Import a bot's file"), "opts": self.opts})

    def import_flows_view(self, request: HttpRequest) -> HttpResponse:
        title = _("Import flows of another system")
        return foreign.import_view(request, {**self.admin_site.each_context(request), "title": title, "opts": self.opts})

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _scenario(self, request: HttpRequest, pk: int) -> Scenario:
        scenario = self.get_queryset(request).select_related("bot", "published").filter(pk=pk).first()
        if scenario is None:
            raise Http404
        found: Scenario = scenario
        return found

    def _edited(self, request: HttpRequest, pk: int) -> Scenario:
        """The scenario, for who may edit it: trying out needs that right (security.md 7)."""
        scenario = self._scenario(request, pk)
        if not can_object(request.user, "edit", scenario):
            raise PermissionDenied
        return scenario

    def _page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": context["scenario"], **context},
        )


def _read(text: str) -> Any:
    try:
        return loads(text.encode(errors="surrogatepass"))
    except StrictJsonError:
        return {}


def _problems(definition: Any, scenario: Scenario) -> list[Problem]:
    return publishing.check(definition, bot=scenario.bot, own=scenario.pk)


def _opened(theirs: Scenario, form: ScenarioForm) -> dict[str, Any]:
    """The draft as it was when this page was opened, from the history; what others changed is told against it."""
    history: Any = theirs.history
    row = history.filter(draft_version=form.opened_version).order_by("-history_id").first()
    opened: dict[str, Any] = row.draft if row else form.instance.draft
    return opened


def _versions(scenario: Scenario, *, may_edit: bool) -> Panel:
    compare = reverse("admin:scenarios_scenario_compare", args=[scenario.pk])
    rows = []
    for version in scenario.versions.select_related("published_by").order_by("-number")[:20]:
        current = badge(_("runs now"), "ok") if version.pk == scenario.published_id else ""
        rows.append((
            link(page_of("scenarios.ScenarioVersion", version.pk), f"v{version.number}"), current, moment(version.published_at),
            str(version.published_by or EMPTY), version.note or EMPTY, link(f"{compare}?old={version.number}", _("compare with the draft")),
            EMPTY if current or not may_edit else link(reverse("admin:scenarios_scenario_rollback", args=[scenario.pk, version.number]), _("roll back")),
        ))  # fmt: skip
    return table(
        _("Versions"), (_("version"), "", _("published"), _("by"), _("note"), "", ""), rows, icon="history", empty=_("Not published yet.")
    )


def _triggers(scenario: Scenario) -> Panel:
    rows: list[tuple[Any, ...]] = [(row.kind, row.pattern or EMPTY, row.match, row.entry or EMPTY) for row in scenario.triggers.all()]
    for row in scenario.schedules.all():
        when = format_html("{} {}", _("next look"), moment(row.next_at)) if row.next_at else EMPTY
        rows.append((row.get_kind_display(), str(row), when, row.config.get("entry") or EMPTY))
    hint = _("What starts the published version. Written from the definition when it is published.")
    return table(
        _("Triggers"), (_("kind"), _("pattern"), _("match"), _("entry")), rows, icon="bolt", empty=_("Only endpoints start it."), note=hint
    )
