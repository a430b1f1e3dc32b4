"""Which value a name has: the session's variables first, then the person, then the rest of the world."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.scenarios.engine.contract import Facts

MASK = "•••"
# No variable may stand in front of these: whoever can set variables (a caller's body, an action's answer) could
# otherwise turn `{{ instance_settings.crm_url }}` to an address of their own.
PROTECTED = frozenset({"constants", "instance_settings"})
# Stands for the one-time address at which an outside call that waits for a callback is answered: the shell, which knows the session, puts the
# real one into the request (conversations/callbacks.py). Anywhere else it leads nowhere.
CALLBACK_URL = "https://callback.invalid/once"
WORLD = frozenset({*PROTECTED, "person", "bot", "lead", "channel", "now", "today", "language", "callback_url"})


def zone(name: str) -> ZoneInfo:
    """The time zone of that name, or UTC: a wrong name in a person's profile must not stop a dialogue."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


class Names(Mapping[str, Any]):
    """The names that a template or condition of one step sees; read-only, plain JSON values.

    `masked` hides secret instance settings behind a mask: true everywhere but in an action's parameters.
    """

    __slots__ = ("_extra", "_now", "_settings", "_variables", "facts", "language", "masked")

    def __init__(
        self,
        variables: Mapping[str, Any],
        facts: Facts,
        *,
        now: datetime,
        language: str = "en",
        masked: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self._variables = variables
        self._extra = extra or {}
        self._now = now
        self._settings: dict[str, Any] | None = None
        self.facts = facts
        self.language = language
        self.masked = masked

    def with_extra(self, **extra: Any) -> "Names":
        """The same names with a few more in front, such as the `value` that a validation looks at."""
        return Names(self._variables, self.facts, now=self._now, language=self.language, masked=self.masked, extra={**self._extra, **extra})

    def revealed(self) -> "Names":
        """The same names with secrets in clear; only for the parameters of an action."""
        return Names(self._variables, self.facts, now=self._now, language=self.language, masked=False, extra=self._extra)

    @property
    def has_secrets(self) -> bool:
        return bool(self.facts.secret_settings)

    @property
    def local_now(self) -> datetime:
        """The present moment in the person's time zone."""
        return self._now.astimezone(zone(self.facts.timezone)) if self._now.tzinfo else self._now.replace(tzinfo=UTC)

    def __getitem__(self, name: str) -> Any:
        if name in PROTECTED:
            return self._constants() if name == "constants" else self._instance_settings()
        for values in (self._extra, self._variables, self.facts.person):
            if name in values:
                return values[name]
        return self._world(name)

    def __iter__(self) -> Iterator[str]:
        yield from {**self._extra, **self._variables, **self.facts.person, **dict.fromkeys(WORLD)}

    def __len__(self) -> int:
        return sum(1 for _name in self)

    def _constants(self) -> Mapping[str, Any]:
        """The installation's, and what the session has kept as `constants.x` (ids of records); never one in place of the installation's."""
        kept = {name.removeprefix("constants."): value for name, value in self._variables.items() if name.startswith("constants.")}
        return {**kept, **self.facts.constants} if kept else self.facts.constants

    def _instance_settings(self) -> Mapping[str, Any]:
        if not self.masked:
            return self.facts.settings
        if self._settings is None:
            secret = self.facts.secret_settings
            self._settings = {key: MASK if key in secret else value for key, value in self.facts.settings.items()}
        return self._settings

    def _world(self, name: str) -> Any:
        match name:
            case "person":
                return self.facts.person
            case "bot":
                return self.facts.bot
            case "lead":
                return self.facts.lead
            case "channel":
                return self.facts.channel
            case "language":
                return self.language
            case "callback_url":
                return CALLBACK_URL
            case "now":
                return self.local_now.isoformat(timespec="seconds")
            case "today":
                return self.local_now.date().isoformat()
        raise KeyError(name)
