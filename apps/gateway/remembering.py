"""Rows that every call needs, kept in memory for a moment."""

import math
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
    holds in every process within that time. One thread reads; those who come meanwhile use what was known, for as long again at most.
    "Nothing found" is not remembered: guesses must not fill the memory.
    """

    def __init__(self) -> None:
        self._known: dict[K, tuple[float, V]] = {}
        self._read_by: set[K] = set()
        self._lock = threading.Lock()

    def get(self, key: K, load: Callable[[], V | None]) -> V | None:
        fresh = getattr(settings, "CACHE_CHECK_SECONDS", CHECK_SECONDS)
        known = self._known.get(key)
        age = time.monotonic() - known[0] if known else math.inf
        if known and (age < fresh or (age < 2 * fresh and key in self._read_by)):
            return known[1]
        with self._lock:
            self._read_by.add(key)
        try:
            return self._keep(key, aside(load))
        finally:
            with self._lock:
                self._read_by.discard(key)

    def _keep(self, key: K, value: V | None) -> V | None:
        with self._lock:
            if value is None:
                self._known.pop(key, None)
                return None
            if len(self._known) >= MAX_ENTRIES:
                self._known.clear()
            self._known[key] = (time.monotonic(), value)
        return value
