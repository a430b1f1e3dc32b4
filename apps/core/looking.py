"""One look for all sweeps: a single statement says which of them have anything to do, and only those are started.

A sweep that finds nothing costs twenty times as much as its question (beat, Redis and a worker have a part in it), and quiet installations would
spend most of their CPU on that. Each question is a boolean expression of SQL which the database answers from an index, in a text module
`due.py` beside the work. Nothing here needs Django's applications, so that beat does without them.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections
from django.utils.module_loading import import_string

from apps.core import hot
from apps.core.heart import beat_heart

logger = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
HEART_SECONDS = 5.0


@dataclass(frozen=True)
class Question:
    """Whether `task` has anything to do; while it has, it is sent again each `pace` seconds."""

    task: str
    sql: str
    pace: float


def questions(given: Mapping[str, tuple[str, float]]) -> list[Question]:
    """Of the setting `LOOKS`: by task the dotted name of its question's text and its pace."""
    return [Question(task, import_string(name), pace) for task, (name, pace) in given.items()]


@dataclass
class Looker:
    """What beat asks again and again. Times are of the monotonic clock, which does not jump."""

    asked: list[Question] = field(default_factory=lambda: questions(settings.LOOKS))
    _sent: dict[str, float] = field(default_factory=dict)
    _looked: float = float("-inf")
    _beaten: float = float("-inf")
    _failing: bool = False  # told once, not each second

    def rest(self) -> float:
        """Seconds until the next look is due."""
        return max(0.0, self._looked + LOOK_SECONDS - time.monotonic())

    def look(self) -> list[Question]:
        """Those that have something to do and have not been sent for their pace; none while the database is away."""
        self._looked = now = time.monotonic()
        wanted = [one for one in self._due() if now - self._sent.get(one.task, float("-inf")) >= one.pace]
        self._sent.update({one.task: now for one in wanted})
        return wanted

    def _due(self) -> list[Question]:
        try:
            self._beat_heart()
            answers = hot.run(self._statement)[0][0]
        except (OperationalError, InterfaceError) as error:
            self._fail("the database is away: nothing is swept", error)
            close_old_connections()  # the next look connects anew
            return []
        except DatabaseError as error:
            # A table that a release changes at this moment must not keep all others waiting.
            self._fail("no answer to what is due: everything is swept", error)
            return self.asked
        self._failing = False
        return [one for one, yes in zip(self.asked, answers, strict=True) if yes]

    def _fail(self, what: str, error: Exception) -> None:
        if not self._failing:
            logger.warning(what, error=str(error).partition("\n")[0] or type(error).__name__)
        self._failing = True

    @cached_property
    def _statement(self) -> str:
        """All of them, whatever was sent just now: one text, which the database plans once."""
        return f"SELECT ARRAY[{', '.join(f'({one.sql})' for one in self.asked)}]::boolean[]"

    def _beat_heart(self) -> None:
        if time.monotonic() - self._beaten >= HEART_SECONDS:
            beat_heart("beat")
            self._beaten = time.monotonic()
