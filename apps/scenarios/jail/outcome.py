"""What is asked of the jail and what comes back, as data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from apps.scenarios.jail.errors import ScriptError
from apps.scenarios.jail.limits import Limits

Json = dict[str, Any]


class HostError(Exception):
    """What a script asked of the host cannot be done; the text is for its author and holds no secret."""


class Host(Protocol):
    """What stands behind the script's functions. The parent checks everything: a script may ask for anything."""

    async def call_api(self, request: Json, *, number: int) -> Json:
        """The answer {ok, status, headers, body}. `number` counts the calls of this run from 1. Raises `HostError`."""

    async def table(self, request: Json, *, number: int) -> Any:
        """`request`: {table, verb: get|find|insert|update, args}. Raises `HostError`."""


@dataclass(frozen=True)
class Script:
    """`ctx` is what the script sees under that name, `memory` the values that `memory.get` knows; plain JSON both. `secrets` are texts that
    never come out of the script again but in its calls.
    """

    code: str
    ctx: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Asked:
    """One thing that a script asked of the host, for people: `what` is callApi or table, `shown` its request, `answer` a status or count."""

    what: str
    shown: Json
    answer: Any = None
    error: str = ""
    ms: int = 0


@dataclass(frozen=True)
class Outcome:
    """`value` as JSON, `exit` by name ("" when the script named none), `writes` to be stored by whoever asked: {"kind": "memory", "data": {key,
    value}}, {"kind": "emit", "data": {name, data}}, {"kind": "table", …}. With an error there are no writes.
    """

    value: Any = None
    exit: str = ""
    logs: tuple[str, ...] = ()
    writes: tuple[Json, ...] = ()
    asked: tuple[Asked, ...] = ()
    error: ScriptError | None = None
    ms: int = 0
    cpu_ms: float = 0
    memory_kb: int = 0

    def dump(self) -> Json:
        return asdict(self)

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "Outcome":
        error = stored.get("error")
        return cls(
            **{
                **stored,
                "logs": tuple(stored.get("logs", ())),
                "writes": tuple(stored.get("writes", ())),
                "asked": tuple(Asked(**row) for row in stored.get("asked", ())),
                "error": ScriptError.load(error) if error else None,
            }
        )
