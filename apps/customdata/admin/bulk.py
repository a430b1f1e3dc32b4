"""One value for many records at once."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import audit
from apps.customdata import records
from apps.customdata.admin import cells
from apps.customdata.admin.forms import form_for
from apps.customdata.models import Field
from apps.customdata.noting import Actor

if TYPE_CHECKING:
    from apps.customdata.admin.records import RecordAdmin

MOST = 10_000


def set_value(page: "RecordAdmin", request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Asks for the field, then for the value, then does it."""
    pks = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if len(pks) > MOST:
        messages.error(request, _("At most %(limit)s records can be changed at once. Narrow the filter.") % {"limit": f"{MOST:,}"})
        return None
    offered = [one for one in page.rights(request).fields(page.table) if not one.unique and one.kind != "file"]
    field = next((one for one in offered if one.alias == request.POST.get("field")), None)
    form = _form(page, request, field) if field else None
    if form is not None and "apply" in request.POST and field is not None and form.is_valid():
        _apply(page, request, pks, field, form.values[field.alias])
        return None
    context = {
        **page.admin_site.each_context(request), "opts": page.opts, "title": _("Set a value"), "table": page.table, "offered": offered, "field": field,
        "form": form, "attribute": field.attribute if field else "", "count": len(pks), "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"), "media": page.media,
    }  # fmt: skip
    return TemplateResponse(request, "admin/customdata/set_value.html", context)


def _form(page: "RecordAdmin", request: HttpRequest, field: Field) -> Any:
    made = form_for(page.table, page.rights(request), request.user, only=frozenset({field.alias}))
    return made(request.POST if "apply" in request.POST else None, alone=False)


def _apply(page: "RecordAdmin", request: HttpRequest, pks: list[int], field: Field, value: Any) -> None:
    rows: list[Any] = [(pk, {field.alias: value}, None) for pk in pks]
    outcomes = records.update_many(page.table, rows, by=Actor.staff(request.user))
    changed = sum(one.action == "updated" for one in outcomes)
    audit.record(request.user, "customdata.records.changed", page.table, field=field.name, count=changed)
    told = ngettext(
        "%(count)d record was changed: %(field)s = %(value)s.", "%(count)d records were changed: %(field)s = %(value)s.", changed
    )
    messages.success(request, told % {"count": changed, "field": field.name, "value": cells.text(field, value)})
    refused = [one for one in outcomes if not one.ok]
    if refused:
        why = next(iter(refused[0].errors.values()), "")
        told = ngettext("%(count)d record was not changed: %(why)s", "%(count)d records were not changed: %(why)s", len(refused))
        messages.warning(request, told % {"count": len(refused), "why": why})
