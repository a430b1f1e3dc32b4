"""The client card as a form: the person's own data, the declared client fields with inputs of their type, and whatever else is kept."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from apps.bots.forms import ListField
from apps.bots.models import Channel
from apps.core.form_fields import timezone_field
from apps.events.json_field import JSONTextField
from apps.identity import attributes
from apps.identity.attributes import InvalidValuesError
from apps.identity.mapping import id_text
from apps.identity.models import ClientField, ExternalId, Person

if TYPE_CHECKING:  # the package is untyped
    _InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    _InlineFormSet = PaginationInlineFormSet

CARD = "card_"
Type = ClientField.Type


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """Nothing is written by the form itself: `changed_values` go through `attributes.set_values`, which cleans, encrypts and records."""

    timezone = timezone_field(required=False, label=gettext_lazy("Time zone"), help_text=gettext_lazy("Empty: that of the bot."))
    phone = forms.CharField(
        label=gettext_lazy("Phone"), required=False, max_length=40, widget=widgets.UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("International form, e.g. +380501112233. Stored encrypted."),
    )  # fmt: skip
    email = forms.EmailField(
        label=gettext_lazy("E-mail"), required=False, widget=widgets.UnfoldAdminEmailInputWidget, help_text=gettext_lazy("Stored encrypted."),
    )  # fmt: skip
    attributes = JSONTextField(label=gettext_lazy("Further attributes"), required=False, small=True, empty={},
                               help_text=gettext_lazy("What scenarios keep beside the declared fields, as JSON."))  # fmt: skip

    class Meta:
        model = Person
        fields = ("bot", "name", "language", "timezone", "segment")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self._show_stored(self.instance)
        else:
            self.fields.pop("attributes", None)

    def _show_stored(self, person: Person) -> None:
        declared = attributes.client_fields()
        for name in ("phone", "email"):
            self.initial[name] = getattr(person, name)
        self.initial["attributes"] = {key: value for key, value in person.attributes.items() if key not in declared}
        for key, field in declared.items():
            stored = person.private if field.is_private else person.attributes
            self.initial[f"{CARD}{key}"] = stored.get(key)

    def clean_attributes(self) -> dict[str, Any]:
        data = self.cleaned_data.get("attributes")
        if not isinstance(data or {}, dict):
            raise ValidationError(_('Write the attributes as a JSON object: {"name": value}.'), code="object")
        return data or {}

    def changed_values(self) -> dict[str, Any]:
        """What was changed, by key, in the form of `attributes.set_values`; None removes."""
        values: dict[str, Any] = {}
        for name in self.changed_data:
            value: Any = self.cleaned_data.get(name)
            if name == "attributes":
                values |= {**{key: None for key in self.initial["attributes"] if key not in value}, **value}
            elif name.startswith(CARD):
                values[name.removeprefix(CARD)] = value.isoformat() if isinstance(value, date) else value
            elif name in attributes.COLUMNS:
                values[name] = value
        return values

    def _post_clean(self) -> None:
        """The values are written on trial and taken back, so that whatever `set_values` refuses is said at its field."""
        super()._post_clean()  # type: ignore[misc]  # not in the stubs
        if self.errors:
            return
        try:
            with transaction.atomic():
                person = Person.objects.filter(pk=self.instance.pk).first() or Person.objects.create(bot=self.instance.bot)
                attributes.set_values(person, self.changed_values(), source="form")
                transaction.set_rollback(True)
        except InvalidValuesError as error:
            self._refuse(error.errors)

    def _refuse(self, errors: dict[str, str]) -> None:
        for key, why in errors.items():
            field = next((name for name in (key, f"{CARD}{key}") if name in self.fields), None)
            self.add_error(field, why)


class ExternalIdForm(forms.ModelForm):  # type: ignore[type-arg]
    """The bot of an id is that of its person; an id that is somebody else's is refused with their name. `person` is set by the form set."""

    person: Person

    class Meta:
        model = ExternalId
        fields = ("system", "value")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        row = self.instance
        row.bot_id = self.person.bot_id
        data["value"] = id_text(data.get("value", ""))
        holder = (
            ExternalId.objects.filter(bot_id=row.bot_id, system=data.get("system"), value=data["value"])
            .exclude(pk=row.pk)
            .select_related("person")
            .first()
        )
        if holder and holder.person_id != self.person.pk:
            self.add_error("value", _("This id belongs to %(name)s (number %(number)s). Merge the two people instead.")
                           % {"name": holder.person, "number": holder.person_id})  # fmt: skip
        return data


