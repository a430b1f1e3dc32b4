"""A scenario's definition: what is stored, exported and edited as JSON. Layout (places on the canvas) is stored apart.

Versions of the form are brought forward by `migrating.py`; `Definition` is always the newest.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from apps.scenarios.engine import cron
from apps.scenarios.engine.conditions import Condition
from apps.scenarios.engine.migrating import migrate
from apps.scenarios.engine.params import Alias, Identifier, LanguageCode, ParamsModel, Text, VariableName, only_when
from apps.scenarios.engine.wording import gettext_noop

Arrival = Literal["interrupt", "interrupt_return", "after_current", "skip", "notify"]
TwoMessages = Literal["queue", "collect", "latest"]
ParamType = Literal["any", "text", "number", "boolean", "date", "list", "object"]
ENTRY: dict[str, Any] = {"x-role": "entry"}
Word = Annotated[str, StringConstraints(max_length=200)]

OLD_BUTTON = {
    "en": "This question is already closed.",
    "ru": "Этот вопрос уже закрыт.",
    "uk": "Це питання вже закрите.",
    "uz": "Bu savol allaqachon yopilgan.",
}
ERROR = {
    "en": "Something went wrong on our side. We are looking into it.",
    "ru": "Что-то пошло не так с нашей стороны. Мы уже разбираемся.",
    "uk": "Щось пішло не так з нашого боку. Ми вже розбираємося.",
    "uz": "Biz tomonda xatolik yuz berdi. Biz buni ko‘rib chiqyapmiz.",
}


class OldButtons(ParamsModel):
    """What a press on a button of an earlier message does."""

    accept_if_open: bool = Field(
        default=True,
        title=gettext_noop("Accept while the question is open"),
        description=gettext_noop("Off: only the latest showing of a question takes a press, for questions that are asked once per item."),
    )
    text: Text = Field(Text(OLD_BUTTON), title=gettext_noop("Answer to a press on a closed question"))


class Policies(ParamsModel):
    arrival: Arrival = Field(
        "interrupt",
        title=gettext_noop("When it starts while another scenario waits"),
        description=gettext_noop("Interrupt it, interrupt and come back, start after it, do not start, or only say its texts (notify)."),
    )
    two_messages: TwoMessages = Field(
        "queue",
        title=gettext_noop("Two messages at once"),
        description=gettext_noop("Handle them in order, collect them into one answer, or take the latest."),
    )
    collect_seconds: float = Field(
        3, ge=0.5, le=60, title=gettext_noop("Seconds to collect"), json_schema_extra=only_when(two_messages=("collect",))
    )
    old_buttons: OldButtons = Field(OldButtons(), title=gettext_noop("Old buttons"))
    error_text: Text = Field(Text(ERROR), title=gettext_noop("Text when the scenario fails and has no error section"))


class Param(ParamsModel):
    """An input of a section: what an API call, a macro's form or a calling block gives."""

    name: VariableName = Field(title=gettext_noop("Name"))
    type: ParamType = Field("any", title=gettext_noop("Type"))
    required: bool = Field(default=False, title=gettext_noop("Required"))
    default: Any = Field(None, title=gettext_noop("Default"))
    help: str = Field("", title=gettext_noop("Help"))


class Output(ParamsModel):
    """A way in which a called section can end; becomes an exit of the calling block. A bare name is enough."""

    name: Identifier = Field(title=gettext_noop("Name"))
    title: str = Field("", title=gettext_noop("Title"))

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Node(ParamsModel):
    """A block on the canvas. `exits` joins its named exits to nodes of the same section."""

    id: Identifier = Field(
        title=gettext_noop("Id"), description=gettext_noop("Stable and unique in the scenario; edges and old buttons name it.")
    )
    kind: str = Field(title=gettext_noop("Kind"))
    title: str = Field("", max_length=200, title=gettext_noop("Title"))
    params: dict[str, Any] = Field(default_factory=dict, title=gettext_noop("Parameters"))
    exits: dict[str, Identifier] = Field(default_factory=dict, title=gettext_noop("Exits"))
    note: str = Field("", title=gettext_noop("Note for colleagues"))


class Section(ParamsModel):
    id: Identifier = Field(title=gettext_noop("Id"))
    name: str = Field("", max_length=200, title=gettext_noop("Name"))
    params: tuple[Param, ...] = Field((), title=gettext_noop("Parameters"))
    outputs: tuple[Output, ...] = Field((), title=gettext_noop("Outputs"))
    macro: bool = Field(default=False, title=gettext_noop("Used as macro"))
    nodes: tuple[Node, ...] = Field((), title=gettext_noop("Blocks"))
    note: str = Field("", title=gettext_noop("Note for colleagues"))


