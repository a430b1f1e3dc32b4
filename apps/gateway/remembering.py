"""Rows that every call needs, kept in memory for a moment."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.conf import settings

from apps.core.cached import CHECK_SECONDS
from apps.core.together import aside

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_ENTRIES = 10_000


class Remembered(Generic[K, V]):
    """Values by key, each read again after `CACHE_CHECK_SECONDS` (0.5; 0 = at each call), so that what an administrator changes or revokes
    holds in every process within that time. "Nothing found" is not remembered: guesses must not fill the memory.
    """

    def __init__(self) -> None:
        self._known: dict[K, tuple[float, V]] = {}
        self._lock = threading.Lock()

    def get(self, key: K, load: Callable[[], V | None]) -> V | None:
        known = self._known.get(key)
        if known and time.monotonic() - known[0] < getattr(settings, "CACHE_CHECK_SECONDS", CHECK_SECONDS):
            return known[1]
        value = aside(load)
        with self._lock:
            if value is None:
                self._known.pop(key, None)
                return None
            if len(self._known) >= MAX_ENTRIES:
                self._known.clear()
            self._known[key] = (time.monotonic(), value)
        return value