class ExternalIdFormSet(_InlineFormSet):
    """Hands each form the person, who may be as new as the ids."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # not in the stubs
        form.person = self.instance
        return form


def person_form() -> type[PersonForm]:
    """The form class with today's client fields."""
    card = {f"{CARD}{key}": card_field(field) for key, field in attributes.client_fields().items() if field.in_card}
    return type("PersonForm", (PersonForm,), {**card, "__module__": __name__})


def card_field(field: ClientField) -> forms.Field:
    """An input for a client field, by its type."""
    hint = field.help_text if not field.is_private else f"{field.help_text} {_('Stored encrypted.')}".strip()
    shared: dict[str, Any] = {"label": field.label, "help_text": hint, "required": False}
    match field.type:
        case Type.NUMBER:
            return forms.CharField(widget=widgets.UnfoldAdminTextInputWidget({"inputmode": "decimal"}), **shared)
        case Type.BOOLEAN:
            choices = [("", _("not known")), ("true", _("yes")), ("false", _("no"))]
            return YesNoField(choices=choices, coerce=_yes, empty_value=None, widget=widgets.UnfoldAdminSelectWidget, **shared)
        case Type.DATE:
            return forms.DateField(widget=widgets.UnfoldAdminSingleDateWidget, **shared)
        case Type.CHOICE:
            choices = [("", "—"), *((str(choice), str(choice)) for choice in field.choices)]
            return forms.ChoiceField(choices=choices, widget=widgets.UnfoldAdminSelectWidget, **shared)
    return forms.CharField(max_length=2000, widget=widgets.UnfoldAdminTextInputWidget, **shared)


class YesNoField(forms.TypedChoiceField):
    """Three answers: yes, no, not known."""

    def prepare_value(self, value: Any) -> Any:
        return {True: "true", False: "false", None: ""}.get(value, value)


def _yes(text: str) -> bool:
    return text == "true"


class ClientFieldForm(forms.ModelForm):  # type: ignore[type-arg]
    choices = ListField(
        label=gettext_lazy("Choices"), required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 5}),
        help_text=gettext_lazy("For the type “choice”: one value a line."),
    )  # fmt: skip

    class Meta:
        model = ClientField
        fields = ("key", "label", "type", "choices", "is_private", "in_card", "position", "help_text")

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if key in attributes.RESERVED or key in attributes.COLUMNS or key.removeprefix("user_") in attributes.COLUMNS:
            raise ValidationError(_("This name is used by the product itself. Choose another one."), code="reserved")
        if "-" in key:
            raise ValidationError(_("Use letters, digits and “_”: a name with “-” cannot stand in a placeholder."), code="dash")
        return key

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("type") == Type.CHOICE and not data.get("choices"):
            self.add_error("choices", _("A field of the type “choice” needs at least one value."))
        return data


class ConnectLinkForm(forms.Form):
    """For whom a connect link is made; `channels` are those that the user may use."""

    channel = forms.ModelChoiceField(label=gettext_lazy("Channel"), queryset=Channel.objects.none(), widget=widgets.UnfoldAdminSelectWidget)
    system = forms.CharField(label=gettext_lazy("System"), max_length=50, initial="crm", widget=widgets.UnfoldAdminTextInputWidget,
                             help_text=gettext_lazy("Whose user id it is."))  # fmt: skip
    external_id = forms.CharField(label=gettext_lazy("User id"), max_length=200, widget=widgets.UnfoldAdminTextInputWidget,
                                  help_text=gettext_lazy("Of the person who will open the link, e.g. 125."))  # fmt: skip


class MergeForm(forms.Form):
    """Which person is the same human. `people` are those whom the user may edit; only one of the same bot will do."""

    other = forms.IntegerField(
        label=gettext_lazy("Number of the other person"),
        min_value=1,
        max_value=2**62,
        widget=widgets.UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("It stands in the address of that person's page. Everything of that person moves here."),
    )

    def __init__(self, *args: Any, people: QuerySet[Person], kept: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people, self.kept = people, kept

    def clean_other(self) -> Person:
        found = self.people.filter(pk=self.cleaned_data["other"], bot_id=self.kept.bot_id).exclude(pk=self.kept.pk).first()
        if found is None:
            raise ValidationError(_("There is no other person of this bot with this number."), code="unknown")
        return found
