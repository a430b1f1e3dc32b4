"""Published versions: never changed; to be read, compared, taken as a file, and run again by rolling back."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.accounts.access import can_object
from apps.events.admin.acts import Act, page_address
from apps.events.admin.filtering import bot_filter, number
from apps.events.admin.pages import Fact, LogAdmin, Panel
from apps.events.showing import EMPTY, badge, json_text, link, moment, page_of
from apps.scenarios.admin import publish
from apps.scenarios.admin.outline import outline
from apps.scenarios.models import ScenarioVersion
from apps.scenarios.ordering import readable


def _is_old(version: ScenarioVersion) -> bool:
    return version.scenario.published_id != version.pk


@admin.register(ScenarioVersion)
class ScenarioVersionAdmin(LogAdmin):
    intro = gettext_lazy(
        "Everything that was ever published, by whom and why. A dialogue runs to its end on the version on which it began."
    )
    list_display = ("name", "scenario_link", "state", "note", "published_by", "at")
    list_filter = (bot_filter("scenario__bot_id"), number("scenario_id", gettext_lazy("scenario (number)"), parameter="scenario"))
    list_select_related = ("scenario__bot", "published_by")
    search_fields = ("scenario__name", "note")
    acts = (
        Act("rollback", gettext_lazy("Roll back to this version"), icon="settings_backup_restore", tone="primary", when=_is_old,
            confirm=gettext_lazy("The draft becomes this version and is published as a new one. Unpublished changes of the draft stay in its history only.")),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """The list needs no definitions."""
        rows = super().get_queryset(request).select_related("scenario__bot")
        return rows.defer("definition", "layout", "scenario__draft", "scenario__layout")

    def act_rollback(self, request: HttpRequest, obj: ScenarioVersion) -> HttpResponse | str:
        obj.scenario.refresh_from_db()
        self.message_user(request, publish.roll_back(request, obj)[1])
        return HttpResponseRedirect(page_address(obj.scenario))

    @display(description=gettext_lazy("version"))
    def name(self, version: ScenarioVersion) -> str:
        return str(version)

    @display(description=gettext_lazy("scenario"))
    def scenario_link(self, version: ScenarioVersion) -> SafeString:
        return link(page_of("scenarios.Scenario", version.scenario_id), f"{version.scenario.bot}: {version.scenario}")

    @display(description=gettext_lazy("state"))
    def state(self, version: ScenarioVersion) -> SafeString | str:
        return EMPTY if _is_old(version) else badge(_("runs now"), "ok")

    @display(description=gettext_lazy("published"))
    def at(self, version: ScenarioVersion) -> SafeString:
        return moment(version.published_at)

    def facts(self, request: HttpRequest, obj: ScenarioVersion) -> list[Fact]:
        compare = reverse("admin:scenarios_scenario_compare", args=[obj.scenario_id])
        canvas = f"{reverse('admin:scenarios_scenario_builder', args=[obj.scenario_id])}?show=differences&old={obj.number}&new=draft"
        back = reverse("admin:scenarios_scenario_rollback", args=[obj.scenario_id, obj.number])
        export = reverse("admin:scenarios_scenario_export", args=[obj.scenario_id])
        return [
            Fact(_("scenario"), self.scenario_link(obj)), Fact(_("state"), self.state(obj)), Fact(_("published"), moment(obj.published_at)),
            Fact(_("by"), str(obj.published_by or EMPTY)), Fact(_("note"), obj.note or EMPTY), Fact(_("people inside"), obj.get_people_display()),
            Fact(_("differences"), link(f"{compare}?old={obj.number}", _("to the draft"))),
            *([Fact(_("differences"), link(f"{compare}?old={obj.number - 1}&new={obj.number}", _("to the version before")))] if obj.number > 1 else []),
            Fact(_("on the canvas"), link(canvas, _("Show on canvas"))),
            *([Fact(_("roll back"), link(back, _("look first, say why, choose for the people inside")))] if _is_old(obj) and can_object(request.user, "edit", obj) else []),
            Fact(_("file"), link(f"{export}?version={obj.number}", _("Export"))),
        ]  # fmt: skip

    def panels(self, request: HttpRequest, obj: ScenarioVersion) -> list[Panel]:  # type: ignore[override]  # noqa: ARG002
        return [
            Panel(
                _("Outline"), "admin/scenarios/outline_panel.html", {"outline": outline(obj.definition)}, icon="account_tree", wide=False
            ),
            Panel(
                _("Definition"),
                "admin/scenarios/definition_panel.html",
                {"text": json_text(readable(obj.definition))},
                icon="data_object",
                wide=False,
            ),
        ]
