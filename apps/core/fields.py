"""Model fields that are encrypted in the database (AES-GCM, key id in front) and read as plain Python values."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import FieldError, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.utils.translation import gettext_lazy as _

from apps.core import crypto

if TYPE_CHECKING:  # the classes take parameters in the stubs only
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text, encrypted at rest. `None` and `""` are stored as they are; nothing but `isnull` can be asked of it in a query.

    Serialized (dumpdata) it stays encrypted, and an encrypted text is refused as input, so that no form or file becomes a way to
    have a stolen value decrypted.
    """

    description = _("Encrypted text")

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(
            f"Field {self.name!r} is encrypted: it can only be asked for isnull. Keep a blind index (apps.core.crypto) beside it.",
        )

    def get_transform(self, _lookup_name: str) -> None:
        return None

    def dump(self, value: Any) -> str:
        """The text that is encrypted."""
        return str(value)

    def load(self, text: str) -> Any:
        """The opposite of `dump`."""
        return text

    def get_prep_value(self, value: Any) -> str | None:
        if value is None or value == "":
            return None if value is None else ""
        return crypto.encrypt(self.dump(value).encode())

    def from_db_value(self, value: str | None, _expression: Expression, _connection: BaseDatabaseWrapper) -> Any:
        return self.load(crypto.decrypt(value).decode()) if value else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith(f"{crypto.PREFIX}."):
            raise ValidationError(_("This is a value in encrypted form. Enter the value itself."), code="encrypted")
        return value if value is None or isinstance(value, str) else str(value)

    def value_to_string(self, obj: models.Model) -> str:
        return self.get_prep_value(self.value_from_object(obj)) or ""


class EncryptedJSONField(EncryptedTextField):
    """Any JSON value, encrypted at rest as one text. `None` is stored as NULL."""

    description = _("Encrypted JSON")
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def dump(self, value: Any) -> str:
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)

    def load(self, text: str) -> Any:
        return json.loads(text)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else crypto.encrypt(self.dump(value).encode())

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            super().to_python(value)
        return value

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return models.Field.formfield(self, **{"form_class": forms.JSONField, "encoder": DjangoJSONEncoder, **kwargs})


def encrypted_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    """The encrypted fields that `model` stores."""
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
