"""“Start for people” on a scenario's page."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold import widgets

from apps.accounts.models import User
from apps.core import audit
from apps.core.strictjson import StrictJsonError, loads
from apps.events.showing import trace_page
from apps.scenarios import byhand
from apps.scenarios.byhand import MOST_PEOPLE, Started
from apps.scenarios.definitions import flow_of
from apps.scenarios.models import Scenario

VARIABLE = re.compile(r"\s*(?P<name>[^\W\d]\w{0,59})\s*[:=](?P<value>.*)")
WHOLE = re.compile(r"-?(0|[1-9]\d{0,14})", re.ASCII)
# What becomes of a dialogue that is open in the chat, by the scenario's policy.
OPEN_DIALOGUES = {
    "interrupt": gettext_lazy("A dialogue that is open there ends."),
    "interrupt_return": gettext_lazy("A dialogue that is open there waits and goes on afterwards."),
    "after_current": gettext_lazy("Where a dialogue is open, this one starts after it."),
    "skip": gettext_lazy("Where a dialogue is open, nothing is started."),
    "notify": gettext_lazy("Where a dialogue is open, only the texts are said."),
}


class StartForm(forms.Form):
    people = forms.CharField(
        label=gettext_lazy("For whom"), widget=widgets.UnfoldAdminTextareaWidget({"rows": 4}),
        help_text=gettext_lazy("One a line: lead id (TG-9072612), phone with +, e-mail address, or the id in the bot's main system."),
    )  # fmt: skip
    entry = forms.ChoiceField(label=gettext_lazy("Begin at"), required=False, widget=widgets.UnfoldAdminSelectWidget)
    params = forms.CharField(
        label=gettext_lazy("Variables"), required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 3}),
        help_text=gettext_lazy("What the scenario needs to know, one a line: order_id: 9822. Empty: nothing. JSON is taken as well."),
    )  # fmt: skip

    def __init__(self, scenario: Scenario, *args: Any) -> None:
        super().__init__(*args)
        flow = flow_of(scenario.published_id) if scenario.published_id else None
        aliases = sorted(flow.aliases) if flow else []
        self.policy = OPEN_DIALOGUES[flow.policies.arrival] if flow else ""
        self.fields["entry"].choices = [("", _("the start")), *((alias, alias) for alias in aliases)]  # type: ignore[attr-defined]

    def clean_people(self) -> list[str]:
        given = [line.strip() for line in self.cleaned_data["people"].replace(",", "\n").splitlines() if line.strip()]
        if len(given) > MOST_PEOPLE:
            raise ValidationError(_("More than %(limit)s people are a broadcast.") % {"limit": MOST_PEOPLE})
        return list(dict.fromkeys(given))

    def clean_params(self) -> dict[str, Any]:
        given = self.cleaned_data["params"].strip()
        return _from_json(given) if given.startswith(("{", "[")) else _from_lines(given)


def _from_json(given: str) -> dict[str, Any]:
    try:
        found = loads(given.encode())
    except StrictJsonError as error:
        raise ValidationError(error.reason) from error
    if not isinstance(found, dict):
        raise ValidationError(_("Write an object in braces {…}."))
    return found


def _from_lines(given: str) -> dict[str, Any]:
    """`order_id: 9822` or `order_id = 9822`, a line each; whole numbers are numbers, unless they begin with a zero."""
    found: dict[str, Any] = {}
    for line in filter(str.strip, given.splitlines()):
        match = VARIABLE.match(line)
        if match is None:
            raise ValidationError(_("“%(line)s” is no variable. Write it like order_id: 9822, one a line.") % {"line": line.strip()[:100]})
        value = match["value"].strip()
        found[match["name"]] = int(value) if WHOLE.fullmatch(value) else value
    return found


def start_view(request: HttpRequest, scenario: Scenario, user: User, context: dict[str, Any], *, back: str) -> HttpResponse:
    """For those whom the scenario's rights let edit it; what was started is told with its trace."""
    form = StartForm(scenario, request.POST) if request.method == "POST" else StartForm(scenario)
    if scenario.published_id is None:
        messages.warning(request, _("Publish the scenario first: only a published version runs."))
        return HttpResponseRedirect(back)
    if form.is_valid():
        given = form.cleaned_data
        started = byhand.start(scenario, given["people"], user=user, entry=given["entry"], params=given["params"])
        _tell(request, started)
        if started.leads:
            audit.record(user, "scenarios.scenario.start", scenario, people=len(started.leads), entry=given["entry"])
            return HttpResponseRedirect(back)
    return TemplateResponse(request, "admin/scenarios/start.html", {**context, "form": form, "scenario": scenario, "back": back})


def _tell(request: HttpRequest, started: Started) -> None:
    if started.leads:
        count = len(started.leads)
        text = ngettext("Started for one person.", "Started for %(count)s people.", count) % {"count": count}
        messages.success(
            request, format_html('{} <a class="db-link" href="{}">{}</a>', text, trace_page(started.trace_id), _("Open the trace"))
        )
    if started.missing:
        messages.warning(request, _("Not known: %(names)s") % {"names": ", ".join(started.missing)})
    if started.inactive:
        codes = ", ".join(lead.code for lead in started.inactive)
        messages.warning(request, _("Cannot be written to now: %(codes)s") % {"codes": codes})
