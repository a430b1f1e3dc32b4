"""What tests say of an answer."""

from typing import Any


def refused(answer: Any, status: int, code: str, message: str, **extra: Any) -> None:
    """The answer is exactly this refusal, in our one form, as JSON, with its trace in body and header."""
    trace_id = answer.headers["X-Trace-Id"]
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert (answer.status_code, body) == (status, {"success": False, "message": message, "trace_id": trace_id, "code": code, **extra})


def sent(answer: Any, **extra: Any) -> None:
    """The answer is exactly the good one."""
    trace_id = answer.headers["X-Trace-Id"]
    assert (answer.status_code, answer.json()) == (200, {"success": True, "message": "Communication sent", "trace_id": trace_id, **extra})
