"""The contract of a kind of field: one class in one file of `apps/customdata/fields/`.

A kind says how its values lie in PostgreSQL and which comparisons fit them, reads what people and systems write (`clean`), and turns a value
into plain JSON and back (`dump`, `load`). Values are true Python types: Decimal, date, aware datetime, bool, str, list. An empty value is None.
"""

from typing import Any, ClassVar, Protocol

from django import forms
from django.db import models
from pydantic import BaseModel, ConfigDict

from apps.core.registry import Registry

Json = dict[str, Any]


class Options(BaseModel):
    """What is particular to the kind and set for one field; the base has nothing to set."""

    model_config = ConfigDict(extra="forbid")


class FieldLike(Protocol):
    """What a kind may know of the field: a stored `Field`, or one that is being tried."""

    name: str
    alias: str
    options: Any
    required: bool
    help_text: str


class FieldKind:
    """`kind`, `label`, `icon`: code, name and symbol. `column`: the SQL type. `operators`: what a filter may ask (`filtering.OPERATORS`).

    `index`: "" cannot be indexed, "plain" B-tree over the column, "fold" B-tree over the text without case, "gin". `unique`: may be unique.
    `personal`: may be personal data, which is encrypted. `sortable`, `searchable`: in lists. `refers`: the value is the id of another row.
    """

    kind: ClassVar[str]
    label: ClassVar[Any]
    icon: ClassVar[str] = "text_fields"
    column: ClassVar[str] = "text"
    operators: ClassVar[tuple[str, ...]] = ("eq", "ne", "in", "empty")
    index: ClassVar[str] = "plain"
    unique: ClassVar[bool] = True
    personal: ClassVar[bool] = False
    sortable: ClassVar[bool] = True
    searchable: ClassVar[bool] = False
    refers: ClassVar[bool] = False
    Options: ClassVar[type[BaseModel]] = Options

    def model_field(self, field: FieldLike, **common: Any) -> "models.Field[Any, Any]":  # noqa: ARG002
        """The column as a field of the table's model class."""
        raise TypeError(f"{type(self).__name__} has no model field")

    def form_field(self, field: FieldLike, **common: Any) -> forms.Field:  # noqa: ARG002
        """The widget and coercion of a form; what it gives goes through `clean`."""
        raise TypeError(f"{type(self).__name__} has no form field")

    def clean(self, field: FieldLike, value: Any) -> Any:  # noqa: ARG002
        """The value as its true type, read tolerantly; None for an empty one. Raises ValueError with a text for people."""
        raise TypeError(f"{type(self).__name__} reads nothing")

    def dump(self, field: FieldLike, value: Any) -> Any:  # noqa: ARG002
        """As plain JSON, for the API, scenarios, history. `clean` reads it back."""
        return value

    def show(self, field: FieldLike, value: Any) -> str:  # noqa: ARG002
        """For people, in lists and history."""
        return "" if value is None else str(value)


kinds: Registry[FieldKind] = Registry("apps.customdata.fields", FieldKind)


def field_kinds() -> list[tuple[str, str]]:
    """For model choices, so that a new kind needs no migration."""
    return kinds.choices()
