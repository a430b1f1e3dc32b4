"""The trace page and the export of the log."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.access import can_model
from apps.core import audit
from apps.core.masking import mask
from apps.events import exporting
from apps.events.models import Event
from apps.events.tracing import Chain, Line, Part, chain

if TYPE_CHECKING:
    from apps.events.admin.events import EventAdmin


ABOUT = (
    "identity.Person", "identity.Lead", "bots.Bot", "bots.Channel", "conversations.Conversation", "scenarios.Scenario", "scenarios.Session",
)  # fmt: skip


TRACE_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")


def trace_page(request: HttpRequest, trace_id: str, *, admin_site: AdminSite) -> HttpResponse:
    """The whole chain of a trace. Rows are limited to what the viewer may see; 404 when that is nothing."""
    if not can_model(request.user, "view", Event):
        raise PermissionDenied
    found = chain(trace_id, viewer=request.user) if TRACE_FORM.fullmatch(trace_id) else None
    if not found:
        raise Http404(_("Nothing of this trace is in the log, or it is not yours to see."))
    context = {
        **admin_site.each_context(request),
        "title": _("Trace"),
        "subtitle": trace_id[:16],
        "trace_id": trace_id,
        "is_fullwidth": "",
        **_shown(found, request),
    }
    return render(request, "events/trace.html", context)


def _shown(found: Chain, request: HttpRequest) -> dict[str, Any]:
    from apps.events.admin.places import named  # noqa: PLC0415  the admin package imports these views

    names = named(found.places, request.user)
    about: dict[Any, list[Any]] = {}
    for place in sorted(names, key=lambda place: (ABOUT.index(place.label) if place.label in ABOUT else len(ABOUT), place.pk)):
        about.setdefault(names[place].what, []).append(names[place])
    return {
        "parts": [_part(part, names) for part in found.parts],
        "about": [{"what": what, "items": items[:5], "more": max(0, len(items) - 5)} for what, items in about.items()],
        "cut": found.cut,
        "failed": any(part.failed for part in found.parts),
    }


def _part(part: Part, names: dict[Any, Any]) -> dict[str, Any]:
    return {
        "trace_id": part.trace_id,
        "asked": part.asked,
        "started": part.started,
        "took_ms": part.took_ms,
        "failed": part.failed,
        "lines": list(_lines(part, names)),
    }


def _lines(part: Part, names: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    """Lines that stand behind what they follow from are told at its time, so that the clock of the page never runs back."""
    at = part.started
    for line in part.lines:
        at = max(at, line.at)
        yield _line(line, names, after_ms=(at - part.started).total_seconds() * 1000)


def _line(line: Line, names: dict[Any, Any], *, after_ms: float) -> dict[str, Any]:
    return {
        "line": line,
        "after_ms": after_ms,
        "details": mask(line.details, private=line.private) if line.details else None,
        "names": [names[place] for place in line.places if names[place].url],
    }


def export(request: HttpRequest, model_admin: "EventAdmin") -> HttpResponseBase:
    """What the list shows with its filters, all pages of it, as CSV or NDJSON; noted in the audit trail."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    kind = request.GET.get("format", "csv")
    if kind not in exporting.FORMATS:
        messages.error(request, _("This format is not known. Choose CSV, NDJSON or JSON."))
        return HttpResponseRedirect(reverse("admin:events_event_changelist"))
    filters = request.GET.copy()
    filters.pop("format", None)
    request.GET = filters  # type: ignore[assignment]  # the change list reads its filters here
    events = model_admin.get_changelist_instance(request).get_queryset(request)
    audit.record(request.user, "events.exported", format=kind, filters=filters.dict())
    return exporting.download("events", kind, exporting.EVENT_COLUMNS, exporting.event_rows(events))
