"""Flows of other systems in the admin: looked at first, node by node, then made drafts."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.accounts.access import AnyUser, bot_scope, can
from apps.accounts.models import User
from apps.bots.models import Bot
from apps.core import audit
from apps.scenarios import fixtures_io, importing
from apps.scenarios.admin.looking import LookedAtForm
from apps.scenarios.botfile import BotFile, BotFileError
from apps.scenarios.fixtures_io import Report
from apps.scenarios.importer import ForeignFileError
from apps.scenarios.importing import MAX_BYTES, Converted

MOST_LINES = 2_000


def _formats() -> list[tuple[str, Any]]:
    return [("", _("recognise it")), *((kind, importer.label) for kind, importer in importing.importers.items())]


class ForeignFileForm(LookedAtForm):
    most_bytes = MAX_BYTES
    file_help = gettext_lazy("An export of RapidPro or Glific (definitions 11 to 14), or a public file of Typebot.")

    bot = forms.ModelChoiceField(label=gettext_lazy("Into the bot"), queryset=Bot.objects.none(), widget=widgets.UnfoldAdminSelectWidget)
    kind = forms.ChoiceField(label=gettext_lazy("Format"), required=False, choices=_formats, widget=widgets.UnfoldAdminSelectWidget)

    def look(self, body: bytes, data: dict[str, Any]) -> None:
        if data.get("bot") is None:  # told at its field
            return
        try:
            data["converted"] = importing.convert(body, bot=data["bot"], kind=data.get("kind", ""))
        except ForeignFileError as error:
            raise ValidationError(str(error), code="file") from error


def import_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """First what would become of every node, then, on “Import”, the drafts."""
    if not can(request.user, "edit", "scenarios"):
        raise PermissionDenied
    form = ForeignFileForm(request.user, *((request.POST, request.FILES) if request.method == "POST" else ()))
    converted, report, problems, done = None, None, [], False
    if form.is_valid():
        converted = form.cleaned_data["converted"]
        done = "import" in request.POST and not form.cleaned_data["file"]
        try:
            report = _import(request, converted, form.cleaned_data["bot"], for_good=done)
        except BotFileError as error:
            problems, done = error.problems, False
    lines = sorted(converted.imported.lines, key=lambda line: line.verdict == "exact") if converted else []
    shown = {
        "form": form, "converted": converted, "report": report, "problems": problems, "done": done, "lines": lines[:MOST_LINES],
        "more_lines": max(len(lines) - MOST_LINES, 0), "counts": _counts(converted), "drafts": _drafts(converted),
        "text": form.cleaned_data.get("text", "") if converted else "",
    }  # fmt: skip
    return TemplateResponse(request, "admin/scenarios/import_foreign.html", {**context, **shown})


def _import(request: HttpRequest, converted: Converted, bot: Bot, *, for_good: bool) -> Report:
    user = request.user if isinstance(request.user, User) else None
    report = fixtures_io.import_bot(_allowed(request.user, converted.file), bot=bot, user=user, publish=False, check_only=not for_good)
    if for_good:
        audit.record(request.user, "scenarios.foreign.import", bot, kind=converted.importer.kind, scenarios=len(converted.file.scenarios))
    return report


def _allowed(user: AnyUser, file: BotFile) -> BotFile:
    """Client fields and constants belong to the installation; who may not make them gets the drafts without them."""
    if bot_scope(user, "edit", "settings").everywhere:
        return file
    return file.model_copy(update={"client_fields": [], "constants": []})


def _counts(converted: Converted | None) -> list[tuple[str, int, str]]:
    if converted is None:
        return []
    count = converted.imported.count
    return [
        (_("exact"), count("exact"), "ok"),
        (_("approximated"), count("approximated"), "warn"),
        (_("unsupported"), count("unsupported"), "bad"),
    ]


def _drafts(converted: Converted | None) -> list[dict[str, Any]]:
    """Each draft with what keeps it from being published."""
    if converted is None:
        return []
    return [
        {
            "key": part.key,
            "name": part.name,
            "blocks": sum(len(section.get("nodes", ())) for section in part.definition["sections"]),
            "errors": [problem.message for problem in converted.problems[part.key] if problem.level == "error"],
            "warnings": sum(problem.level == "warning" for problem in converted.problems[part.key]),
        }
        for part in converted.file.scenarios
    ]
