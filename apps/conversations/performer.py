"""The contract of whatever performs an outside call: one class in one file of `performers/`, or of a package that a layer above adds.

A call names its kind in `request["via"]`; without it, it is an HTTP request.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.conf import settings

from apps.conversations.models import Call
from apps.core.registry import Registry

USUAL = "http"


class Performer(ABC):
    """A kind of outside call."""

    kind: ClassVar[str]
    label: ClassVar[Any]

    @abstractmethod
    async def perform(self, call: Call) -> dict[str, Any]:
        """One attempt, without a lock or a transaction; what `Call` gets as its reply: {"status", …} or {"error": timeout|refused|failed,
        "reason"}. An attempt may be repeated after a death, so what it does elsewhere carries `call.idempotency_key`.
        """


performers: Registry[Performer] = Registry("apps.conversations.performers", Performer, extra=lambda: settings.EXTRA_KINDS["performers"])


def performer_of(call: Call) -> Performer:
    """Raises KeyError for a kind that is not installed."""
    return performers[str(call.request.get("via") or USUAL)]
