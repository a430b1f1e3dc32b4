"""A bot as a file, in the admin: taken out on its page, looked at and brought in over the list of scenarios."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.accounts.access import AnyUser, bot_scope, can
from apps.accounts.models import User
from apps.bots.models import Bot
from apps.core import audit
from apps.scenarios import botfile, fixtures_io
from apps.scenarios.admin.looking import LookedAtForm
from apps.scenarios.botfile import MAX_BYTES, BotFile, BotFileError
from apps.scenarios.fixtures_io import Report

READ = ("bots", "scenarios", "integration")
WRITTEN = ("scenarios", "integration")


class BotFileForm(LookedAtForm):
    most_bytes = MAX_BYTES
    file_help = gettext_lazy(
        "What “Export” of a bot gave, or a file of the folder fixtures. RapidPro, Glific and Typebot have an import of their own."
    )

    bot = forms.ModelChoiceField(
        label=gettext_lazy("Into the bot"), queryset=Bot.objects.none(), required=False, widget=widgets.UnfoldAdminSelectWidget,
        empty_label=gettext_lazy("the one that the file names; made when there is none"),
        help_text=gettext_lazy("A bot that is chosen keeps its own name and texts."),
    )  # fmt: skip
    publish = forms.BooleanField(label=gettext_lazy("Publish the scenarios"), required=False, initial=True, widget=widgets.UnfoldBooleanSwitchWidget)  # fmt: skip
    note = forms.CharField(label=gettext_lazy("What is new"), required=False, max_length=500, widget=widgets.UnfoldAdminTextInputWidget)

    def look(self, body: bytes, data: dict[str, Any]) -> None:
        try:
            data["content"] = botfile.load(body)
        except BotFileError as error:
            raise ValidationError(error.problems, code="file") from error


def may_import(user: AnyUser) -> bool:
    return all(can(user, "edit", module) for module in WRITTEN)


def export_view(request: HttpRequest, bot_id: int) -> HttpResponse:
    """Scenarios, endpoints and what they name; no secrets, tokens, channels or people."""
    bot = Bot.objects.filter(pk=bot_id).first()
    if bot is None or not all(can(request.user, "view", module, bot.pk) for module in READ):
        raise Http404
    audit.record(request.user, "bots.bot.export", bot)
    response = HttpResponse(botfile.dump(fixtures_io.export_bot(bot)), content_type="application/json")
    name = slugify(bot.name) or f"bot-{bot.pk}"
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.json") or "attachment"
    return response


def import_view(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """First what would happen, then, on “Import”, the same for good. All or nothing."""
    if not may_import(request.user):
        raise PermissionDenied
    form = BotFileForm(request.user, *((request.POST, request.FILES) if request.method == "POST" else ()))
    report, problems, done = None, [], False
    if form.is_valid():
        done = "import" in request.POST and not form.cleaned_data["file"]
        try:
            report = _import(request, form, for_good=done)
        except BotFileError as error:
            problems, done = error.problems, False
    shown = {
        "form": form,
        "report": report,
        "problems": problems,
        "done": done,
        "text": form.cleaned_data.get("text", "") if report else "",
    }
    return TemplateResponse(request, "admin/scenarios/import.html", {**context, **shown})


def _import(request: HttpRequest, form: BotFileForm, *, for_good: bool) -> Report:
    given = form.cleaned_data
    file: BotFile = given["content"]
    _check_rights(request.user, file, given["bot"])
    user = request.user if isinstance(request.user, User) else None
    report = fixtures_io.import_bot(
        file, bot=given["bot"], user=user, note=given["note"], publish=given["publish"], check_only=not for_good
    )
    if for_good:
        audit.record(request.user, "bots.bot.import", report.bot, scenarios=len(file.scenarios), endpoints=len(file.endpoints))
    return report


def _check_rights(user: AnyUser, file: BotFile, bot: Bot | None) -> None:
    """The file may change what lies outside one bot: its name, fields, constants, settings. That needs rights for all bots."""
    found = bot or Bot.objects.filter(name=file.bot.name).first()
    wanted = [_("Bots")] if bot is None and not bot_scope(user, "edit", "bots").everywhere else []
    if found is not None and not all(can(user, "edit", module, found.pk) for module in WRITTEN):
        wanted.append(_("Scenarios and integration of “%(bot)s”") % {"bot": found.name})
    shared = file.client_fields or file.constants or file.instance_settings
    if shared and not bot_scope(user, "edit", "settings").everywhere:
        wanted.append(_("Settings"))
    if wanted:
        raise BotFileError([_("This file changes what you may not edit: %(what)s.") % {"what": ", ".join(wanted)}])
