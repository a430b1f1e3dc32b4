"""The pages of imports: upload, preview and columns, the check's report, progress, the outcome; and the export of a list's present filter."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.accounts.access import can_add
from apps.core import audit, crypto
from apps.customdata import access, exporting, links, structure
from apps.customdata.building import model_of
from apps.customdata.fieldtype import kinds
from apps.customdata.importing import checking, making, running
from apps.customdata.importing.forms import NEW, MappingForm, ReadingForm, UploadForm
from apps.customdata.importing.limits import FileError
from apps.customdata.importing.models import ImportJob, ImportProblem
from apps.customdata.importing.plan import suggested
from apps.customdata.importing.sniffing import Form
from apps.customdata.models import Table
from apps.events.admin.pages import PageAdmin
from apps.events.exporting import safe_cell
from apps.events.showing import badge, moment

PREVIEW = 10
SHOWN_PROBLEMS = 50
_PURPOSE = "import.new-model"
_KEPT_SECONDS = 3600
_TONES = {"done": "ok", "failed": "bad", "refused": "bad", "cancelled": "", "checked": "warn", "draft": "warn"}
State = ImportJob.State


@admin.register(ImportJob)
class ImportJobAdmin(PageAdmin):
    intro = gettext_lazy("Files that were loaded into models, with what was refused and why.")
    list_display = ("file_name", "into", "shown_state", "rows", "made", "changed", "refused", "who", "uploaded")
    list_display_links = ("file_name",)
    list_filter = ("state",)
    search_fields = ("name",)
    change_form_template = "admin/customdata/import.html"

    class Media:
        js = ("admin_ui/imports.js",)

    # --- who may: whoever may add records to the model ---------------------------------------------------------------------------
    def _tables(self, request: HttpRequest) -> list[Table]:
        return [table for table in access.visible_tables(request.user) if access.rights(request.user, table).add]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None:
            return access.rights(request.user, structure.tables().get(obj.table_id) or obj.table).add
        return self.has_add_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self._tables(request)) or can_add(request.user, Table)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = [table.pk for table in self._tables(request)]
        return ImportJob.objects.filter(table_id__in=mine).select_related("table", "created_by")

    # --- the list ----------------------------------------------------------------------------------------------------------------
    @display(description=gettext_lazy("file"), ordering="name")
    def file_name(self, job: ImportJob) -> str:
        return f"#{job.pk} {job.name}"

    @display(description=gettext_lazy("model"), ordering="table__name")
    def into(self, job: ImportJob) -> str:
        return job.table.name

    @display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, job: ImportJob) -> SafeString:
        return badge(job.get_state_display(), _TONES.get(job.state, "info"))  # type: ignore[arg-type]

    @display(description=gettext_lazy("rows"))
    def rows(self, job: ImportJob) -> str:
        return f"{job.total or job.staged:,}"

    @display(description=gettext_lazy("new"))
    def made(self, job: ImportJob) -> str:
        return f"{job.created:,}"

    @display(description=gettext_lazy("changed"))
    def changed(self, job: ImportJob) -> str:
        return f"{job.updated:,}"

    @display(description=gettext_lazy("refused"))
    def refused(self, job: ImportJob) -> str:
        return f"{job.bad:,}"

    @display(description=gettext_lazy("who"))
    def who(self, job: ImportJob) -> str:
        return str(job.created_by or "–")

    @display(description=gettext_lazy("uploaded"), ordering="created_at")
    def uploaded(self, job: ImportJob) -> SafeString:
        return moment(job.created_at)

    # --- addresses ---------------------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap, post = self.admin_site.admin_view, require_POST
        own = [
            path("new-model/", wrap(post(self.new_model_view)), name="imports_new_model"),
            path("export/<slug:alias>/<slug:kind>/", wrap(self.export_view), name="imports_export"),
            path("<int:pk>/read/", wrap(post(self.read_view)), name="imports_read"),
            path("<int:pk>/check/", wrap(post(self.check_view)), name="imports_check"),
            path("<int:pk>/load/", wrap(post(self.load_view)), name="imports_load"),
            path("<int:pk>/back/", wrap(post(self.back_view)), name="imports_back"),
            path("<int:pk>/cancel/", wrap(post(self.cancel_view)), name="imports_cancel"),
            path("<int:pk>/progress/", wrap(self.progress_view), name="imports_progress"),
            path("<int:pk>/mistakes.csv", wrap(self.mistakes_view), name="imports_mistakes"),
        ]
        return [*own, *super().get_urls()]

    def _job(self, request: HttpRequest, pk: int) -> ImportJob:
        job: ImportJob | None = self.get_queryset(request).filter(pk=pk).first()
        if job is None:
            raise Http404(_("There is no such import."))
        return job

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        told = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media, **context}
        return TemplateResponse(request, f"admin/customdata/{template}", told)

    # --- upload ------------------------------------------------------------------------------------------------------------------
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        if not self.has_add_permission(request):
            raise PermissionDenied
        may_make = can_add(request.user, Table)
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            tables=self._tables(request),
            may_make=may_make,
            initial={"model": request.GET.get("model", "")[:60]},
        )
        if request.method == "POST" and form.is_valid():
            try:
                return self._uploaded(request, form.cleaned_data)
            except FileError as error:
                form.add_error("file", str(error))
        return self._page(request, "import_upload.html", _("Import a file"), form=form)

    def _uploaded(self, request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
        stored = making.keep(data["file"])
        if data["model"] == NEW:
            try:
                return self._new_model(request, stored, name=data["name"], file_name=data["file"].name)
            except FileError:
                default_storage.delete(stored)
                raise
        table = structure.by_alias(data["model"])
        if table is None:
            raise FileError(_("This model was deleted meanwhile."))
        job = making.new_job(table, stored, name=data["file"].name, user=request.user)
        return HttpResponseRedirect(job.get_absolute_url())

    def _new_model(
        self, request: HttpRequest, stored: str, *, name: str, file_name: str, problems: list[str] | None = None
    ) -> HttpResponse:
        """What the columns look like, for a person to confirm or change."""
        seen = making.look(stored)
        specs = making.field_specs(seen)
        columns = [
            {"name": column, "number": number, "kind": spec.kind, "sample": [cell for cell in seen.column(number) if cell][:3]}
            for number, (column, spec) in enumerate(zip(seen.columns, specs, strict=True))
        ]
        ticket = crypto.sign([stored, name, file_name], purpose=_PURPOSE, ttl=_KEPT_SECONDS)
        choices = [(kind, str(one.label)) for kind, one in kinds.items() if not one.refers]
        return self._page(
            request, "import_new_model.html", _("A new model from “%(file)s”") % {"file": file_name}, columns=columns, kinds=choices, ticket=ticket,
            name=name, problems=problems or [],
        )  # fmt: skip

    def new_model_view(self, request: HttpRequest) -> HttpResponse:
        if not can_add(request.user, Table):
            raise PermissionDenied
        try:
            stored, name, file_name = crypto.unsign(request.POST.get("ticket", ""), purpose=_PURPOSE)
        except Exception as error:  # whatever is wrong with it
            raise Http404(_("This page is too old. Upload the file again.")) from error
        try:
            seen = making.look(stored)
            chosen = [request.POST.get(f"kind_{number}", "") for number in range(len(seen.columns))]
            table = making.model_from(seen, name=name, key=request.POST.get("key", ""), kinds=chosen)
            job = making.new_job(table, stored, name=file_name, user=request.user)
        except (FileError, ValidationError) as error:
            told = error.messages if isinstance(error, ValidationError) else [str(error)]
            return self._new_model(request, stored, name=name, file_name=file_name, problems=told)
        audit.record(request.user, "customdata.table.added", table)
        job.key = next((field for field in table.fields if field.unique), None)
        job.save()
        messages.success(request, _("The model is ready. Check the columns and load the rows."))
        return HttpResponseRedirect(job.get_absolute_url())

    # --- one import --------------------------------------------------------------------------------------------------------------
    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> Any:  # noqa: ARG002
        if not (object_id or "").isdecimal() or len(str(object_id)) > 18:  # noqa: PLR2004  fits a bigint
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[attr-defined]
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_queryset(request).filter(pk=int(str(object_id))).first()
        if job is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))  # type: ignore[attr-defined]
        return self._show(request, job)

    def _show(self, request: HttpRequest, job: ImportJob, mapping: MappingForm | None = None) -> HttpResponse:
        table = structure.fresh(job.table_id)
        context: dict[str, Any] = {"job": job, "table": table, "list_url": links.list_url(table), "state_badge": self.shown_state(job)}
        if job.state == State.DRAFT:
            context |= self._draft(job, table, mapping)
        else:
            context |= {
                "done": running.progress(job),
                "problems": _problems(job),
                "percent": _percent(job),
                "most_kept": checking.MOST_KEPT,
            }
        return self._page(request, "import.html", f"{table.name}: {job.name}", original=job, **context)

    def _draft(self, job: ImportJob, table: Table, mapping: MappingForm | None) -> dict[str, Any]:
        form = Form(**job.form)
        try:
            seen = making.look(str(job.file.name), form)
        except (FileError, OSError) as error:
            return {"unreadable": str(error), "reading": ReadingForm(form=form)}
        return {
            "reading": ReadingForm(form=form), "mapping": mapping or MappingForm(job=job, table=table), "form": form,
            "preview": [(row.number, row.cells, checking.message(row.problem) if row.problem else "") for row in seen.rows[:PREVIEW]],
        }  # fmt: skip

    def read_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read the file anew in another way."""
        job = self._job(request, pk)
        form = ReadingForm(request.POST, form=Form(**job.form))
        if job.state == State.DRAFT and form.is_valid():
            try:
                seen = making.look(str(job.file.name), form.chosen())
            except (FileError, LookupError) as error:
                messages.error(request, str(error))
            else:
                job.form = seen.form.as_json()
                if job.columns != seen.columns:
                    job.columns, job.mapping = seen.columns, suggested(structure.fresh(job.table_id), seen.columns)
                job.save()
        return HttpResponseRedirect(job.get_absolute_url())

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        if job.state != State.DRAFT:
            return HttpResponseRedirect(job.get_absolute_url())
        mapping = MappingForm(request.POST, job=job, table=structure.fresh(job.table_id))
        if mapping.is_valid():
            try:
                running.start(job)
                return HttpResponseRedirect(job.get_absolute_url())
            except FileError as error:
                mapping.add_error(None, str(error))
        return self._show(request, job, mapping)

    def load_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        rights = access.rights(request.user, structure.fresh(job.table_id))
        if job.key_id and not rights.edit:
            raise PermissionDenied
        job.mode = ImportJob.Mode.ALL if request.POST.get("mode") == ImportJob.Mode.ALL else ImportJob.Mode.GOOD
        if not running.confirm(job):
            messages.warning(request, _("This is not possible any more: somebody has decided meanwhile."))
        return HttpResponseRedirect(job.get_absolute_url())

    def back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Back to the columns, after a check or a failure, as long as nothing was loaded."""
        job = self._job(request, pk)
        states = (State.CHECKED, State.FAILED, State.REFUSED, State.CANCELLED)
        if job.file and not ImportJob.objects.filter(pk=pk, state__in=states, created=0, updated=0).update(
            state=State.DRAFT, finished_at=None
        ):
            messages.warning(request, _("Some rows of this file are loaded already. Upload it again to load it once more."))
        return HttpResponseRedirect(job.get_absolute_url())

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        running.cancel(job)
        messages.info(request, _("The import is being cancelled."))
        return HttpResponseRedirect(job.get_absolute_url())

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk)
        done = running.progress(job)
        return JsonResponse(
            {
                "state": job.state,
                "text": job.get_state_display(),
                "done": done,
                "total": job.total,
                "percent": _percent(job),
                "active": job.is_active,
            }
        )

    def mistakes_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        job = self._job(request, pk)
        response = StreamingHttpResponse(_report(job), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = content_disposition_header(True, f"import-{job.pk}-mistakes.csv") or "attachment"
        return response

    # --- export ------------------------------------------------------------------------------------------------------------------
    def export_view(self, request: HttpRequest, alias: str, kind: str) -> StreamingHttpResponse:
        """The records of the list as it is filtered, for whoever sees it. Personal values in clear only on demand, for who may edit them."""
        from apps.customdata.admin.records import RecordAdmin  # noqa: PLC0415  the lists' pages link here

        table = structure.by_alias(alias)
        rights = access.rights(request.user, table) if table else access.NOTHING
        if table is None or not rights.view or kind not in exporting.FORMATS:
            raise Http404(_("There is no such model."))
        private = request.GET.get("personal") == "1" and rights.edit
        query = request.GET.copy()
        query.pop("personal", None)
        request.GET = query  # type: ignore[assignment]
        page = RecordAdmin(model_of(table), self.admin_site)
        rows = page.get_changelist_instance(request).queryset
        audit.record(request.user, "customdata.export", table, format=kind, personal=private, filter=request.GET.urlencode()[:500])
        return exporting.download(table, rows, kind, fields=rights.fields(table), private=private)


def _percent(job: ImportJob) -> int:
    """Of the present stage; while the file is being read its length is not known."""
    return round(100 * running.progress(job) / job.total) if job.total and job.state != State.STAGING else 0


def _problems(job: ImportJob) -> list[tuple[int, str, str, str]]:
    rows = ImportProblem.objects.filter(job=job)[:SHOWN_PROBLEMS]
    return [(one.row, one.column or _("whole row"), checking.message(one.code), one.value) for one in rows]


def _report(job: ImportJob) -> Iterator[str]:
    yield "\ufeff" + _line([_("row"), _("column"), _("problem"), _("value")])
    for one in ImportProblem.objects.filter(job=job).iterator(chunk_size=2000):
        yield _line([one.row, safe_cell(one.column), checking.message(one.code), safe_cell(one.value)])
    if job.mistakes > checking.MOST_KEPT:
        yield _line(["", "", _("%(count)s more mistakes are not listed.") % {"count": job.mistakes - checking.MOST_KEPT}, ""])


def _line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
