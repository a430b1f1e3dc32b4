"""The contract of a block: one class in one file of `apps/scenarios/blocks/`. No Django here, so that the pure engine may import it.

A block is pure: it reads names and the clock through `ctx`, says and sets through `ctx`, and answers by what happens next. Where an exit leads
is the engine's matter; exits that lead somewhere by themselves (into a section, back to the caller) say so in `Exit`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from apps.bots.adapter import Capabilities
from apps.scenarios.engine.contract import Entered, Json
from apps.scenarios.engine.definition import Section
from apps.scenarios.engine.params import ParamsModel

if TYPE_CHECKING:
    from apps.scenarios.engine.context import Context


@dataclass(frozen=True)
class Target:
    """Where an exit leads by itself: a section's beginning or an entry alias; `call` comes back when the section ends."""

    section: str = ""
    entry: str = ""
    call: bool = False


@dataclass(frozen=True)
class Exit:
    """A named way out of a block.

    `failure`: when it is not connected, the scenario's error section runs. `required`: the check refuses publishing while it is not connected,
    but for exits with `unless`, when all of those are.
    `waits`: taken only after the person, an operator or a timer did something, so that a cycle through it is no endless loop.
    `to` and `returns`: the exit leads there by itself and is not drawn (`returns` is the output's name, "" for none).
    """

    name: str
    label: Any = ""
    failure: bool = False
    required: bool = False
    unless: tuple[str, ...] = ()
    waits: bool = False
    to: Target | None = None
    returns: str | None = None


class ActionKind(Protocol):
    """What the engine needs to know of an action (`apps/scenarios/action.py`)."""

    @property
    def Params(self) -> type[BaseModel]: ...  # noqa: N802
    @property
    def exits(self) -> tuple[Exit, ...]: ...

    def sets(self, params: Json) -> list[str]: ...


@dataclass(frozen=True)
class Scope:
    """The rest of the scenario, as far as a block's exits and its check depend on it.

    `sections` by id, `aliases` → section id, `actions` by kind (those of this bot); `capabilities` of the connected channels;
    `files`: keys of the business's files (None: not known).
    """

    sections: Mapping[str, Section] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, ActionKind] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    capabilities: tuple[Capabilities, ...] = ()
    files: frozenset[str] | None = None

    def section_of(self, target: Target) -> Section | None:
        """The section that a target leads to, or None when there is no such section or alias."""
        return self.sections.get(self.aliases.get(target.entry, "") if target.entry else target.section)


NOWHERE = Scope()


@dataclass(frozen=True)
class Finding:
    """What a block's own check found; `field` is the path of the parameter. The message says what to do."""

    field: str
    code: str
    message: str
    level: Literal["error", "warning"] = "error"


# --- what happens next ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Take:
    """Leave through an exit. `error` makes it a failure whatever the exit is; `values` go into the section or back to the caller."""

    exit: str = "next"
    error: str = ""
    values: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """Stay. `calling` waits for an action's result, everything else for the person or a timer.

    `data` is the block's own memory of this visit (JSON). `interruptible`: keywords may leave the question. `collects`: quick messages
    may be joined into one answer.
    """

    data: Json = field(default_factory=dict)
    calling: bool = False
    interruptible: bool = True
    collects: bool = False


@dataclass(frozen=True)
class End:
    """The scenario ends here, callers included."""

    outcome: str = ""


@dataclass(frozen=True)
class Ignored:
    """The input does not concern this block; nothing changes."""


Outcome = Take | Wait | End | Ignored
P = TypeVar("P", bound=ParamsModel)


class Block(ABC, Generic[P]):
    """A kind of block. Instances hold no state.

    `begins`: "section" marks where a section starts, "entry" an alias (`params.alias`) that calls and exits lead to.
    `Params`: the parameters; the builder's form and the help are made from its fields (title, description, role of their types).
    `reveals`: parameters in which secret settings are in clear, because they go to an action. `group` orders the builder's palette: talk, logic, data, flow.
    """

    kind: ClassVar[str]
    label: ClassVar[Any]
    help: ClassVar[Any] = ""
    icon: ClassVar[str] = "square"
    group: ClassVar[str] = "flow"
    begins: ClassVar[Literal["", "section", "entry"]] = ""
    reveals: ClassVar[frozenset[str]] = frozenset()
    Params: type[P]

    def exits(self, params: P, scope: Scope = NOWHERE) -> list[Exit]:  # noqa: ARG002
        """The named ways out, in the order in which they are drawn."""
        return [Exit("next")]

    @abstractmethod
    def enter(self, ctx: "Context", params: P) -> Outcome:
        """The session arrives."""

    def resume(self, ctx: "Context", params: P, entered: Entered) -> Outcome:  # noqa: ARG002
        """Something happened while the session waited here (`ctx.data` is what `Wait` kept)."""
        return Ignored()

    def sets(self, params: P, scope: Scope = NOWHERE) -> list[str]:  # noqa: ARG002
        """Names of the variables that the block may set; "*" when only the run can tell."""
        return []

    def check(self, params: P, scope: Scope) -> Iterator[Finding]:  # noqa: ARG002
        """What is wrong with these parameters beyond their types, for the check before publishing."""
        yield from ()
