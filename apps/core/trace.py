"""The id that links everything that follows from one cause: request, event, task, message, call."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

MAX_LENGTH = 64
HEADER = "X-Trace-Id"
META_KEY = "dialogbus.trace_id"  # in request.META, for what is logged when the request has left its chain

_current: ContextVar[str] = ContextVar("trace_id", default="")
_OWN_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def new_trace_id() -> str:
    """32 hex digits: valid as a W3C trace id too."""
    return uuid.uuid4().hex


def current_trace_id() -> str:
    """The id of the present chain; outside any chain a new one each time, so that unrelated things are never linked."""
    return _current.get() or new_trace_id()


def known_trace_id() -> str:
    """The id of the present chain, or "" when none was begun."""
    return _current.get()


@contextmanager
def trace(trace_id: str = "") -> Iterator[str]:
    """Run a block as part of the chain `trace_id` (a new one when empty); the chain before is restored after it."""
    token = begin(trace_id or new_trace_id())
    try:
        yield _current.get()
    finally:
        end(token)


def begin(trace_id: str) -> Token[str]:
    """For code that has no block to wrap (task signals); give the token to `end`."""
    return _current.set(trace_id)


def end(token: Token[str]) -> None:
    _current.reset(token)


def accepted_trace_id(trace_id: str | None, traceparent: str | None) -> str:
    """The trace id that a caller sent in `X-Trace-Id` or W3C `traceparent`, or "" when neither is valid."""
    if trace_id and _OWN_FORM.fullmatch(trace_id):
        return trace_id
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match and not traceparent.startswith("ff") and match[1] != "0" * 32:  # type: ignore[union-attr]
        return match[1]
    return ""
