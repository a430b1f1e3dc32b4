"""What became of a row that was to be written, and the errors that say the same for one record."""

from dataclasses import dataclass, field
from typing import Any, Literal


class InvalidRecordError(Exception):
    """Nothing was written; `errors` says for each alias why, for people ("" = the whole record)."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{alias}: {why}" if alias else why for alias, why in errors.items()))
        self.errors = errors


class ConflictError(Exception):
    """The record has another version than expected; `record` is its present state."""

    def __init__(self, why: str, record: Any) -> None:
        super().__init__(why)
        self.record = record


class NotFoundError(Exception):
    """There is no such record."""


class InUseError(Exception):
    """Other records point at this one and do not let it go; the text says which."""


@dataclass
class Outcome:
    """`action`: created, updated, unchanged, deleted; or why not: invalid, conflict, not_found, in_use. `record` as it is now."""

    action: Literal["created", "updated", "unchanged", "deleted", "invalid", "conflict", "not_found", "in_use"]
    id: int | None = None
    record: Any = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.action in {"created", "updated", "unchanged", "deleted"}
