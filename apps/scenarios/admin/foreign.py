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
CHECKING = 8.0  # seconds that the page takes to check the drafts of a large file


def _formats() -> list[tuple[str, Any]]:
    return [("", _("recognise it")), *((kind, importer.label) for kind, importer in importing.importers.items())]


class ForeignFileForm(LookedAtForm):
    most_bytes = MAX_BYTES
    file_help = gettext_lazy("An export of RapidPro, Glific or Weni, or a public file of Typebot.")

    bot = forms.ModelChoiceField(label=gettext_lazy("Into the bot"), queryset=Bot.objects.none(), widget=widgets.UnfoldAdminSelectWidget)
    kind = forms.ChoiceField(label=gettext_lazy("Format"), required=False, choices=_formats, widget=widgets.UnfoldAdminSelectWidget)

    def look(self, body: bytes, data: dict[str, Any]) -> None:
        if data.get("bot") is None:  # told at its field
            return
        try:
            seconds = 0.0 if "import" in self.data else CHECKING
            data["converted"] = importing.convert(body, bot=data["bot"], kind=data.get("kind", ""), seconds=seconds)
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
    shown = {
        "form": form, "converted": converted, "report": report, "problems": problems, "done": done, **_told(converted),
        "counts": _counts(converted), "drafts": _drafts(converted), "made": _made(converted, report),
        "may_make": bot_scope(request.user, "edit", "settings").everywhere, "text": form.cleaned_data.get("text", "") if converted else "",
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


def _counts(converted: Converted | None) -> list[tuple[str, str, int, str]]:
    if converted is None:
        return []
    count = converted.imported.count
    return [
        (_("exact"), _("does here what it did there"), count("exact"), "ok"),
        (_("approximated"), _("came over, but something differs"), count("approximated"), "warn"),
        (_("unsupported"), _("has no counterpart; kept as a note for you"), count("unsupported"), "bad"),
    ]


def _told(converted: Converted | None) -> dict[str, Any]:
    """What has to be looked at, draft by draft, and apart from it what came over as it was."""
    if converted is None:
        return {}
    words, lines = converted.importer.words, converted.imported.lines
    looked_at: dict[str, list[dict[str, Any]]] = {}
    alike: list[dict[str, Any]] = []
    for line in sorted(lines, key=lambda line: line.verdict != "unsupported")[:MOST_LINES]:
        shown = {"place": line.place.removeprefix(f"{line.scenario} / "), "what": words.get(line.what, line.what), "line": line}
        (alike if line.verdict == "exact" else looked_at.setdefault(line.scenario, [])).append(shown)
    return {"looked_at": list(looked_at.items()), "alike": alike, "more_lines": max(len(lines) - MOST_LINES, 0)}


def _made(converted: Converted | None, report: Report | None) -> list[tuple[str, str, str]]:
    """Besides the drafts: what is new, what is there already, and what somebody has to give (kind, key, outcome)."""
    if converted is None or report is None:
        return []
    drafts = {part.key for part in converted.file.scenarios}
    new = [(str(what), key, "created") for what, key, _outcome in report.rows if key not in drafts]
    there = [
        (_("client field") if "." not in key else _("constant"), key.removeprefix("constants."), "matched") for key in converted.matched
    ]
    missing = {(need.label, need.key) for _scenario, need in report.missing}
    return [*new, *there, *((label, key, "missing") for label, key in sorted(missing))]


def _drafts(converted: Converted | None) -> list[dict[str, Any]]:
    """Each draft with what keeps it from being published; `checked` is false when there was no time left for it."""
    if converted is None:
        return []
    return [
        {
            "key": part.key,
            "name": part.name,
            "blocks": sum(len(section.get("nodes", ())) for section in part.definition["sections"]),
            "checked": part.key in converted.problems,
            "errors": [problem.message for problem in converted.problems.get(part.key, ()) if problem.level == "error"],
            "warnings": sum(problem.level == "warning" for problem in converted.problems.get(part.key, ())),
        }
        for part in converted.file.scenarios
    ]
