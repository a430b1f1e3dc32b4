"""A file that is looked at before it is brought in: what the forms of both imports share."""

import base64
import binascii
import zlib
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from apps.accounts.access import AnyUser, scoped
from apps.bots.models import Bot

PACKED = "packed:"  # in front of a text that is compressed: a large file must fit into a form again


def packed(body: bytes) -> str:
    return PACKED + base64.urlsafe_b64encode(zlib.compress(body)).decode()


def unpacked(text: str, *, most_bytes: int) -> bytes:
    """What `packed` gave, or a bare text; never more than one byte over the limit. Raises `ValidationError`."""
    if not text.startswith(PACKED):
        return text.encode(errors="surrogatepass")
    try:
        return zlib.decompressobj().decompress(base64.urlsafe_b64decode(text.removeprefix(PACKED)), most_bytes + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValidationError(_("Choose the file again."), code="packed") from error


class LookedAtForm(forms.Form):
    """The file is looked at first; its text comes back with the page, so that it need not be chosen twice. A subclass has the field `bot`."""

    most_bytes: ClassVar[int]
    file_help: ClassVar[str | Promise]

    file = forms.FileField(label=gettext_lazy("File"), required=False, widget=widgets.UnfoldAdminFileFieldWidget)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, user: AnyUser, *args: Any) -> None:
        super().__init__(*args)
        self.fields["file"].help_text = str(self.file_help)
        bots = scoped(Bot.objects.order_by("name"), user, "edit", module="scenarios")
        self.fields["bot"].queryset = bots  # type: ignore[attr-defined]
        self.fields["bot"].initial = bots.first() if self.fields["bot"].required and bots.count() == 1 else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        uploaded = data.get("file")
        body = b"" if uploaded else unpacked(data.get("text", ""), most_bytes=self.most_bytes)
        if (uploaded.size if uploaded else len(body)) > self.most_bytes:
            raise ValidationError(_("The file is larger than %(limit)s MB.") % {"limit": self.most_bytes // 1024 // 1024}, code="size")
        body = uploaded.read() if uploaded else body
        if not body.strip():
            raise ValidationError(_("Choose a file."), code="required")
        self.look(body, data)
        data["text"] = packed(body)
        return data

    def look(self, body: bytes, data: dict[str, Any]) -> None:  # noqa: ARG002  subclasses take what this gives
        """Put what the file holds into `data`; raises `ValidationError`."""
        raise ValidationError(_("This file cannot be looked at."))
