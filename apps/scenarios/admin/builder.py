"""The builder's page: a frame for the built front end, with addresses and texts; without a build it says so and offers the JSON editor."""

from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.i18n import JSONCatalog

from apps.accounts.access import can, can_object
from apps.scenarios.models import Scenario

SCRIPT, STYLE = "app/builder.js", "app/builder.css"
# Pages that belong to a scenario; those that this installation has are linked from the builder.
PAGES = {name: name for name in ("publish", "preview", "tests", "languages", "analytics")} | {"versions": "compare"}


def builder_view(request: HttpRequest, scenario: Scenario, context: dict[str, Any]) -> HttpResponse:
    built = finders.find(SCRIPT)
    page = {
        **context, "title": _("Builder of %(name)s") % {"name": scenario.name}, "scenario": scenario, "original": scenario,
        "built": _stamp(built) if isinstance(built, str) else "", "script": SCRIPT, "style": STYLE,
        "builder": {
            "urls": {**_urls(scenario), **_measuring(request, scenario)}, "may_edit": can_object(request.user, "edit", scenario), "name": scenario.name, "id": scenario.pk,
            "texts": _texts(request),
        },
    }  # fmt: skip
    return TemplateResponse(request, "admin/scenarios/builder.html", page)


def _urls(scenario: Scenario) -> dict[str, str]:
    api = {name: reverse(f"builder:{name}", args=[scenario.pk]) for name in ("metadata", "draft", "lint", "presence")}
    pages = {name: _page(scenario, target) for name, target in PAGES.items()}
    return {**api, **{name: address for name, address in pages.items() if address}, "form": scenario.get_absolute_url()}


def _measuring(request: HttpRequest, scenario: Scenario) -> dict[str, str]:
    """Where versions and, for who may see them, figures are asked for."""
    names = {"differences": "differences", "published": "versions"}
    if can(request.user, "view", "analytics", scenario.bot_id):
        names |= {"figures": "analytics", "visits": "visits"}
    return {name: reverse(f"gateway:{target}", args=[scenario.pk]) for name, target in names.items()}


def _page(scenario: Scenario, name: str) -> str:
    try:
        return reverse(f"admin:scenarios_scenario_{name}", args=[scenario.pk])
    except NoReverseMatch:
        return ""


def _texts(request: HttpRequest) -> dict[str, Any]:
    """The page's texts in the language of the request: English → translation."""
    catalog = JSONCatalog(domain="djangojs")
    catalog.setup(request)
    catalog.get(request)
    return catalog.get_catalog()


def _stamp(path: str) -> str:
    """Changes with every build, so that no browser runs an old one."""
    return format(Path(path).stat().st_mtime_ns // 1_000_000, "x")
