"""A question: what is asked, with which choices, and what a customer's message means as its answer."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from apps.scenarios.engine.answers import READERS, Asking
from apps.scenarios.engine.conditions import checked_pattern
from apps.scenarios.engine.contract import Json, Pressed, Said
from apps.scenarios.engine.params import MORE, Text, Value, VariableName, only_when
from apps.scenarios.engine.saying import Choice, Sayable, chosen, content_of, in_rows, option_list
from apps.scenarios.engine.wording import gettext_noop

if TYPE_CHECKING:
    from apps.scenarios.engine.context import Context

Kind = Literal["text", "choice", "number", "date", "phone", "email", "contact", "location", "photo", "file", "voice", "regex"]
SHARED = {"contact": "contact", "phone": "contact", "location": "location"}


class Question(Sayable):
    """Parameters of a question."""

    kind: Kind = Field("text", title=gettext_noop("What is asked"))
    save_as: VariableName = Field("answer", title=gettext_noop("Store the answer in"))
    choices: tuple[Choice, ...] = Field((), max_length=100, title=gettext_noop("Choices"))
    options: Value = Field(
        Value(None),
        title=gettext_noop("Choices from data"),
        description=gettext_noop("A placeholder with a list, such as {{ shops }}."),
        json_schema_extra=MORE,
    )
    columns: int = Field(1, ge=1, le=8, title=gettext_noop("Buttons in a row"), json_schema_extra=MORE)
    keyboard: Literal["inline", "reply"] = Field("inline", title=gettext_noop("Keyboard"), json_schema_extra=MORE)
    share_label: Text = Field(
        Text(""),
        title=gettext_noop("Button that shares the phone or place"),
        json_schema_extra=only_when(kind=("phone", "contact", "location")),
    )
    own_contact: bool = Field(
        default=True, title=gettext_noop("Take only the person's own contact"), json_schema_extra=only_when(kind=("phone", "contact"))
    )
    region: str = Field(
        "",
        pattern=r"^([A-Za-z]{2})?$",
        title=gettext_noop("Country of phone numbers without +"),
        json_schema_extra=only_when(kind=("phone", "contact")),
    )
    month_first: bool = Field(default=False, title=gettext_noop("Month before day in dates"), json_schema_extra=only_when(kind=("date",)))
    pattern: str = Field(
        "",
        title=gettext_noop("Pattern"),
        description=gettext_noop("A regular expression that the answer must match."),
        json_schema_extra=only_when(kind=("regex",)),
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_runs(cls, pattern: str) -> str:
        return checked_pattern(pattern)


def labels_of(ctx: "Context", question: Question) -> dict[str, str]:
    """The choices as they are shown now, by id."""
    given = {choice.id: ctx.text(choice.label) for choice in question.choices}
    return given | {name: label for name, label, _value in option_list(ctx.value(question.options))}


def ask(ctx: "Context", question: Question, labels: dict[str, str], *, text: Text | None = None) -> None:
    """Say the question (or `text` in its place) with its buttons."""
    buttons: list[Json] = [{"id": name, "label": label} for name, label in labels.items()]
    shared = SHARED.get(question.kind) if question.share_label else None
    if shared:
        buttons = [*buttons, {"id": "share", "kind": shared, "label": ctx.text(question.share_label)}]
    rows = in_rows(buttons, question.columns)
    if content := content_of(ctx, question, buttons=rows, keyboard="reply" if shared else question.keyboard, text=text):
        ctx.say(content)


def recognised(ctx: "Context", question: Question, entered: Said | Pressed, labels: dict[str, str]) -> tuple[str, Any]:
    """Which choice the answer is ("" for none) and its value; the value is None when the answer is not understood."""
    asking = Asking(ctx.names, question.region or ctx.region, question.month_first, question.pattern, question.own_contact)
    typed = None if isinstance(entered, Pressed) else chosen(entered.text, labels, by_number=question.kind == "choice")
    name = entered.button if isinstance(entered, Pressed) else typed or ""
    if name in labels:
        value = _value_of(ctx, question, name, labels[name])
        reader = READERS.get(question.kind)
        read = reader(Said(text=value), asking) if reader and isinstance(value, str) else None
        return name, value if read is None else read
    if isinstance(entered, Pressed) or question.kind == "choice":
        return "", None
    return "", READERS[question.kind](entered, asking)


def _value_of(ctx: "Context", question: Question, name: str, label: str) -> Any:
    for choice in question.choices:
        if choice.id == name:
            return ctx.template(choice.value) or label
    return next((value for found, shown, value in option_list(ctx.value(question.options)) if (found, shown) == (name, label)), label)
