"""Client fields: what is known of people beyond name and contacts, with its type and whether it is personal data."""

from typing import Any

from django.contrib import admin
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.events.admin.listing import patience
from apps.events.admin.pages import PageAdmin
from apps.events.showing import badge, copyable
from apps.identity.forms import ClientFieldForm
from apps.identity.models import ClientField, Person, PrivateIndex


@admin.register(ClientField)
class ClientFieldAdmin(PageAdmin):
    form = ClientFieldForm
    intro = gettext_lazy(
        "Fields of the client card. Scenarios use them as {{key}}; personal data is encrypted and found by its exact value."
    )
    list_display = ("label", "placeholder", "type", "private", "in_card", "position")
    search_fields = ("key", "label")
    list_editable = ("position",)
    fieldsets = (
        (None, {"fields": (("label", "key"), "type", "choices", "help_text")}),
        (gettext_lazy("Use"), {"fields": ("is_private", "in_card", "position")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: ClientField | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """Values are stored under the key, clear or encrypted: neither may change under them."""
        if obj is None:
            return ()
        return ("key", "is_private") if has_values(obj) else ("key",)

    def notes(self, request: HttpRequest, obj: ClientField) -> list[SafeString | str]:  # type: ignore[override]
        if "is_private" not in self.get_readonly_fields(request, obj):
            return []
        return [
            _(
                "People have values in this field, so that its protection cannot be changed. Make a new field instead and fill it by a scenario."
            )
        ]

    @display(description=gettext_lazy("placeholder"))
    def placeholder(self, field: ClientField) -> SafeString:
        return copyable("{{" + field.key + "}}")

    @display(description=gettext_lazy("personal data"))
    def private(self, field: ClientField) -> SafeString:
        return badge(_("encrypted"), "info", icon="lock") if field.is_private else badge(_("plain"))


def has_values(field: ClientField) -> bool:
    """Whether any person has a value; when that takes long to find out, it is taken for a yes."""
    if PrivateIndex.objects.filter(key=field.key).exists():
        return True
    people: Any = Person.objects.filter(attributes__has_key=field.key)
    try:
        with patience(2):
            return bool(people.exists())
    except OperationalError:
        return True
