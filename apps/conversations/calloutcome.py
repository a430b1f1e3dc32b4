"""What came of one attempt of an outside call."""

from dataclasses import dataclass, field
from typing import Any

from apps.conversations.models import Call


@dataclass
class CallOutcome:
    """`reply`: {"status", "headers", "body"} or {"error": timeout|refused|failed, "reason"}, with {"callback"} when one has come.
    `again_in` seconds: try again instead.
    """

    call: Call
    reply: dict[str, Any] = field(default_factory=dict)
    again_in: float | None = None
    latency_ms: int = 0
