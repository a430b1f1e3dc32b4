"""Types for the parameters of blocks. Their classes say what a text is for, so that the check, the help and the importers find them.

`Text`: said to a person, may be translated · `Template`: one text with placeholders, not translated (an address) · `Value`: any JSON with
placeholders, types kept · `Expression`: a free condition · `Reference`: a path to read, such as `order.amount` · `Duration`: a span of time.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, StringConstraints, model_validator

from apps.scenarios.engine.escaping import Target
from apps.scenarios.engine.limits import LONGEST_WAIT_DAYS
from apps.scenarios.engine.placeholders import Formula, Plan, compile_formula, compile_template, plan
from apps.scenarios.engine.placeholders import Template as Compiled
from apps.scenarios.engine.plain import strings_in
from apps.scenarios.engine.reading import read_duration
from apps.scenarios.engine.wording import gettext_noop

LanguageCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
VariableName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\W\d]\w*$", max_length=64),
    Field(json_schema_extra={"x-role": "variable", "examples": ["order_id"]}),
]
OptionalVariableName = Annotated[
    str,
    StringConstraints(pattern=r"^([^\W\d]\w*)?$", max_length=64),
    Field(json_schema_extra={"x-role": "variable", "examples": ["answer"]}),
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Alias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", max_length=128)]


# Marks for forms: what few authors need lies under "More settings"; an id that edges name is made by the form and kept.
MORE: dict[str, Any] = {"x-more": True}
STABLE_ID: dict[str, Any] = {"x-role": "id"}


def only_when(**values: Any) -> dict[str, Any]:
    """Mark for forms: shown while the named fields beside it have one of these values."""
    return {"x-when": {name: list(found) for name, found in values.items()}}


class ParamsModel(BaseModel):
    """Base of every block's parameters: unknown names are mistakes, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(RootModel[str | dict[LanguageCode, str]]):
    """A text said to a person: one string, or one per language: {"en": "Hello", "ru": "Здравствуйте"}."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"x-role": "text", "examples": ["Hello, {{ user_name }}!"]})
    _compiled: dict[str, Compiled] = PrivateAttr(default_factory=dict)

    def in_language(self, language: str, *fallbacks: str) -> Compiled:
        """The compiled text of that language (`ru-RU` finds `ru`), else of the first fallback that has one, else the first that is not empty."""
        if isinstance(self.root, str):
            return self.compiled("")
        codes = (language, language.split("-", maxsplit=1)[0], *fallbacks, *self.root)
        return self.compiled(next((code for code in codes if self.root.get(code)), ""))

    def compiled(self, code: str) -> Compiled:
        """The text of exactly that language, compiled once; "" for the one text of all languages. Raises `TemplateError`."""
        found = self._compiled.get(code)
        if found is None:
            source = self.root if isinstance(self.root, str) else self.root.get(code, "")
            found = self._compiled[code] = compile_template(source)
        return found

    def texts(self) -> Iterator[tuple[str, str]]:
        """Pairs of language ("" when there is one text for all) and text."""
        yield from [("", self.root)] if isinstance(self.root, str) else self.root.items()

    def __bool__(self) -> bool:
        return any(text for _language, text in self.texts())


class Template(RootModel[str]):
    """One text with placeholders that is not translated, such as an address."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"x-role": "template"})
    _compiled: Compiled | None = PrivateAttr(default=None)

    @property
    def compiled(self) -> Compiled:
        if self._compiled is None:
            self._compiled = compile_template(self.root)
        return self._compiled

    def __bool__(self) -> bool:
        return bool(self.root)


class Reference(RootModel[str]):
    """What to look at: a path such as `order.amount`, filters allowed (`answer | size`). Braces around it are forgiven."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"x-role": "reference", "examples": ["order.amount"]})
    _compiled: Compiled | None = PrivateAttr(default=None)

    @property
    def compiled(self) -> Compiled:
        if self._compiled is None:
            path = self.root.strip().removeprefix("{{").removesuffix("}}").strip()
            self._compiled = compile_template(f"{{{{{path}}}}}")
        return self._compiled


class Value(RootModel[Any]):
    """Any JSON in which texts may hold placeholders; a text that is one placeholder gets the value with its type."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"x-role": "value"})
    _plan: Plan | None = PrivateAttr(default=None)

    def render(self, names: Mapping[str, Any], *, target: Target = "") -> Any:
        if self._plan is None:
            self._plan = plan(self.root)
        return self._plan(names, target)

    def __bool__(self) -> bool:
        return self.root not in (None, "", {}, [])


class Expression(RootModel[str]):
    """A free condition in Liquid's syntax, such as `amount > 100 and status == "paid"`."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"x-role": "expression", "examples": ['amount > 100 and status == "paid"']})
    _compiled: Formula | None = PrivateAttr(default=None)

    @property
    def compiled(self) -> Formula:
        if self._compiled is None:
            self._compiled = compile_formula(self.root)
        return self._compiled

    def __bool__(self) -> bool:
        return bool(self.root.strip())


Unit = Literal["seconds", "minutes", "hours", "days", "weeks"]


class Duration(ParamsModel):
    """A span of time: {"amount": 10, "unit": "minutes"}; a bare number means seconds, a text such as "2 hours" is understood."""

    model_config = ConfigDict(json_schema_extra={"x-role": "duration"})

    amount: float = Field(ge=0, title=gettext_noop("Amount"))
    unit: Unit = Field("minutes", title=gettext_noop("Unit"))

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"amount": value, "unit": "seconds"}
        if isinstance(value, str):
            span = read_duration(value)
            if span is None:
                raise ValueError(gettext_noop("Write a span of time such as: 10 minutes"))
            return {"amount": span.total_seconds(), "unit": "seconds"}
        return value

    @model_validator(mode="after")
    def _not_too_long(self) -> "Duration":
        if self.delta > timedelta(days=LONGEST_WAIT_DAYS):
            raise ValueError(gettext_noop("The longest wait is 366 days"))
        return self

    @property
    def delta(self) -> timedelta:
        return timedelta(**{self.unit: self.amount})


Marked = Text | Template | Reference | Value | Expression


def marked_in(value: Any, path: str = "") -> Iterator[tuple[str, Marked]]:
    """Every marked value inside parameters with its path, such as ("buttons.0.1.label", Text(…))."""
    if isinstance(value, Marked):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from marked_in(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from marked_in(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from marked_in(item, f"{path}.{index}" if path else str(index))


def compiled_in(marked: Marked, path: str) -> Iterator[tuple[str, Compiled | Formula]]:
    """Every template of a marked value, compiled. Raises `TemplateError` at the first that is malformed."""
    if isinstance(marked, Text):
        for language, _text in marked.texts():
            yield f"{path}.{language}" if language else path, marked.compiled(language)
    elif isinstance(marked, Value):
        for inner, text in strings_in(marked.root):
            yield f"{path}.{inner}" if inner else path, compile_template(text)
    elif isinstance(marked, Expression):
        if marked:
            yield path, marked.compiled
    else:
        yield path, marked.compiled
