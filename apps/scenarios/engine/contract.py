"""What goes into the engine's one verb and what comes out: plain data, JSON-able, no Django, no database, no network.

    step(flow, state, entered, *, facts, clock, rng) -> Step(state, events, effects)

The shell (`apps/scenarios/runtime.py`) applies a `Step` in one transaction; dry run, preview and saved tests only read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """The read-only world that placeholders and conditions see beside the session's own variables.

    `person`: attributes, client fields and `user_*` names of the human; `settings`: instance settings, secret ones included
    (usable in an action's parameters, masked everywhere a text is said, stored or traced); `language`: the person's, or None.
    `channel`: kind and capabilities of the channel of this chat (for the linter-like checks at run time and content choices).
    `region`: country (ISO 3166, such as "UZ") in which phone numbers written without "+" are meant.
    """

    person: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    secret_settings: frozenset[str] = frozenset()
    bot: Mapping[str, Any] = field(default_factory=dict)
    lead: Mapping[str, Any] = field(default_factory=dict)
    channel: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    timezone: str = "UTC"
    region: str = ""


# --- inputs: why the engine is asked to move -----------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """A scenario begins: at `entry` (alias of an entry block), at `section`, or at the start block; `params` become variables.

    `user_input` is the text that triggered it, when a person's message did.
    """

    entry: str | None = None
    section: str | None = None
    params: Json = field(default_factory=dict)
    user_input: str = ""


@dataclass(frozen=True)
class Said:
    """A message of the person. `kind`: text, photo, file, voice, video, audio, sticker, location, contact.

    `location`: {latitude, longitude}; `contact`: {phone, name, own: bool} (`own` = the messenger proves that it is the sender's);
    `media`: [{kind, name, mime, size, url}].
    """

    text: str = ""
    kind: str = "text"
    media: tuple[Json, ...] = ()
    location: Json | None = None
    contact: Json | None = None


@dataclass(frozen=True)
class Pressed:
    """A button of ours was pressed: the node and visit that showed it, the button's stable id and label."""

    node: str
    visit: int
    button: str
    label: str = ""


@dataclass(frozen=True)
class Fired:
    """A timer set by `WaitUntil` came due. Harmless when the session no longer waits for exactly that visit and reason."""

    visit: int
    reason: str


@dataclass(frozen=True)
class Returned:
    """An action's result: the exit that it takes, the values to merge into the variables, the reason when it failed."""

    visit: int
    exit: str
    values: Json = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Resumed:
    """The session comes back after an interruption: the open question is asked again."""


@dataclass(frozen=True)
class Back:
    """The person goes back to the question before the open one, to change an answer. Nothing else is undone."""


@dataclass(frozen=True)
class Cancelled:
    """The person or an operator ended the question (global command); takes the `cancelled` exit where the block has one."""

    reason: str = ""


@dataclass(frozen=True)
class Placed:
    """The session goes on at `node` with the variables that it has, `params` added: it was moved to another version whose blocks differ, or a
    preview begins in the middle. Without a state it begins there.
    """

    node: str
    params: Json = field(default_factory=dict)


Entered = Start | Said | Pressed | Fired | Returned | Resumed | Back | Cancelled | Placed

# --- effects: what the shell must do, in order ----------------------------------------------------------------------


@dataclass(frozen=True)
class Say:
    """Send `content` (shape: `apps/bots/content.py`, as plain JSON) to the chat. `meta` travels with the message for old buttons."""

    content: Json
    node: str
    visit: int


@dataclass(frozen=True)
class Act:
    """Run an action; the session waits for `Returned(visit=...)`.

    `params` are resolved, secrets included, and must not be stored in clear or shown; `shown` is the same with secrets masked.
    `exits` are the names of the block's connected exits, so that an action can tell whether a failure is handled.
    """

    action: str
    params: Json
    shown: Json
    node: str
    visit: int
    exits: tuple[str, ...] = ()


@dataclass(frozen=True)
class WaitUntil:
    """Wake the session with `Fired(visit, reason)` at `due_at` (aware UTC). `reason`: timeout, reminder, delay, collect."""

    due_at: datetime
    visit: int
    reason: str


@dataclass(frozen=True)
class Emit:
    """An internal event of the scenario's own: other scenarios and webhooks may subscribe to `name`."""

    name: str
    data: Json


@dataclass(frozen=True)
class Respond:
    """What the endpoint's caller gets as `data` (only the first of a run counts)."""

    data: Any


Effect = Say | Act | WaitUntil | Emit | Respond

# --- events: what happened, for the trace ---------------------------------------------------------------------------

EventKind = Literal["entered", "left", "set", "said", "acted", "asked", "invalid", "emitted", "responded", "error", "ended", "ignored"]


@dataclass(frozen=True)
class Happened:
    """One line of the trace. `visit` numbers node visits of the session from 1; `details` hold no secret."""

    kind: EventKind
    node: str = ""
    section: str = ""
    visit: int = 0
    exit: str = ""
    details: Json = field(default_factory=dict)


# --- outcome --------------------------------------------------------------------------------------------------------

Status = Literal["waiting", "calling", "ended", "failed"]


@dataclass(frozen=True)
class Problem:
    """Something wrong in a definition or a run, with its place. `level`: error refuses publishing, warning does not."""

    level: Literal["error", "warning"]
    code: str
    message: str
    section: str = ""
    node: str = ""
    field: str = ""


@dataclass(frozen=True)
class Step:
    """The outcome of one step.

    `status`: `waiting` for the person or a timer, `calling` (an `Act` is out), `ended`, `failed`. `state` is the next state as JSON
    (None once ended or failed). `handled` is False when the input did not concern the session: a `Said` that the open question does not
    take, an old button, a stale timer; the shell then decides (keywords, old-button rule). `failure` names the place when failed.
    `outcome` is the name of the end that was reached.
    """

    state: Json | None
    events: tuple[Happened, ...]
    effects: tuple[Effect, ...]
    status: Status
    handled: bool = True
    failure: Problem | None = None
    outcome: str = ""
