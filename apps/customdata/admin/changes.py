"""Changes of fields on the model's page: how many values convert, which do not, what a person decides."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import audit
from apps.customdata import changing, converting, structure, tasks
from apps.customdata.changing import NotNowError
from apps.customdata.fieldtype import kinds
from apps.customdata.models import FieldChange, Table
from apps.customdata.storage import StorageBusyError

State = FieldChange.State
# name → (in which states it is offered, label, tone, question before)
DECISIONS: dict[str, tuple[tuple[str, ...], Any, str, Any]] = {
    "start": ((State.CHECKED,), gettext_lazy("Convert"), "primary", ""),
    "cancel": ((State.CHECKING, State.CHECKED, State.RUNNING), gettext_lazy("Leave as it is"), "plain", ""),
    "confirm": (
        (State.REVIEW,),
        gettext_lazy("Delete the old values"),
        "danger",
        gettext_lazy("The old values are deleted for good. Go on?"),
    ),
    "undo": ((State.REVIEW,), gettext_lazy("Undo"), "plain", ""),
}
_CELL_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def shown(table: Table) -> list[dict[str, Any]]:
    """Open changes first, then what was done lately."""
    rows = [
        *changing.open_changes(table),
        *FieldChange.objects.filter(table_id=table.pk).exclude(state__in=changing.OPEN).select_related("field")[:5],
    ]
    return [_row(change) for change in rows]


def _row(change: FieldChange) -> dict[str, Any]:
    offered = [
        {
            "name": name,
            "label": label,
            "tone": tone,
            "confirm": confirm,
            "url": reverse("admin:customdata_table_decide", args=[change.pk, name]),
        }
        for name, (states, label, tone, confirm) in DECISIONS.items()
        if change.state in states
    ]
    return {
        "change": change, "decisions": offered, "what": _what(change), "open": change.state in changing.OPEN, "percent": _percent(change),
        "moving": change.state in (State.CHECKING, State.RUNNING), "state_url": reverse("admin:customdata_table_state", args=[change.pk]),
        "refused_url": reverse("admin:customdata_table_refused", args=[change.pk]) if change.refused else "",
    }  # fmt: skip


def _what(change: FieldChange) -> str:
    if change.action == FieldChange.Action.REMOVE:
        return _("is removed")
    before, after = (str(kinds[one["kind"]].label) if one.get("kind") in kinds else "?" for one in (change.before, change.after))
    if change.before.get("personal") != change.after.get("personal"):
        return _("becomes personal data, encrypted") if change.after.get("personal") else _("is no personal data any more")
    return (
        _("%(before)s → %(after)s") % {"before": before, "after": after}
        if before != after
        else _("%(kind)s with other limits") % {"kind": before}
    )


def _percent(change: FieldChange) -> int:
    return 100 if not change.total else min(100, change.done * 100 // change.total)


def state(change: FieldChange) -> dict[str, Any]:
    """For the page, which asks while something moves."""
    return {
        "state": change.state, "label": change.get_state_display(), "percent": _percent(change), "done": change.done, "total": change.total,
        "fits": change.fits, "refused": change.refused, "moving": change.state in (State.CHECKING, State.RUNNING),
    }  # fmt: skip


def decide(request: HttpRequest, change: FieldChange, name: str) -> None:
    if name not in DECISIONS:
        raise Http404
    try:
        told = _DO[name](change)
    except (NotNowError, StorageBusyError) as error:
        messages.error(request, str(error))
        return
    audit.record(request.user, f"customdata.change.{name}", change.table, field=change.field.name)
    messages.success(request, told)


def _start(change: FieldChange) -> str:
    changing.start(change)
    if change.total <= changing.AT_ONCE:
        while changing.work(change):
            pass
    else:
        tasks.work.delay()
    return _("The values are converted; the old ones are kept until you confirm.")


def _cancel(change: FieldChange) -> str:
    changing.cancel(change)
    return _("Nothing was changed.")


def _confirm(change: FieldChange) -> str:
    changing.confirm(change)
    return _("The old values are deleted.")


def _undo(change: FieldChange) -> str:
    lost = changing.undo(change)
    if lost:
        return _("Undone. %(count)d values that were entered since do not fit the old type and are empty now.") % {"count": lost}
    return _("Undone: everything is as it was, with what was entered since.")


_DO = {"start": _start, "cancel": _cancel, "confirm": _confirm, "undo": _undo}


class _Echo:
    def write(self, line: str) -> str:
        return line


def refused_csv(change: FieldChange) -> StreamingHttpResponse:
    """Every value that does not convert, read now."""
    if change.action != FieldChange.Action.CONVERT or change.state not in (*changing.OPEN, State.FAILED):
        raise Http404
    response = StreamingHttpResponse(_lines(change), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="not-converted-{change.pk}.csv"'
    return response


def _lines(change: FieldChange) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([_("record"), change.field.name, _("why")])
    before, after = changing.shapes(change)
    for pk, value, why in converting.refusals(structure.fresh(change.table_id), before, after):
        yield writer.writerow([pk, f"'{value}" if value.startswith(_CELL_BEGINS) else value, why])
