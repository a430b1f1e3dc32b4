"""Carries the trace id with a Celery task: into its headers when it is sent, back into the context when it runs."""

from contextvars import Token
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun

from apps.core.trace import accepted_trace_id, begin, current_trace_id, end, new_trace_id

HEADER = "trace_id"
_tokens: dict[str, Token[str]] = {}


def install() -> None:
    """Connects the three signals; repeating it changes nothing."""
    before_task_publish.connect(_send, dispatch_uid="core.trace.send")
    task_prerun.connect(_begin, dispatch_uid="core.trace.begin")
    task_postrun.connect(_end, dispatch_uid="core.trace.end")


def _send(headers: dict[str, Any], **_kwargs: object) -> None:
    headers.setdefault(HEADER, current_trace_id())


def _begin(task_id: str, task: "Task[Any, Any]", **_kwargs: object) -> None:
    sent = task.request.get(HEADER) or ""
    _tokens[task_id] = begin(accepted_trace_id(str(sent), None) or new_trace_id())


def _end(task_id: str, **_kwargs: object) -> None:
    token = _tokens.pop(task_id, None)
    if token is not None:
        end(token)
