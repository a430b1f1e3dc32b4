"""Forms of an import: the upload, how the file is read, which column fills which field."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.customdata.importing import plan
from apps.customdata.importing.models import ImportJob
from apps.customdata.importing.sniffing import ENCODINGS, SEPARATORS, Form
from apps.customdata.models import Table

NEW = "+"
_SIGNS = {",": gettext_lazy("comma"), ";": gettext_lazy("semicolon"), "\t": gettext_lazy("tab"), "|": gettext_lazy("bar |")}
_select = widgets.UnfoldAdminSelectWidget


class UploadForm(forms.Form):
    """`tables`: those that the user may fill; a new model when the user may make one."""

    model = forms.ChoiceField(label=gettext_lazy("Into the model"), widget=_select)
    name = forms.CharField(
        label=gettext_lazy("Name of the new model"), max_length=100, required=False, widget=widgets.UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Only for a new model; as people see it in the menu, e.g. Complaints."),
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("File"), widget=widgets.UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy("CSV or XLSX; the first row holds the names of the columns. Encoding and separator are recognised."),
    )  # fmt: skip

    def __init__(self, *args: Any, tables: list[Table], may_make: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.alias, one.name) for one in tables]
        self.fields["model"].choices = [*choices, *([(NEW, _("A new model from this file"))] if may_make else [])]  # type: ignore[attr-defined]
        if not may_make:
            del self.fields["name"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("model") == NEW and not data.get("name"):
            self.add_error("name", _("Give the new model a name."))
        return data


class ReadingForm(forms.Form):
    """How the file is read, when it was not recognised rightly."""

    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), choices=list(ENCODINGS.items()), widget=_select)
    separator = forms.ChoiceField(label=gettext_lazy("Separator"), choices=[(sign, _SIGNS[sign]) for sign in SEPARATORS], widget=_select)
    decimal = forms.ChoiceField(label=gettext_lazy("Decimals"), choices=[(".", "12.5"), (",", "12,5")], widget=_select)
    dates = forms.ChoiceField(
        label=gettext_lazy("05/06/2026 is"), choices=[("dmy", gettext_lazy("5 June")), ("mdy", gettext_lazy("May 6"))], widget=_select
    )

    def __init__(self, *args: Any, form: Form, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": form.as_json()})
        self.form = form
        if form.kind != "csv":
            del self.fields["encoding"], self.fields["separator"]

    def chosen(self) -> Form:
        return Form(**{**self.form.as_json(), **self.cleaned_data})


class MappingForm(forms.Form):
    """`column_<n>`: the field's id, with “:<id>” behind it for a link whose cells name records by that field. `key`: a field's id."""

    def __init__(self, *args: Any, job: ImportJob, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.job = job
        targets = [("", _("– leave out –")), *_targets(table)]
        for number, name in enumerate(job.columns):
            told = job.mapping.get(str(number))
            initial = f"{told['field']}:{told['by']}" if told and told.get("by") else str(told["field"]) if told else ""
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=name, choices=targets, required=False, initial=initial, widget=_select
            )
        keys = [(str(field.pk), field.name) for field in plan.keys(table)]
        self.fields["key"] = forms.ChoiceField(
            label=_("Records that are there already"), required=False, widget=_select, initial=str(job.key_id or ""),
            choices=[("", _("every row makes a new record")), *((pk, _("are recognised by “%(name)s” and changed") % {"name": name}) for pk, name in keys)],
        )  # fmt: skip

    @property
    def columns(self) -> list[Any]:
        return [self[f"column_{number}"] for number in range(len(self.job.columns))]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        mapping: dict[str, dict[str, int]] = {}
        for number in range(len(self.job.columns)):
            field, _colon, by = str(data.get(f"column_{number}") or "").partition(":")
            if field:
                mapping[str(number)] = {"field": int(field), "by": int(by or 0)}
        filled = [one["field"] for one in mapping.values()]
        if len(set(filled)) < len(filled):
            raise ValidationError(_("Two columns fill the same field. Choose one of them."))
        key = int(data.get("key") or 0)
        if key and key not in filled:
            raise ValidationError(_("The key must be among the fields that the file fills."))
        self.job.mapping, self.job.key_id = mapping, key or None
        return data


def _targets(table: Table) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for field in plan.fillable(table):
        required = " *" if field.required and field.default is None else ""
        found.append((str(field.pk), f"{field.name}{required}" + (_(" (by number)") if field.type.refers else "")))
        found += [
            (f"{field.pk}:{by.pk}", _("%(field)s (by “%(by)s”)") % {"field": field.name, "by": by.name}) for by in plan.keys_of_link(field)
        ]
    return found
