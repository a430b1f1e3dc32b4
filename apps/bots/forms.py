"""The form of a channel, made from what its messenger declares: one field for each setting and each secret (`Adapter.Config`, `.Secrets`)."""

import types
import typing
from enum import Enum
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel
from pydantic import ValidationError as PydanticError
from pydantic.fields import FieldInfo
from unfold import widgets

from apps.bots import connecting
from apps.bots.adapter import Adapter, SendError
from apps.bots.models import Bot, Channel
from apps.core.form_fields import SecretField, timezone_field

CONFIG, SECRET = "config_", "secret_"


class BotForm(forms.ModelForm):  # type: ignore[type-arg]
    timezone = timezone_field(
        required=True, label=gettext_lazy("Time zone"), help_text=gettext_lazy("Of the bot's working day and of people without their own.")
    )

    class Meta:
        model = Bot
        fields = "__all__"  # noqa: DJ007  the admin's fieldsets say which


class ListField(forms.CharField):
    """A list of texts, one a line."""

    widget = widgets.UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Saved only when the messenger confirms the credentials; an inactive channel is saved unchecked. Secrets left empty stay as they are."""

    adapter: Adapter

    class Meta:
        model = Channel
        fields = ("bot", "name", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name.startswith(CONFIG):
                self.initial.setdefault(name, self.instance.config.get(name.removeprefix(CONFIG), field.initial))
            elif isinstance(field, SecretField):
                field.describe(stored=bool(self.instance.secrets.get(name.removeprefix(SECRET))))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        stored = self.instance.secrets if self.instance.pk else {}
        typed = self._given(SECRET, data)
        self.instance.kind = self.adapter.kind
        self.instance.config = self._checked(self.adapter.Config, CONFIG, self._given(CONFIG, data))
        self.instance.secrets = self._checked(
            self.adapter.Secrets, SECRET, {**stored, **{name: text for name, text in typed.items() if text}}
        )
        return data

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if not self.errors and self.instance.is_active:
            self._connect()

    def _connect(self) -> None:
        try:
            connecting.connect(self.instance)
        except SendError as error:
            self.add_error(
                None,
                ValidationError(
                    _("%(channel)s does not accept this: %(reason)s Correct it, or untick “active” to save without connecting."),
                    code="not_connected",
                    params={"channel": self.adapter.label, "reason": _sentence(error.reason)},
                ),
            )

    def _given(self, prefix: str, data: dict[str, Any]) -> dict[str, Any]:
        return {name.removeprefix(prefix): value for name, value in data.items() if name.startswith(prefix)}

    def _checked(self, model: type[BaseModel], prefix: str, values: dict[str, Any]) -> dict[str, Any]:
        """The values as the messenger's own model stores them; what it refuses is said at the field."""
        try:
            return model.model_validate({name: value for name, value in values.items() if name in model.model_fields}).model_dump(
                mode="json"
            )
        except PydanticError as error:
            for problem in error.errors(include_url=False, include_input=False):
                field = f"{prefix}{problem['loc'][0]}" if problem["loc"] else None
                self.add_error(field if field in self.fields else None, _explained(problem))
            return values


def channel_form(adapter: Adapter) -> type[ChannelForm]:
    """The form class for channels of this messenger."""
    config = {f"{CONFIG}{name}": form_field(info) for name, info in adapter.Config.model_fields.items()}
    secrets = {f"{SECRET}{name}": secret_field(info) for name, info in adapter.Secrets.model_fields.items()}
    return type("ChannelForm", (ChannelForm,), {**config, **secrets, "adapter": adapter, "__module__": __name__})


def form_field(info: FieldInfo) -> forms.Field:
    """A form field for a setting, by the type that the messenger declares."""
    kind = _bare(info.annotation)
    shared: dict[str, Any] = {
        "label": _told(info.title), "help_text": _told(info.description), "required": info.is_required(),
        "initial": None if info.is_required() else info.get_default(call_default_factory=True),
    }  # fmt: skip
    choices = _choices(kind)
    if choices:
        return forms.ChoiceField(choices=choices, widget=widgets.UnfoldAdminSelectWidget, **shared)
    if kind is bool:
        return forms.BooleanField(widget=widgets.UnfoldBooleanSwitchWidget, **{**shared, "required": False})
    if kind is int:
        return forms.IntegerField(widget=widgets.UnfoldAdminIntegerFieldWidget, **shared)
    if kind is float:
        return forms.FloatField(widget=widgets.UnfoldAdminDecimalFieldWidget, **shared)
    if typing.get_origin(kind) in (list, tuple, set, frozenset):
        return ListField(widget=widgets.UnfoldAdminTextareaWidget({"rows": 4}), **shared)
    longest = next((rule.max_length for rule in info.metadata if hasattr(rule, "max_length")), None)
    wide = longest is not None and longest > 200  # noqa: PLR2004
    widget = (
        widgets.UnfoldAdminTextareaWidget({"rows": 3})
        if wide and "url" not in str(info.title).lower()
        else widgets.UnfoldAdminTextInputWidget()
    )
    return forms.CharField(max_length=longest, widget=widget, **shared)


def secret_field(info: FieldInfo) -> SecretField:
    """Write-only; whether it is required is judged with what is stored."""
    return SecretField(label=_told(info.title), help_text=_told(info.description))


def _bare(annotation: Any) -> Any:
    """`str | None` → `str`."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(annotation) if part is not type(None))
    return annotation


def _choices(kind: Any) -> list[tuple[Any, Any]]:
    if typing.get_origin(kind) is Literal:
        return [(value, value) for value in typing.get_args(kind)]
    return (
        [(member.value, member.name.replace("_", " ").lower()) for member in kind]
        if isinstance(kind, type) and issubclass(kind, Enum)
        else []
    )


def _told(text: str | None) -> str:
    """Adapters mark their texts; they are translated where they are shown."""
    return _(text) if text else ""


def _explained(problem: Any) -> str:
    if problem["type"] == "missing" or problem["type"] == "string_too_short":
        return (
            _("This is needed.")
            if problem["type"] == "missing"
            else _("This is too short: at least %(count)s characters.") % {"count": problem["ctx"]["min_length"]}
        )
    if problem["type"] == "string_pattern_mismatch":
        return _("This does not have the right form. Copy it again, whole.")
    return str(problem["ctx"]["error"]) if problem["type"] == "value_error" else str(problem["msg"])


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
