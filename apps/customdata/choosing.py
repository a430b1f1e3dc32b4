"""Choices of a field: values that are stored, labels that people see."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from pydantic import BaseModel, ConfigDict, Field, field_validator

from apps.customdata import reading
from apps.customdata.fieldtype import FieldLike, Options

MOST = 500


class OneChoice(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    value: str = Field(min_length=1, max_length=100)
    label: str = Field("", max_length=200)


class ChoiceOptions(Options):
    choices: list[OneChoice] = Field(min_length=1, max_length=MOST, title=gettext_noop("Choices"), json_schema_extra={"x-role": "choices"})

    @field_validator("choices")
    @classmethod
    def _each_once(cls, choices: list[OneChoice]) -> list[OneChoice]:
        """A value, and a label, says one thing only."""
        seen: set[str] = set()
        for choice in choices:
            names = {choice.value.casefold(), (choice.label or choice.value).casefold()}
            if names & seen:
                raise ValueError(_("“%(name)s” is there twice.") % {"name": choice.label or choice.value})
            seen |= names
        return choices


def pairs(field: FieldLike) -> list[tuple[str, str]]:
    """(value, label) in the given order."""
    return [(choice["value"], choice.get("label") or choice["value"]) for choice in field.options.get("choices", [])]


def label_of(field: FieldLike, value: str) -> str:
    return next((label for stored, label in pairs(field) if stored == value), value)


def value_of(field: FieldLike, given: Any) -> str:
    """The stored value that is meant by a value or a label, whatever their case."""
    word = reading.text(given).strip().casefold()
    for value, label in pairs(field):
        if word in (value.casefold(), label.casefold()):
            return value
    raise ValueError(_("One of these is expected: %(choices)s.") % {"choices": ", ".join(label for _value, label in pairs(field)[:20])})


def split(field: FieldLike, given: str) -> list[str]:
    """“a; b” or “a, b”; a value with a comma in it stays whole where it is one of the choices."""
    known = {name.casefold() for pair in pairs(field) for name in pair}
    if given.strip().casefold() in known:
        return [given]
    sign = ";" if ";" in given else ","
    return [part for part in given.split(sign) if part.strip()]
