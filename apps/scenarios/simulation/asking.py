"""What a simulation is asked for, as JSON: read strictly, and the source of its OpenAPI description."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from apps.scenarios.engine import contract
from apps.scenarios.engine.contract import Entered, Json
from apps.scenarios.engine.explaining import explain
from apps.scenarios.engine.limits import LONGEST_WAIT_DAYS

LONGEST = timedelta(days=LONGEST_WAIT_DAYS).total_seconds()


class AskError(Exception):
    """The request does not fit; `errors` are pairs of path and advice."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {why}" if path else why for path, why in errors))
        self.errors = errors


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- inputs ----------------------------------------------------------------------------------------------------------


class Begin(Part):
    """The scenario begins: at an entry's alias, at a section, at any node, or at its start block."""

    kind: Literal["start"]
    entry: str = ""
    section: str = ""
    node: str = ""
    params: dict[str, Any] = Field(default_factory=dict)
    user_input: str = ""

    def entered(self, _wait: Json) -> Entered:
        if self.node:
            return contract.Placed(node=self.node, params={**self.params, "user_input": self.user_input})
        return contract.Start(entry=self.entry or None, section=self.section or None, params=self.params, user_input=self.user_input)


class Say(Part):
    """A message of the person."""

    kind: Literal["said"]
    text: str = ""
    type: Literal["text", "photo", "file", "voice", "video", "audio", "sticker", "location", "contact"] = "text"
    media: list[dict[str, Any]] = Field(default_factory=list)
    location: dict[str, Any] | None = None
    contact: dict[str, Any] | None = None

    def entered(self, _wait: Json) -> Entered:
        return contract.Said(text=self.text, kind=self.type, media=tuple(self.media), location=self.location, contact=self.contact)


class Press(Part):
    """A press on a button; of the open question unless node and visit name another showing."""

    kind: Literal["pressed"]
    button: str
    label: str = ""
    node: str = ""
    visit: int = 0

    def entered(self, wait: Json) -> Entered:
        node, visit = self.node or str(wait.get("node", "")), self.visit or int(wait.get("visit", 0))
        return contract.Pressed(node=node, visit=visit, button=self.button, label=self.label)


class Answer(Part):
    """An action's result, where `calls` is "hold"."""

    kind: Literal["returned"]
    exit: str
    values: dict[str, Any] = Field(default_factory=dict)
    error: str = ""

    def entered(self, wait: Json) -> Entered:
        return contract.Returned(visit=int(wait.get("visit", 0)), exit=self.exit, values=self.values, error=self.error)


class Fire(Part):
    """A timer of the open wait fires now, whatever the clock says."""

    kind: Literal["fired"]
    reason: str

    def entered(self, wait: Json) -> Entered:
        return contract.Fired(visit=int(wait.get("visit", 0)), reason=self.reason)


class Resume(Part):
    """The session comes back after an interruption."""

    kind: Literal["resumed"]

    def entered(self, _wait: Json) -> Entered:
        return contract.Resumed()


class Return(Part):
    """The person goes back to the question before, as by the global command."""

    kind: Literal["back"]

    def entered(self, _wait: Json) -> Entered:
        return contract.Back()


class Cancel(Part):
    """The person or a colleague ends the question."""

    kind: Literal["cancelled"]
    reason: str = ""

    def entered(self, _wait: Json) -> Entered:
        return contract.Cancelled(reason=self.reason)


class Later(Part):
    """Time passes: every timer that comes due fires in order. Without `seconds` until the next timer."""

    kind: Literal["later"]
    seconds: float | None = Field(None, ge=0, le=LONGEST)


Input = Annotated[Begin | Say | Press | Answer | Fire | Resume | Return | Cancel | Later, Field(discriminator="kind")]


# --- the world about it ----------------------------------------------------------------------------------------------


class Mock(Part):
    """What an action answers. It stands for every action of that name, at that node, or both; several that fit are used one after the
    other, the last one again and again. `reply` is an answer over HTTP that the action itself understands: {"status", "headers", "body"}.
    """

    action: str = ""
    node: str = ""
    exit: str = ""
    values: dict[str, Any] = Field(default_factory=dict)
    error: str = ""
    reply: dict[str, Any] | None = None

    def fits(self, act: contract.Act) -> bool:
        return (not self.action or self.action == act.action) and (not self.node or self.node == act.node)


class Someone(Part):
    """For whom: a copy of a person (`id`, or the code of a chat as `lead`), changed by what else is given; or somebody invented."""

    id: int | None = None
    lead: str = ""
    name: str | None = None
    language: str | None = None
    timezone: str | None = None
    segment: str | None = None
    phone: str | None = None
    email: str | None = None
    user_id: int | str | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class Timer(Part):
    visit: int
    reason: str
    due_at: AwareDatetime


class State(Part):
    """What a simulation answered as `state`; posted back, the chat goes on."""

    session: dict[str, Any] | None = None
    now: AwareDatetime | None = None
    timers: list[Timer] = Field(default_factory=list)
    mocked: dict[str, int] = Field(default_factory=dict)
    turn: int = 0


class World(Part):
    """What one turn of a chat is played in, whatever is said in it."""

    person: Someone = Someone()
    channel: str = Field("", description="Kind of the channel in which the chat is, such as telegram.")
    show_in: list[str] = Field(
        default_factory=list, description="Kinds of channels for which messages are also told as they would look there."
    )
    now: AwareDatetime | None = Field(None, description="The frozen clock; without it the state's, else the present moment.")
    seed: int = Field(0, description="Of chance, so that a chat can be repeated.")
    mocks: list[Mock] = Field(default_factory=list)
    calls: Literal["assume", "hold"] = Field(
        "assume", description="Actions without a mock: take the first good exit at once, or wait for an input `returned`."
    )


class Ask(World):
    """One turn. `scenario` names a stored draft, with `version` (its number) a published one; or a `definition` of the `bot` itself."""

    scenario: int | None = None
    version: int | None = None
    bot: int | None = None
    definition: dict[str, Any] | None = None
    state: State | None = None
    input: Input


def read_ask(body: Any) -> Ask:
    """The request; raises `AskError`."""
    try:
        ask = Ask.model_validate(body)
    except ValidationError as error:
        raise AskError(list(explain(error))) from error
    if (ask.scenario is None) == (ask.definition is None):
        raise AskError([("scenario", "Give a scenario, or a definition with its bot (one of the two).")])
    if ask.definition is not None and ask.bot is None:
        raise AskError([("bot", "Say for which bot the definition is meant.")])
    return ask
