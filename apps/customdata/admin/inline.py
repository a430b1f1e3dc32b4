"""One value of one record: changed in its cell of the list, or a file given out, both by the rights of the record."""

from typing import TYPE_CHECKING, Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.core import audit
from apps.core.filetypes import DOWNLOAD, INLINE
from apps.customdata import links, records
from apps.customdata.admin import cells
from apps.customdata.admin.forms import form_for
from apps.customdata.building import RecordBase
from apps.customdata.models import Field, RecordFile
from apps.customdata.noting import Actor
from apps.customdata.records import ConflictError, InvalidRecordError, NotFoundError

if TYPE_CHECKING:
    from apps.customdata.admin.records import RecordAdmin


def _found(page: "RecordAdmin", request: HttpRequest, pk: int, alias: str) -> tuple[RecordBase, Field]:
    record = page.get_object(request, str(pk))
    field = next((one for one in page.rights(request).fields(page.table) if one.alias == alias), None)
    if record is None or field is None:
        raise Http404
    return record, field


def cell(page: "RecordAdmin", request: HttpRequest, pk: int, alias: str) -> HttpResponse:
    """GET: the little form. POST: {html} of the new cell; 422 {error}, 409 {error, html} when somebody was faster."""
    record, field = _found(page, request, pk, alias)
    if not page.rights(request).edit or field.kind in cells.NOT_INLINE or field.personal:
        raise Http404
    made = form_for(page.table, page.rights(request), request.user, only=frozenset({alias}))
    if request.method != "POST":
        return render(request, "admin/customdata/cell.html", {"form": made(instance=record), "attribute": field.attribute})
    form = made(request.POST, instance=record)
    if not form.is_valid():
        return JsonResponse({"error": " ".join(str(why) for whys in form.errors.values() for why in whys)}, status=422)
    try:
        seen = form.cleaned_data.get("seen_version")
        record = records.update(page.table, pk, form.values, by=Actor.staff(request.user), version=seen)
    except ConflictError as error:
        return JsonResponse({"error": str(error), "html": _shown(error.record, field, page, request)}, status=409)
    except (InvalidRecordError, NotFoundError) as error:
        return JsonResponse({"error": str(error)}, status=422)
    audit.record(request.user, "customdata.record.changed", record, fields=[field.name])
    return JsonResponse({"html": _shown(record, field, page, request), "told": _("Saved")})


def _shown(record: Any, field: Field, page: "RecordAdmin", request: HttpRequest) -> str:
    record.goals = links.goals(page.table, [record], request.user)
    return str(cells.cell(record, field))


def file(page: "RecordAdmin", request: HttpRequest, pk: int, alias: str) -> FileResponse:
    """The file for those who may see the record and the field; always a download unless browsers show it without running anything."""
    record, field = _found(page, request, pk, alias)
    row = RecordFile.objects.filter(pk=getattr(record, field.attribute) or 0, field_id=field.pk).first() if field.kind == "file" else None
    if row is None:
        raise Http404
    response = FileResponse(
        row.file.open("rb"), as_attachment=True, filename=row.name, content_type=row.mime if row.mime in INLINE else DOWNLOAD
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
