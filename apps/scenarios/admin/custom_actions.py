"""The Action Jail's pages: the editor with its testing section, publishing, differences, versions, who uses an action."""

import difflib
from typing import Any

from django.contrib import admin, messages
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from apps.accounts.access import can_object, scoped
from apps.accounts.models import User
from apps.core import audit
from apps.core.strictjson import StrictJsonError, loads
from apps.events.admin.acts import page_address
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin, Panel, table
from apps.events.showing import EMPTY, badge, link, moment, page_of
from apps.scenarios.admin.builder import _stamp
from apps.scenarios.jail import drafting, publishing, trying
from apps.scenarios.jail.declaring import TYPES
from apps.scenarios.jail.forms import CustomActionForm, PublishActionForm
from apps.scenarios.models import CustomAction, CustomActionVersion

SCRIPT = "app/code_editor.js"


@admin.register(CustomAction)
class CustomActionAdmin(PageAdmin):
    form = CustomActionForm
    change_form_template = "admin/scenarios/custom_action.html"
    intro = gettext_lazy(
        "Actions in JavaScript for what the built-in ones cannot do. Write, test, publish; then every Action block can use them."
    )
    list_display = ("title", "bot", "state", "published_shown", "changed")
    list_filter = (bot_filter("bot_id"), ("is_active", BooleanRadioFilter))
    list_select_related = ("bot", "published")
    search_fields = ("name", "key", "description")
    search_help_text = gettext_lazy("Name or description")
    fieldsets = ((None, {"fields": (("name", "key"), "bot", "description", "is_active")}),)

    def get_urls(self) -> list[URLPattern]:
        wrap, info = self.admin_site.admin_view, "scenarios_customaction"
        own = [
            path("check/", wrap(require_POST(self.check_view)), name=f"{info}_check"),
            path("<int:pk>/try/", wrap(require_POST(self.try_view)), name=f"{info}_try"),
            path("<int:pk>/cases/", wrap(require_POST(self.cases_view)), name=f"{info}_cases"),
            path("<int:pk>/publish/", wrap(self.publish_view), name=f"{info}_publish"),
            path("<int:pk>/compare/", wrap(self.compare_view), name=f"{info}_compare"),
        ]
        return [*own, *super().get_urls()]

    # --- the list -----------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("name"), ordering="name")
    def title(self, action: CustomAction) -> SafeString:
        return format_html('{} <span class="db-hint">{}</span>', action.name, action.key)

    @display(description=gettext_lazy("state"))
    def state(self, action: CustomAction) -> SafeString:
        if action.published is None:
            return badge(_("draft only"), "warn")
        return badge(_("published"), "ok") if action.is_active else badge(_("switched off"))

    @display(description=gettext_lazy("published version"))
    def published_shown(self, action: CustomAction) -> SafeString | str:
        version = action.published
        return format_html("{} {}", version, moment(version.published_at)) if version else EMPTY

    @display(description=gettext_lazy("changed"), ordering="updated_at")
    def changed(self, action: CustomAction) -> SafeString:
        return moment(action.updated_at)

    # --- the form -----------------------------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: CustomAction | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Scenarios name an action by its key."""
        return ("key",) if obj else ()

    def response_add(self, request: HttpRequest, obj: CustomAction, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        messages.success(request, _("The action is made. Write its code, try it out below, then publish it."))
        return HttpResponseRedirect(page_address(obj))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        built = finders.find(SCRIPT)
        context |= {
            "custom": obj if obj and obj.pk else None, "may_edit": self.has_change_permission(request, obj) if obj else True,
            "built": _stamp(built) if isinstance(built, str) else "", "script": SCRIPT, "is_fullwidth": "1",
            "jail": _texts_of_page(obj), "has_author": drafting.author() is not None,
        }  # fmt: skip
        if obj and obj.pk:
            context |= {"cases": list(obj.tests.all()), "unpublished": _differs(obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def panels(self, request: HttpRequest, obj: CustomAction) -> list[Panel]:  # type: ignore[override]
        return [_uses(request, obj), _versions(obj)]

    # --- trying out ---------------------------------------------------------------------------------------------------

    def check_view(self, request: HttpRequest) -> JsonResponse:
        """What the editor asks while people write."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return JsonResponse(trying.check(str(_body(request).get("code") or "")[:200_000]))

    def try_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        action, asked = self._editable(request, pk), _body(request)
        try:
            told = trying.run(action, asked)
        except trying.WrongInputError as error:
            return JsonResponse({"error": {"text": str(error), "line": 0}}, status=400)
        if asked.get("live") is True:
            audit.record(request.user, "scenarios.customaction.live_test", action)
        return JsonResponse(told)

    def cases_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Keep a test case, or with `delete` its id take one away."""
        action, asked = self._editable(request, pk), _body(request)
        if asked.get("delete"):
            action.tests.filter(pk=int(asked["delete"])).delete()
            return JsonResponse({"deleted": True})
        try:
            case = trying.save_case(action, asked)
        except trying.WrongInputError as error:
            return JsonResponse({"error": {"text": str(error), "line": 0}}, status=400)
        return JsonResponse({"id": case.pk, "name": case.name})

    # --- publishing and comparing -------------------------------------------------------------------------------------

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The saved test cases run now; their results, what changes and who uses it, then the publishing itself."""
        action = self._editable(request, pk)
        unreadable = publishing.unreadable(action.code)
        results = [] if unreadable else publishing.run_tests(action)
        failed = [result for result in results if result.why]
        form = PublishActionForm(request.POST or None, failed=bool(failed))
        if request.method == "POST" and form.is_valid() and self._published(request, action, form.cleaned_data):
            return HttpResponseRedirect(page_address(action))
        version = action.published
        context = {
            "custom": action, "form": form, "unreadable": unreadable, "results": results, "failed": failed,
            "lines": _lines(version.code, action.code) if version else None, "uses": publishing.uses(action),
        }  # fmt: skip
        return self._page(request, "admin/scenarios/custom_action_publish.html", _("Publish %(name)s") % {"name": action.name}, context)

    def _published(self, request: HttpRequest, action: CustomAction, data: dict[str, Any]) -> bool:
        assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
        try:
            version = publishing.publish(action, user=request.user, note=data["note"], despite=data.get("despite", ""))
        except publishing.UnreadableCodeError as error:
            messages.error(request, str(error))
        except publishing.FailedCasesError:
            messages.error(request, _("Not published: test cases fail. Correct the code, or give a reason to publish all the same."))
        else:
            audit.record(request.user, "scenarios.customaction.publish", action, version=version.number)
            messages.success(request, _("Version %(number)s is published. Action blocks run it from now on.") % {"number": version.number})
            return True
        return False

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Two versions, or a version and the draft."""
        action = self.get_object(request, str(pk))
        if action is None or not self.has_view_permission(request, action):
            raise Http404
        versions = list(action.versions.order_by("-number"))
        older, newer = (_numbered(versions, request.GET.get(name, "")) for name in ("old", "new"))
        older = older or (versions[0] if versions else None)
        before, after = (_source(older) if older else ""), _source(newer or action)
        context = {"custom": action, "versions": versions, "older": older, "newer": newer, "lines": _lines(before, after)}
        return self._page(
            request, "admin/scenarios/custom_action_compare.html", _("Differences of %(name)s") % {"name": action.name}, context
        )

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _editable(self, request: HttpRequest, pk: int) -> CustomAction:
        action: CustomAction | None = self.get_object(request, str(pk))
        if action is None:
            raise Http404
        if not can_object(request.user, "edit", action):
            raise PermissionDenied
        return action

    def _page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        action = context["custom"]
        page = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "original": action, **context}
        return TemplateResponse(request, template, page)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = loads(request.body)
    except StrictJsonError as error:
        raise Http404(error.reason) from error
    return body if isinstance(body, dict) else {}


def _differs(action: CustomAction) -> bool:
    version = action.published
    return version is None or (version.code, version.params, version.exits) != (action.code, action.params, action.exits)


def _numbered(versions: list[CustomActionVersion], number: str) -> CustomActionVersion | None:
    return next((version for version in versions if str(version.number) == number), None)


def _source(row: CustomAction | CustomActionVersion) -> str:
    """What is compared: parameters and exits as lines above the code."""
    params = [
        f"parameter {one['name']}: {one['type']}{' (required)' if one.get('required') else ''} {one.get('help', '')}".rstrip()
        for one in row.params
    ]
    exits = [f"exit {one['name']} {one.get('label', '')}".rstrip() for one in row.exits]
    return "\n".join([*params, *exits, row.code])


def _lines(before: str, after: str) -> list[str]:
    return [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
        if not line.startswith(("---", "+++"))
    ]


def _uses(request: HttpRequest, action: CustomAction) -> Panel:
    allowed = set(
        scoped(type(action)._meta.apps.get_model("scenarios", "Scenario")._default_manager.all(), request.user).values_list("pk", flat=True)
    )
    rows = [
        [
            link(page_address(use.scenario), use.scenario.name),
            use.scenario.bot.name,
            use.node,
            badge(_("running"), "ok") if use.published else badge(_("draft"), "warn"),
        ]
        for use in publishing.uses(action)
        if use.scenario.pk in allowed
    ]
    return table(
        _("Who uses it"), [_("Scenario"), _("Bot"), _("Block"), ""], rows, icon="account_tree", empty=_("No scenario uses it yet.")
    )


def _versions(action: CustomAction) -> Panel:
    rows = [
        [
            link(page_of("scenarios.CustomActionVersion", version.pk), str(version)),
            version.note or EMPTY,
            str(version.published_by or EMPTY),
            moment(version.published_at),
            version.despite,
        ]
        for version in action.versions.select_related("published_by").order_by("-number")[:10]
    ]
    more = f"{reverse('admin:scenarios_customactionversion_changelist')}?q={action.key}"
    return table(
        _("Versions"),
        [_("Version"), _("What is new"), _("By"), _("Published"), ""],
        rows,
        icon="history",
        more_url=more,
        empty=_("Nothing of it has been published yet."),
    )


def _texts_of_page(action: CustomAction | None) -> dict[str, Any]:
    """What the page's script needs: addresses, the types of parameters, texts."""
    own = (
        {name: reverse(f"admin:scenarios_customaction_{name}", args=[action.pk]) for name in ("try", "cases")}
        if action and action.pk
        else {}
    )
    return {
        "urls": {"check": reverse("admin:scenarios_customaction_check"), **own},
        "types": [[kind, str(label)] for kind, (label, _annotation) in TYPES.items()],
        "texts": {
            "name": _("Name"), "type": _("Type"), "required": _("Required"), "default": _("Default"), "help": _("Help"), "label": _("Label"),
            "add": _("Add a row"), "remove": _("Remove"), "result": _("Result"), "exit": _("Exit"), "logs": _("Log"), "calls": _("Calls"),
            "writes": _("Would be stored and told"), "nothing": _("nothing"), "running": _("Running…"), "saved": _("Saved as a test case."),
            "ms": _("ms"), "computing": _("computing"), "memory": _("memory"), "wrong_json": _("This is no JSON:"), "variables": _("Variables"),
        },
    }  # fmt: skip
