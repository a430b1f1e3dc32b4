"""Endpoints: what systems may call, how, and a dry run to try it."""

import json
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from apps.accounts.access import can_object
from apps.core import audit
from apps.events.admin.filtering import bot_filter
from apps.events.admin.pages import PageAdmin, Panel
from apps.events.showing import EMPTY, badge, badges, json_text, link, list_of, page_of
from apps.gateway.forms import EndpointForm, TryForm
from apps.gateway.models import Endpoint
from apps.gateway.trying import try_out

INBOUND = (Endpoint.Direction.INBOUND, Endpoint.Direction.BOTH)


@admin.register(Endpoint)
class EndpointAdmin(PageAdmin):
    form = EndpointForm
    intro = gettext_lazy(
        "Integration points: addresses that your systems call to start scenarios, and a record of those that scenarios call."
    )
    list_display = ("alias", "bot", "title", "way", "scenario_link", "state")
    list_filter = (
        bot_filter("bot_id"),
        ("direction", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("own_key", BooleanRadioFilter),
    )
    list_select_related = ("bot", "scenario__published")
    search_fields = ("alias", "name", "purpose", "owner")
    search_help_text = gettext_lazy("Alias, name, purpose or owner")
    autocomplete_fields = ("scenario",)
    fieldsets = (
        (None, {"fields": ("bot", "alias", ("name", "owner"), "purpose", "is_active")}),
        (
            gettext_lazy("What a call does"),
            {"fields": ("direction", ("scenario", "entry"), "needs_recipient", ("method", "url")), "classes": ["tab"]},
        ),
        (gettext_lazy("Parameters and answer"), {"fields": ("request_schema", "request_example", "response_schema"), "classes": ["tab"]}),
        (gettext_lazy("Protection"), {"fields": ("own_key", "signing_secret"), "classes": ["tab"]}),
    )

    def get_urls(self) -> list[URLPattern]:
        return [path("<int:pk>/try/", self.admin_site.admin_view(self.try_view), name="gateway_endpoint_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A dry run: what would be said and called, with the parameters typed here; nothing is sent or changed."""
        endpoint = self.get_queryset(request).select_related("bot", "scenario").filter(pk=pk).first()
        if endpoint is None or endpoint.direction not in INBOUND:
            raise Http404
        if not can_object(request.user, "edit", endpoint):
            raise PermissionDenied
        form = TryForm(request.POST or None, initial={"params": endpoint.request_example or {"userId": 125}})
        found = None
        if request.method == "POST" and form.is_valid():
            answer = try_out(endpoint, form.cleaned_data["params"])
            audit.record(request.user, "gateway.endpoint.try", endpoint, status=answer.status)
            found = {"status": answer.status, "body": json_text(answer.body), "says": _said(answer.body), "good": answer.status < 400}  # noqa: PLR2004
        context = {
            **self.admin_site.each_context(request), "title": _("Try %(alias)s") % {"alias": endpoint.alias}, "opts": self.opts, "original": endpoint,
            "endpoint": endpoint, "form": form, "found": found,
        }  # fmt: skip
        return TemplateResponse(request, "admin/gateway/try.html", context)

    @display(description=gettext_lazy("name"))
    def title(self, endpoint: Endpoint) -> str:
        return endpoint.name or endpoint.purpose[:80] or EMPTY

    @display(description=gettext_lazy("direction"), ordering="direction")
    def way(self, endpoint: Endpoint) -> SafeString:
        icon = {"inbound": "login", "outbound": "logout", "both": "sync_alt"}[endpoint.direction]
        return badge(
            endpoint.direction if endpoint.direction != "both" else _("both ways"), icon=icon, title=endpoint.get_direction_display()
        )

    @display(description=gettext_lazy("scenario"))
    def scenario_link(self, endpoint: Endpoint) -> SafeString | str:
        scenario = endpoint.scenario
        return (
            link(page_of("scenarios.Scenario", scenario.pk), f"{scenario}{f' › {endpoint.entry}' if endpoint.entry else ''}")
            if scenario
            else EMPTY
        )

    @display(description=gettext_lazy("state"))
    def state(self, endpoint: Endpoint) -> SafeString:
        return badges(_state(endpoint))

    def notes(self, request: HttpRequest, obj: Endpoint) -> list[SafeString | str]:  # type: ignore[override]  # noqa: ARG002
        if obj.direction not in INBOUND:
            return []
        if obj.scenario is None:
            return [_("No scenario is chosen: a call is refused until there is one.")]
        if obj.scenario.published_id is None:
            return [
                format_html(
                    "{} {}",
                    _("The scenario is not published: a call is refused until it is."),
                    link(page_of("scenarios.Scenario", obj.scenario_id), obj.scenario.name),
                )
            ]
        return []

    def panels(self, request: HttpRequest, obj: Endpoint) -> list[Panel]:  # type: ignore[override]
        if obj.direction not in INBOUND:
            return []
        base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
        url = f"{base}/bots/{obj.bot_id}/call/{obj.alias}"
        context = {
            "url": url, "curl": curl(obj, url), "docs": f"{base}/docs/{obj.bot_id}", "try_url": reverse("admin:gateway_endpoint_try", args=[obj.pk]),
            "may_try": can_object(request.user, "edit", obj), "log": list_of("events.Event", endpoint=obj.alias, bot=obj.bot_id),
        }  # fmt: skip
        return [Panel(_("How to call it"), "admin/gateway/calling.html", context, icon="terminal")]


def curl(endpoint: Endpoint, url: str) -> str:
    """The call as a command line, with the example's parameters."""
    body = json.dumps(endpoint.request_example or {"userId": 125}, ensure_ascii=False).replace("'", "'\\''")
    return f"curl -X POST '{url}' \\\n  -H 'Authorization: Bearer dbt_…' \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def _state(endpoint: Endpoint) -> list[SafeString]:
    if not endpoint.is_active:
        return [badge(_("inactive"))]
    inbound = endpoint.direction in INBOUND
    ready = not inbound or (endpoint.scenario is not None and endpoint.scenario.published_id is not None)
    found = [badge(_("ready"), "ok") if ready else badge(_("without scenario"), "warn", title=_("Choose a scenario and publish it."))]
    return [
        *found,
        *([badge(_("isolated"), "info")] if endpoint.own_key else []),
        *([badge(_("signed"), "info")] if endpoint.signing_secret else []),
    ]


def _said(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts that a dry run would send, for reading; of the first recipient when there are several."""
    would = body.get("would") or next((row.get("would") for row in body.get("results", []) if row.get("would")), None) or {}
    return [content for content in would.get("say", []) if isinstance(content, dict)]
