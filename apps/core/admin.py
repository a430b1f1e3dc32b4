"""Admin pages of the installation's settings, its allow-list, its processes and the audit trail."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.forms import Form, ModelForm
from django.http import FileResponse, Http404, HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSingleTimeWidget

from apps.core.admin_base import BaseAdmin, BaseTabularInline
from apps.core.calendars import hours_of, open_at
from apps.core.filetypes import DOWNLOAD, HEAD_BYTES, INLINE, file_type, safe_name
from apps.core.form_fields import HIDDEN_VALUE, SecretForm, TextOrJSONField, country_field, timezone_field
from apps.core.health import STALE_AFTER
from apps.core.models import (
    AllowedAddress,
    AuditEntry,
    Calendar,
    CalendarException,
    CalendarInterval,
    Constant,
    Heartbeat,
    InstanceSetting,
    StoredFile,
)

SHOWN_CHARS = 80
MOST_BYTES = 50 * 1024 * 1024


class InstanceSettingForm(SecretForm):
    """A stored secret is never shown again: it becomes a plain value only when it is typed anew."""

    def hidden_names(self) -> tuple[str, ...]:
        return ("value",) if self.instance.pk is None or self.instance.is_secret else ()

    def clean(self) -> dict[str, Any]:
        typed = bool(self.cleaned_data.get("value"))
        was_secret = self.instance.pk is not None and self.instance.is_secret
        data = super().clean()
        if was_secret and data.get("is_secret") is False and not typed:
            raise ValidationError({"value": _("To make this a plain setting, enter the value again: the stored secret is not shown.")})
        return data


@admin.register(InstanceSetting)
class InstanceSettingAdmin(BaseAdmin):
    form = InstanceSettingForm
    list_display = ["key", "shown_value", "is_secret", "description", "updated_at"]
    list_filter = ["is_secret"]
    search_fields = ["key", "description"]
    fields = ["key", "is_secret", "value", "description"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Somebody who may only look sees `shown_value` instead of the field, which would be in clear."""
        return [] if obj is None or self.has_change_permission(request, obj) else ["shown_value"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = ["key", "is_secret", "value", "description"]
        return ["shown_value" if name == "value" else name for name in names] if self.get_readonly_fields(request, obj) else names

    @admin.display(description=gettext_lazy("value"))
    def shown_value(self, obj: InstanceSetting) -> str:
        if not obj.value:
            return "—"
        return HIDDEN_VALUE if obj.is_secret else obj.value[:SHOWN_CHARS]


class StoredFileForm(ModelForm):  # type: ignore[type-arg]
    """What a file is, is told by its content; its name can be changed for clients."""

    class Meta:
        model = StoredFile
        fields = ("key", "file", "name", "description")

    def clean_file(self) -> Any:
        given = self.cleaned_data["file"]
        if not isinstance(given, UploadedFile):
            return given
        if (given.size or 0) > MOST_BYTES:
            raise ValidationError(_("The file is larger than %(limit)s MB.") % {"limit": MOST_BYTES // 1024 // 1024})
        found = file_type(given.read(HEAD_BYTES), name=given.name or "")
        if found is None:
            raise ValidationError(_("Files of this type are not accepted. Take an image, a PDF, a document, text, sound or film."))
        given.seek(0)
        self.instance.kind, self.instance.mime, self.instance.size = found.kind, found.mime, given.size or 0
        return given

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        given = data.get("file")
        if isinstance(given, UploadedFile) and ("name" not in self.changed_data or not data.get("name")):
            data["name"] = safe_name(given.name or "")
        return data


class ConstantForm(ModelForm):  # type: ignore[type-arg]
    value = TextOrJSONField(
        required=False,
        label=gettext_lazy("Value"),
        help_text=gettext_lazy("Text as it is; numbers, true, false, {…} and […] are JSON. Put digits into quotes to keep them as text."),
    )


@admin.register(Constant)
class ConstantAdmin(BaseAdmin):
    form = ConstantForm
    list_display = ["key", "shown_value", "description", "updated_at"]
    search_fields = ["key", "description"]
    fields = ["key", "value", "description"]

    @admin.display(description=gettext_lazy("value"))
    def shown_value(self, obj: Constant) -> str:
        return str(obj.value)[:SHOWN_CHARS]


@admin.register(StoredFile)
class StoredFileAdmin(BaseAdmin):
    form = StoredFileForm
    list_display = ["key", "preview", "name", "mime", "shown_size", "description", "updated_at"]
    search_fields = ["key", "name", "description"]
    fields = ["key", "file", "name", "description", "preview"]
    readonly_fields = ["preview"]

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/file/", self.admin_site.admin_view(self.file_view), name="core_storedfile_file")
        return [own, *super().get_urls()]

    def file_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file for those who may see this page; always as a download (an image is shown by `<img>`, which does not mind)."""
        row = self.get_queryset(request).filter(pk=pk).first() if self.has_view_permission(request) else None
        if row is None:
            raise Http404
        kind = row.mime if row.mime in INLINE else DOWNLOAD
        response = FileResponse(row.file.open("rb"), as_attachment=True, filename=row.name, content_type=kind)
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    @admin.display(description=gettext_lazy("preview"))
    def preview(self, obj: StoredFile) -> str:
        if not obj.pk:
            return "—"
        url = reverse("admin:core_storedfile_file", args=[obj.pk])
        if obj.kind == "image" and obj.mime in INLINE:
            return format_html(
                '<a href="{0}"><img src="{0}" alt="{1}" loading="lazy" style="max-height:4rem;max-width:8rem"></a>', url, obj.name
            )
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, _("Download"))

    @admin.display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, obj: StoredFile) -> str:
        return filesizeformat(obj.size)


class HoursInline(BaseTabularInline):
    hide_title = True
    formfield_overrides = {models.TimeField: {"widget": UnfoldAdminSingleTimeWidget(format="%H:%M")}}


class CalendarIntervalInline(HoursInline):
    model = CalendarInterval
    verbose_name = gettext_lazy("interval")
    verbose_name_plural = gettext_lazy("working hours")
    fields = ["weekday", "start", "end"]


class CalendarExceptionInline(HoursInline):
    model = CalendarException
    fields = ["date", "name", "closed", "start", "end"]


class CalendarForm(ModelForm):  # type: ignore[type-arg]
    timezone = timezone_field(required=True, label=gettext_lazy("Time zone"))
    country = country_field(
        label=gettext_lazy("Public holidays of"),
        help_text=gettext_lazy("Closed on these days. Where the list is not yours, add exceptions below: they always count."),
    )


@admin.register(Calendar)
class CalendarAdmin(BaseAdmin):
    form = CalendarForm
    list_display = ["name", "timezone", "country", "open_now"]
    search_fields = ["name"]
    fields = ["name", "timezone", ("country", "subdivision")]
    inlines = [CalendarIntervalInline, CalendarExceptionInline]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("intervals", "exceptions")

    @admin.display(description=gettext_lazy("open now"), boolean=True)
    def open_now(self, obj: Calendar) -> bool:
        return open_at(hours_of(obj), timezone.now())


@admin.register(AllowedAddress)
class AllowedAddressAdmin(BaseAdmin):
    list_display = ["target", "port", "note", "created_by", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["target", "note"]
    fields = ["target", "port", "note"]

    def save_model(self, request: HttpRequest, obj: AllowedAddress, form: Form, change: bool) -> None:  # noqa: FBT001  Django's signature
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)


@admin.register(AuditEntry)
class AuditEntryAdmin(BaseAdmin):
    read_only = True
    list_display = ["at", "username", "action", "row", "object_type", "ip_address"]
    list_filter = ["action", ("at", admin.DateFieldListFilter)]
    search_fields = ["username", "object_text", "=object_id", "=trace_id"]
    fields = ["at", "username", "action", "object_type", "object_id", "row", "changes", "ip_address", "trace_id"]
    readonly_fields = ["row"]

    @admin.display(description=gettext_lazy("object"), ordering="object_text")
    def row(self, obj: AuditEntry) -> str:
        """The object's name, as a link where it still has a page."""
        app_label, _dot, model = obj.object_type.lower().partition(".")
        try:
            url = reverse(f"admin:{app_label}_{model}_change", args=[obj.object_id])
        except NoReverseMatch:
            return obj.object_text
        gone = obj.action.endswith(".deleted") or not obj.object_id
        return (
            obj.object_text
            if gone
            else format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, obj.object_text)
        )


@admin.register(Heartbeat)
class HeartbeatAdmin(BaseAdmin):
    read_only = True
    list_display = ["name", "instance", "at", "alive"]
    list_filter = ["name"]

    @admin.display(description=gettext_lazy("alive"), boolean=True)
    def alive(self, obj: Heartbeat) -> bool:
        return timezone.now() - obj.at <= STALE_AFTER
