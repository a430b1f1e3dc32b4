"""Form fields of the admin: secrets that are typed but never shown, values that are text or JSON, choices of zones and countries."""

import json
import zoneinfo
from typing import TYPE_CHECKING, Any

import holidays
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextareaWidget

from apps.core.crypto import PREFIX

HIDDEN_VALUE = "••••••••"


if TYPE_CHECKING:  # the package is untyped
    _Textarea = forms.Textarea
else:
    _Textarea = UnfoldAdminTextareaWidget


class WriteOnlyTextarea(_Textarea):
    """Takes a value, never renders one: not the stored and not the one just typed."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 2, "autocomplete": "off", "spellcheck": "false", **(attrs or {})})

    def format_value(self, _value: Any) -> str:
        return ""


class SecretField(forms.CharField):
    """Write-only. Empty means “keep what is stored”: the form puts that back (`SecretForm`)."""

    widget = WriteOnlyTextarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "strip": True, **kwargs})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if text.startswith(f"{PREFIX}."):
            raise ValidationError(_("This is a value in encrypted form. Enter the value itself."), code="encrypted")
        return text

    def has_changed(self, _initial: Any, data: Any) -> bool:
        return bool(data)

    def describe(self, *, stored: bool) -> None:
        """Says beside the field whether a value is there; how long it is and how it begins stays hidden."""
        self.widget.attrs["placeholder"] = HIDDEN_VALUE if stored else ""
        state = gettext_lazy("A value is stored. Leave empty to keep it.") if stored else gettext_lazy("No value is stored yet.")
        self.help_text = f"{self.help_text} {state}".strip()


class SecretForm(forms.ModelForm):  # type: ignore[type-arg]
    """A model form whose `secret_fields` (text fields of the model) are write-only."""

    secret_fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.hidden_names():
            if name in self.fields:
                field = SecretField(label=self.fields[name].label, help_text=self.fields[name].help_text)
                field.describe(stored=bool(getattr(self.instance, name)))
                self.fields[name] = field
                self.initial.pop(name, None)

    def hidden_names(self) -> tuple[str, ...]:
        """Which fields are secret for this very row."""
        return self.secret_fields

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in self.hidden_names():
            if name in self.fields and not data.get(name):
                data[name] = getattr(self.instance, name)
        return data


class TextOrJSONField(forms.CharField):
    """Plain text stays text; numbers, true/false/null, {…}, […] and "…" are read as JSON."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if self._as_json(value) is None else json.dumps(value, ensure_ascii=False)
        return json.dumps(value, ensure_ascii=False, indent=2)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        parsed = self._as_json(text)
        if parsed is None and text[:1] in ("{", "["):
            raise ValidationError(_("This begins like JSON but cannot be read as JSON. Correct it, or put it into quotes."), code="json")
        return text if parsed is None else parsed[0]

    @staticmethod
    def _as_json(text: str) -> tuple[Any] | None:
        try:
            return (json.loads(text, parse_constant=_refuse),)
        except ValueError:
            return None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def _refuse(name: str) -> None:
    raise ValueError(name)


def timezone_field(*, required: bool, label: Any, help_text: Any = "") -> forms.ChoiceField:
    """A searchable list of the IANA zones."""
    zones = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    choices = [("", "—"), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zones)]
    return forms.ChoiceField(choices=choices, required=required, label=label, help_text=help_text, widget=UnfoldAdminSelect2Widget)


def country_field(*, label: Any, help_text: Any = "") -> forms.ChoiceField:
    """A searchable list of the countries whose public holidays are known."""
    names = {code: _spaced(entry[0]) for entry in holidays.registry.COUNTRIES.values() for code in entry[1:2]}
    choices = [
        ("", _("no public holidays")),
        *sorted(((code, f"{name} ({code})") for code, name in names.items()), key=lambda pair: pair[1]),
    ]
    return forms.ChoiceField(choices=choices, required=False, label=label, help_text=help_text, widget=UnfoldAdminSelect2Widget)


def _spaced(name: str) -> str:
    """`UnitedStates` → `United States`."""
    return "".join(f" {char}" if char.isupper() and index and not name[index - 1].isupper() else char for index, char in enumerate(name))
