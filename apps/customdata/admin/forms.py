"""The form of a record: a field for each column that the user may see, checked by the same code as every other way in."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.customdata import checking, files, links, records
from apps.customdata.access import Rights
from apps.customdata.building import RecordBase
from apps.customdata.models import Field, RecordFile, Table
from apps.customdata.records import InvalidRecordError, TableGoneError
from apps.customdata.widgets import ChooseRow

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[RecordBase]
else:
    _ModelForm = forms.ModelForm


class StoredValue:
    """A stored file as its input shows it."""

    def __init__(self, row: RecordFile, url: str) -> None:
        self.pk, self.url, self.name = row.pk, url, row.name

    def __str__(self) -> str:
        return self.name


class RecordForm(_ModelForm):
    """`values` by alias is what `records` takes; the hidden version is what the editor saw."""

    table: ClassVar[Table]
    rights: ClassVar[Rights]
    reader: ClassVar[Any]
    only: ClassVar[frozenset[str]] = frozenset()

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, alone: bool = True, **kwargs: Any) -> None:
        """`alone=False`: the values are for many records, each of which is checked by itself."""
        super().__init__(*args, **kwargs)
        self.alone = alone
        self.values: dict[str, Any] = {}
        for field in self.shown():
            self.fields[field.attribute] = self._input(field)
            self.initial[field.attribute] = self._initial(field)
        self.initial["seen_version"] = self.instance.version if self.instance.pk else None

    def shown(self) -> list[Field]:
        return [field for field in self.rights.fields(self.table) if not self.only or field.alias in self.only]

    def _input(self, field: Field) -> forms.Field:
        needed = field.required and not (field.kind == "file" and self.instance.pk and getattr(self.instance, field.attribute))
        made = field.type.form_field(field, label=field.name, help_text=field.help_text, required=needed)
        if isinstance(made.widget, ChooseRow):
            made.widget.address = reverse("admin:customdata_table_choose", args=[field.pk])
            made.widget.title_of = lambda value: self._title(field, value)
        return made

    def _title(self, field: Field, value: Any) -> str:
        found = links.named(field, [int(value)], self.reader) if str(value).isdigit() else {}
        return next((goal.text for goal in found.values()), "")

    def _initial(self, field: Field) -> Any:
        if not self.instance.pk:
            return checking.default_of(field) if field.default is not None else self.initial.get(field.alias)
        value = getattr(self.instance, field.attribute)
        if field.kind == "file":
            row = RecordFile.objects.filter(pk=value).first() if value else None
            return StoredValue(row, file_url(self.table, self.instance.pk, field)) if row else None
        if field.kind == "boolean" and value is not None:
            return "true" if value else "false"
        return field.type.show(field, value) if field.kind == "number" else value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for field in self.shown():
            if field.attribute in data:
                self._read(field, data[field.attribute])
        if not self.errors and self.alone:
            self._check()
        return data

    def _read(self, field: Field, given: Any) -> None:
        try:
            if field.kind == "file":
                given = self._file(field, given)
            self.values[field.alias] = field.type.clean(field, given)
        except ValueError as error:
            self.add_error(field.attribute, str(error))

    def _file(self, field: Field, given: Any) -> int | None:
        if isinstance(given, UploadedFile):
            return files.store(self.table, field, given, name=given.name or "file").pk
        return given.pk if isinstance(given, StoredValue) else None

    def _check(self) -> None:
        try:
            records.check(self.table, self.values, pk=self.instance.pk, without=self.rights.hidden)
        except InvalidRecordError as error:
            for alias, why in error.errors.items():
                field = self.table.by_alias.get(alias)
                shown = field is not None and field.attribute in self.fields
                self.add_error(field.attribute if field is not None and shown else None, why if shown or not alias else f"{alias}: {why}")
        except TableGoneError:
            self.add_error(None, _("This model was deleted meanwhile."))

    def _post_clean(self) -> None:
        """The record is written by `records`, never by the form."""

    def save(self, commit: bool = True) -> RecordBase:  # noqa: FBT001, FBT002, ARG002  Django's signature
        return self.instance

    def save_m2m(self) -> None:
        """Nothing of a record lies elsewhere."""

    def has_changed(self) -> bool:
        return bool(self.changed_data)


def form_for(table: Table, rights: Rights, reader: Any, *, only: frozenset[str] = frozenset()) -> type[RecordForm]:
    from apps.customdata.building import model_of  # noqa: PLC0415  made anew with every structure

    meta = type("Meta", (), {"model": model_of(table), "fields": ()})
    members = {"Meta": meta, "table": table, "rights": rights, "reader": reader, "only": only, "__module__": __name__}
    return type("ThisRecordForm", (RecordForm,), members)


def file_url(table: Table, pk: int, field: Field) -> str:
    return reverse(f"admin:customdata_{table.relation}_file", args=[pk, field.alias])
