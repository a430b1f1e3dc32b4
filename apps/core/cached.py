"""A small table kept in memory, right within half a second after any process changes it."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings
from django.db import connection, models

from apps.core.together import aside

T = TypeVar("T")
CHECK_SECONDS = 0.5


class CachedTable(Generic[T]):
    """What `load` makes of the rows of `model`, re-made when the table has changed.

    Whether it has is asked of PostgreSQL itself: every write gives a row another place (`ctid`) and writer (`xmin`), so changes made in bulk,
    in raw SQL or in another process are seen and there is no version to forget to raise. One cheap query each `CACHE_CHECK_SECONDS`
    (0.5; 0 = at each call) and process. For tables of up to some thousand rows.
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

    def forget(self) -> None:
        """The next `get` asks the database again; for a writer that reads its own change."""
        self._checked_at = float("-inf")

    def _refresh(self) -> None:
        version = self._version()
        if self._known is None or self._known[0] != version:
            self._known = (version, self.load())
        self._checked_at = time.monotonic()

    def _version(self) -> str:
        table = connection.ops.quote_name(self.model()._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT md5(coalesce(string_agg(ctid::text || xmin::text, ',' ORDER BY ctid), '')) FROM {table}")  # noqa: S608  our own table's name
            return str(cursor.fetchone()[0])
