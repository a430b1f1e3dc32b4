"""The history of a record: who changed what, before and after."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.masking import HIDDEN
from apps.customdata import links
from apps.customdata.admin import cells
from apps.customdata.building import RecordBase
from apps.customdata.models import Field, RecordHistory, Table
from apps.events.showing import EMPTY, moment, trace_link

if TYPE_CHECKING:
    from apps.customdata.admin.records import RecordAdmin

SHOWN = 200
ICONS = {"created": "add_circle", "updated": "edit", "deleted": "delete"}


def page(admin: "RecordAdmin", request: HttpRequest, object_id: str, extra: dict[str, Any] | None) -> HttpResponse:
    """Also of a deleted record: what is gone can be looked up by its number."""
    rights = admin.rights(request)
    if not rights.view:
        raise PermissionDenied
    if not (object_id.isascii() and object_id.isdigit() and len(object_id) < 19):  # noqa: PLR2004  fits a bigint
        raise Http404
    rows = list(RecordHistory.objects.filter(table_id=admin.table.pk, record_id=int(object_id))[:SHOWN])
    record = admin.get_object(request, object_id)
    if record is None and not rows:
        raise Http404
    context = {
        **admin.admin_site.each_context(request), "opts": admin.opts, "object": record, "object_id": object_id, "table": admin.table,
        "title": _("History of %(name)s") % {"name": record or f"#{object_id}"}, "entries": _entries(admin.table, rows, rights.fields(admin.table)),
        "back": links.record_url(admin.table, object_id) if record else links.list_url(admin.table), "capped": len(rows) == SHOWN,
        **(extra or {}),
    }  # fmt: skip
    return TemplateResponse(request, "admin/customdata/record_history.html", context)


def _entries(table: Table, rows: list[RecordHistory], seen: list[Field]) -> list[dict[str, Any]]:
    by_id = {str(field.pk): field for field in table.all_fields.all()}
    shown = {field.pk for field in seen}
    people = {user.pk: str(user) for user in User.objects.filter(pk__in={row.user_id for row in rows if row.user_id})}
    return [
        {
            "at": moment(row.at),
            "icon": ICONS.get(row.action, "circle"),
            "action": row.get_action_display(),
            "who": (people.get(row.user_id or 0) if row.actor == "staff" else "")
            or " ".join(part for part in (_actor(row.actor), row.actor_name) if part),
            "trace": trace_link(row.trace_id),
            "changes": [
                (field.name if field else _("removed field"), _told(field, row.before.get(key)), _told(field, row.after.get(key)))
                for key in {**row.before, **row.after}
                if (field := by_id.get(key)) is None or field.pk in shown or field.state != Field.State.ACTIVE
            ],
        }
        for row in rows
    ]


def _actor(kind: str) -> str:
    return {"scenario": _("scenario"), "api": _("API"), "import": _("import"), "system": _("the system"), "staff": _("staff")}.get(
        kind, kind
    )


def _told(field: Field | None, dumped: Any) -> str:
    if dumped is None:
        return EMPTY
    if field is None or dumped == HIDDEN:
        return str(dumped)
    try:
        return cells.text(field, field.type.clean(field, dumped))
    except ValueError:  # stored under former options
        return str(dumped)


def who_changed(record: RecordBase, otherwise: str) -> str:
    """For somebody whose form is old."""
    last = RecordHistory.objects.filter(table_id=record.table.pk, record_id=record.pk).first()
    if last is None:
        return otherwise
    by_id = {str(field.pk): field.name for field in record.table.fields}
    fields = ", ".join(f"“{by_id[key]}”" for key in last.after if key in by_id)
    return _("Not saved: %(who)s has changed %(fields)s meanwhile. This is the present state; make your change again.") % {
        "who": last.actor_name or _actor(last.actor),
        "fields": fields or _("the record"),
    }
