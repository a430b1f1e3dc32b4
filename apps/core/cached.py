"""A small table kept in memory, right within half a second after any process changes it."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import connection, models

from apps.core.together import aside

T = TypeVar("T")
CHECK_SECONDS = 0.5


class CachedTable(Generic[T]):
    """What `load` makes of the rows of `model`, re-made when the table has changed.

    Whether it has is asked of PostgreSQL itself: every write gives a row another place (`ctid`) and writer (`xmin`), so changes made in bulk,
    in raw SQL or in another process are seen and there is no version to forget to raise. One cheap query each `CACHE_CHECK_SECONDS`
    (0.5; 0 = at each call) and process, for all such tables that are in use. For tables of up to some thousand rows.
    """

    def __init__(self, model: Callable[[], type[models.Model]], load: Callable[[], T]) -> None:
        self.model = model
        self.load = load
        self._lock = threading.Lock()
        self._known: tuple[str, T] | None = None
        self._checked_at = float("-inf")

    def get(self) -> T:
        with self._lock:
            age = time.monotonic() - self._checked_at
            if self._known is None or age >= getattr(settings, "CACHE_CHECK_SECONDS", CHECK_SECONDS):
                aside(self._refresh)
            assert self._known is not None  # noqa: S101  set by _refresh
            return self._known[1]

    def renew(self) -> bool:
        """Ask the database now, however young what is known is; whether the table had changed. For whoever found nothing and would give up."""
        with self._lock:
            before = self._known
            aside(self._refresh)
            return self._known is not before

    def forget(self) -> None:
        """The next `get` asks the database again; for a writer that reads its own change."""
        self._checked_at = float("-inf")

    def _refresh(self) -> None:
        others = [(other, other._checked_at) for other in _in_use if other is not self]  # noqa: SLF001  of this class
        now = time.monotonic()
        own, *theirs = _versions([self, *(other for other, _checked_at in others)])
        if self._known is None or self._known[0] != own:
            self._known = (own, self.load())
        self._checked_at = now
        for (other, checked_at), version in zip(others, theirs, strict=True):
            other._unchanged(version, checked_at, now)  # noqa: SLF001  of this class
        if self not in _in_use:
            _in_use.append(self)

    def _unchanged(self, version: str, checked_at: float, now: float) -> None:
        """Another table's question has answered ours too. Who has been told to forget meanwhile asks again."""
        if self._known is not None and self._known[0] == version and self._checked_at == checked_at:
            self._checked_at = now


_in_use: list[CachedTable[Any]] = []


def _versions(tables: Sequence[CachedTable[Any]]) -> tuple[str, ...]:
    names = [connection.ops.quote_name(table.model()._meta.db_table) for table in tables]
    asked = ", ".join(f"(SELECT md5(coalesce(string_agg(ctid::text || xmin::text, ',' ORDER BY ctid), '')) FROM {name})" for name in names)  # noqa: S608  our own tables' names
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {asked}")
        return tuple(cursor.fetchone())
