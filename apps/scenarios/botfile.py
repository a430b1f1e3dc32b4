"""The file that a bot's configuration is exported to and imported from: its shape, read strictly and written so that people can read it.

{"format": "dialogbus.bot", "version": 1, "about": "what this is",
 "bot": {name, description, default_language, timezone, source_system, error_text, fallback_text},
 "client_fields": [{key, label, type, choices, is_private, in_card, position, help_text}],
 "constants": [{key, value, description}],
 "instance_settings": [{key, is_secret, description, value (never of a secret one)}],
 "scenarios": [{key, name, description, is_active, publish, definition, layout}],
 "commands": [{kind, words, text, speaks, language, scenario (a key), is_active}],
 "endpoints": [{alias, name, purpose, owner, direction, method, url, scenario (a key), entry, request_schema, request_example, response_schema,
                needs_recipient, own_key, is_active}]}
Secrets, tokens, channels and people are no part of it.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from apps.core import strictjson
from apps.identity.models import ClientField
from apps.scenarios.commands.models import Command

FORMAT: Final = "dialogbus.bot"
MAX_BYTES = 5 * 1024 * 1024
WIDTH = 140

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=60)]
ScenarioKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]
Alias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", max_length=200)]


class BotFileError(Exception):
    """The file cannot be used; `problems` say where and what to do, for people. Nothing was imported."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BotPart(Part):
    name: str = Field(min_length=1, max_length=100)
    description: str = ""
    default_language: str = Field("en", max_length=10)
    timezone: str = Field("UTC", max_length=60)
    source_system: str = Field("crm", min_length=1, max_length=50)
    error_text: str = "Something went wrong. We are already looking into it."
    fallback_text: str = ""


class ClientFieldPart(Part):
    key: Key
    label: str = Field(min_length=1, max_length=100)
    type: ClientField.Type = ClientField.Type.TEXT
    choices: list[Any] = Field(default_factory=list)
    is_private: bool = False
    in_card: bool = True
    position: int = Field(0, ge=0)
    help_text: str = Field("", max_length=200)


class ConstantPart(Part):
    key: Key
    value: Any = ""
    description: str = Field("", max_length=200)


class SettingPart(Part):
    """`value` is a starting value: one that the installation has already is never overwritten."""

    key: Key
    is_secret: bool = True
    description: str = Field("", max_length=200)
    value: str = ""

    @model_validator(mode="after")
    def _no_secret_value(self) -> Self:
        if self.is_secret and self.value:
            raise ValueError("the value of a secret setting may not be in a file; remove it and enter the value in the admin")
        return self


class ScenarioPart(Part):
    key: ScenarioKey
    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    is_active: bool = True
    publish: bool = True
    definition: dict[str, Any]
    layout: dict[str, Any] = Field(default_factory=dict)


class CommandPart(Part):
    """A global command; it is found again by its words and the language that they are for."""

    kind: Command.Kind
    words: str = Field(min_length=1, max_length=300)
    text: str = ""
    speaks: str = Field("", max_length=10)
    language: str = Field("", max_length=10)
    scenario: ScenarioKey | None = None
    is_active: bool = True

    @property
    def key(self) -> str:
        return f"{self.words} ({self.speaks})" if self.speaks else self.words


class EndpointPart(Part):
    alias: Alias
    name: str = Field("", max_length=200)
    purpose: str = ""
    owner: str = Field("", max_length=100)
    direction: Literal["inbound", "outbound", "both"] = "inbound"
    method: Literal["POST", "PUT", "GET", "PATCH", "DELETE"] = "POST"
    url: str = Field("", max_length=500)
    scenario: ScenarioKey | None = None
    entry: str = Field("", max_length=200)
    request_schema: dict[str, Any] = Field(default_factory=dict)
    request_example: Any = Field(default_factory=dict)
    response_schema: dict[str, Any] = Field(default_factory=dict)
    needs_recipient: bool = True
    own_key: bool = False
    is_active: bool = True


class BotFile(Part):
    format: Literal["dialogbus.bot"] = FORMAT
    version: Literal[1] = 1
    about: str = ""
    bot: BotPart
    client_fields: list[ClientFieldPart] = Field(default_factory=list)
    constants: list[ConstantPart] = Field(default_factory=list)
    instance_settings: list[SettingPart] = Field(default_factory=list)
    scenarios: list[ScenarioPart] = Field(default_factory=list)
    commands: list[CommandPart] = Field(default_factory=list)
    endpoints: list[EndpointPart] = Field(default_factory=list)

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        for name in ("client_fields", "constants", "instance_settings", "scenarios", "commands", "endpoints"):
            keys = [getattr(part, "alias", None) or part.key for part in getattr(self, name)]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"{name}: {', '.join(twice)} occurs twice")
        known = {part.key for part in self.scenarios}
        for name in ("commands", "endpoints"):
            lost = sorted({part.scenario for part in getattr(self, name) if part.scenario and part.scenario not in known})
            if lost:
                raise ValueError(f"{name}: the file has no scenario {', '.join(lost)}")
        return self


def read(path: Path) -> BotFile:
    """The file at `path`; raises `BotFileError`."""
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise BotFileError([_("The file %(path)s cannot be read: %(why)s.") % {"path": path, "why": error.strerror}]) from error


def load(body: bytes) -> BotFile:
    """The file's content; raises `BotFileError`."""
    try:
        data = strictjson.loads(body, max_bytes=MAX_BYTES)
    except strictjson.StrictJsonError as error:
        raise BotFileError([error.reason]) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BotFileError([_("This is not a bot's file: “format” must be “%(format)s”.") % {"format": FORMAT}])
    try:
        return BotFile.model_validate(data)
    except ValidationError as error:
        raise BotFileError([_place(item["loc"], item["msg"]) for item in error.errors(include_url=False, include_input=False)]) from error


def dump(file: BotFile) -> str:
    """The text of the file: what has its default is left out, short things stand on one line."""
    data = file.model_dump(mode="json", exclude_defaults=True)
    return written({"format": file.format, "version": file.version, **data}) + "\n"


def written(data: Any, *, indent: int = 0) -> str:
    """JSON for people: an object or list that fits into a line is one."""
    line = json.dumps(data, ensure_ascii=False)
    if not isinstance(data, dict | list) or not data or len(line) + indent <= WIDTH:
        return line
    inner, pad = indent + 1, " " * (indent + 1)
    if isinstance(data, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {written(value, indent=inner)}" for key, value in data.items()]
    else:
        items = [written(value, indent=inner) for value in data]
    first, last = ("{", "}") if isinstance(data, dict) else ("[", "]")
    return f"{first}\n{pad}" + f",\n{pad}".join(items) + f"\n{' ' * indent}{last}"


def _place(path: tuple[int | str, ...], message: str) -> str:
    place = ".".join(str(part) for part in path)
    return f"{place}: {message.removeprefix('Value error, ')}" if place else message.removeprefix("Value error, ")