class KeywordTrigger(ParamsModel):
    """A word or command of a customer's, such as `menu` or `/start`."""

    kind: Literal["keyword"]
    words: tuple[Word, ...] = Field(min_length=1, max_length=100, title=gettext_noop("Words"))
    match: Literal["exact", "prefix", "contains", "fuzzy"] = Field(
        "exact", title=gettext_noop("Match"), description=gettext_noop("“fuzzy” forgives a slip of the fingers: menu, meun, mennu.")
    )
    language: LanguageCode | None = Field(None, title=gettext_noop("Only in this language"))
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)

    @field_validator("words")
    @classmethod
    def _are_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError(gettext_noop("Write a word in each place, or remove the place"))
        return words


class DeepLinkTrigger(ParamsModel):
    """A link to the bot with a payload, such as `t.me/…?start=promo`."""

    kind: Literal["deep_link"]
    payload: str = Field("", max_length=64, title=gettext_noop("Payload"))
    match: Literal["exact", "prefix"] = Field("exact", title=gettext_noop("Match"))
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)


class AnyMessageTrigger(ParamsModel):
    """Any message that nothing else takes."""

    kind: Literal["any_message"]
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)


class NewChatTrigger(ParamsModel):
    """A person opens the chat: presses Start, opens the web chat, or writes for the first time, and nothing more exact takes it."""

    kind: Literal["new_chat"]
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)


class ScheduleTrigger(ParamsModel):
    """At set times, for everybody whom the condition lets through."""

    kind: Literal["schedule"]
    cron: str = Field(
        max_length=100,
        title=gettext_noop("When"),
        description=gettext_noop("Minute, hour, day of month, month, day of week by the bot's clock; 0 10 * * 1 is every Monday at 10:00."),
        json_schema_extra={"examples": ["0 10 * * 1-5"]},
    )
    when: Condition | None = Field(
        None, title=gettext_noop("For whom"), description=gettext_noop("Empty: everybody who can be written to.")
    )
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)

    @field_validator("cron")
    @classmethod
    def _can_be_read(cls, expression: str) -> str:
        cron.parse(expression)
        return expression


class DateTrigger(ParamsModel):
    """Around a date of the person's: 3 days before `contract_end` at 10:00 of their time; each year for birthdays."""

    kind: Literal["date"]
    attribute: VariableName = Field(title=gettext_noop("Attribute with the date"))
    days: int = Field(0, ge=-366, le=366, title=gettext_noop("Days"), description=gettext_noop("-3: three days before, 1: the day after."))
    at: str = Field(
        "10:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", title=gettext_noop("At"), description=gettext_noop("By the person's clock.")
    )
    yearly: bool = Field(default=False, title=gettext_noop("Each year"))
    when: Condition | None = Field(None, title=gettext_noop("For whom"))
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)


class EventTrigger(ParamsModel):
    """An event of the bus, such as one that another scenario emits."""

    kind: Literal["event"]
    name: str = Field(min_length=1, max_length=128, title=gettext_noop("Event"))
    entry: Alias | None = Field(None, title=gettext_noop("Entry"), json_schema_extra=ENTRY)


Trigger = Annotated[
    KeywordTrigger | DeepLinkTrigger | AnyMessageTrigger | NewChatTrigger | EventTrigger | ScheduleTrigger | DateTrigger,
    Field(discriminator="kind"),
]


class Definition(ParamsModel):
    schema_version: Literal[1] = Field(1, title=gettext_noop("Version of the form"))
    name: str = Field("", max_length=200, title=gettext_noop("Name"))
    default_language: LanguageCode = Field("en", title=gettext_noop("Default language"))
    languages: tuple[LanguageCode, ...] = Field((), title=gettext_noop("Languages"))
    policies: Policies = Field(Policies(), title=gettext_noop("Policies"))
    error_section: Identifier | None = Field(
        None, title=gettext_noop("Section that runs when a block fails"), json_schema_extra={"x-role": "section"}
    )
    sections: tuple[Section, ...] = Field(min_length=1, title=gettext_noop("Sections"))
    triggers: tuple[Trigger, ...] = Field((), title=gettext_noop("Triggers"))

    @property
    def all_languages(self) -> tuple[str, ...]:
        """The default language first, each once."""
        return tuple(dict.fromkeys((self.default_language, *self.languages)))


def logic_hash(definition: Mapping[str, Any]) -> str:
    """SHA-256 of what the scenario does: the migrated definition in canonical JSON, without notes for colleagues."""
    data = migrate(dict(definition))
    canonical = json.dumps(_without_notes(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _without_notes(data: dict[str, Any]) -> dict[str, Any]:
    sections = data.get("sections")
    if not isinstance(sections, list):
        return data
    kept = [{key: value for key, value in section.items() if key != "note"} for section in sections if isinstance(section, dict)]
    for section in kept:
        if isinstance(section.get("nodes"), list):
            section["nodes"] = [
                {key: value for key, value in node.items() if key != "note"} for node in section["nodes"] if isinstance(node, dict)
            ]
    return {**data, "sections": kept}
