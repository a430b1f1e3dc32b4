"""A file that is looked at before it is brought in: what the forms of both imports share."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.accounts.access import AnyUser, scoped
from apps.bots.models import Bot


class LookedAtForm(forms.Form):
    """The file is looked at first; its text comes back with the page, so that it need not be chosen twice. A subclass has the field `bot`."""

    most_bytes: ClassVar[int]
    file_help: ClassVar[str | Promise]

    file = forms.FileField(label=gettext_lazy("File"), required=False, widget=widgets.UnfoldAdminFileFieldWidget)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, user: AnyUser, *args: Any) -> None:
        super().__init__(*args)
        self.fields["file"].help_text = str(self.file_help)
        self.fields["bot"].queryset = scoped(Bot.objects.order_by("name"), user, "edit", module="scenarios")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        uploaded = data.get("file")
        if uploaded and uploaded.size > self.most_bytes:
            raise ValidationError(_("The file is larger than %(limit)s MB.") % {"limit": self.most_bytes // 1024 // 1024}, code="size")
        body = uploaded.read() if uploaded else data.get("text", "").encode(errors="surrogatepass")
        if not body.strip():
            raise ValidationError(_("Choose a file."), code="required")
        self.look(body, data)
        data["text"] = body.decode(errors="replace")
        return data

    def look(self, body: bytes, data: dict[str, Any]) -> None:  # noqa: ARG002  subclasses take what this gives
        """Put what the file holds into `data`; raises `ValidationError`."""
        raise ValidationError(_("This file cannot be looked at."))
