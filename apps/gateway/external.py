"""Another system as the messenger: what its users say comes in here, and so do its delivery reports (channels.md 12, product row IN-10)."""

import contextlib
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest

from apps.bots.adapter import Inbound
from apps.bots.models import Channel
from apps.conversations import awaiting, inbox
from apps.conversations.inbox import Posted
from apps.conversations.models import Message, Update
from apps.core.trace import current_trace_id
from apps.gateway import bodies, calling, endpoints, repeating
from apps.gateway.answers import Answer, Json, RefusedError
from apps.gateway.noting import Attempt
from apps.gateway.remembering import Remembered

logger = structlog.get_logger(__name__)

SCOPE = "send_message_external"
KIND = "api"
WAIT_SECONDS = 2.0
MAX_ID = 200
MAX_ATTACHMENTS = 10
MAX_URL = 2000
_TEXTS: Mapping[str, int] = {
    "task_id": MAX_ID, "chat_id": MAX_ID, "message": 10_000, "client_message_id": 150, "name": MAX_ID, "username": MAX_ID, "phone": 40,
    "email": 254, "language": 20, "action_id": 512, "start": 512,
}  # fmt: skip
_REPORTED = frozenset({"delivered", "read", "failed"})
_channels: Remembered[str, Channel] = Remembered()


def message(request: HttpRequest, attempt: Attempt) -> Answer:
    """Take a user's message; the answer names it and its thread as the webhooks will."""
    channel, payload = _admitted(request, attempt, required=("task_id", "chat_id"))
    if not any(payload.get(name) for name in ("message", "action_id", "start", "attachments")):
        raise _wrong("message", "is required")
    key = request.headers.get("Idempotency-Key")
    if key is not None:
        payload["idempotency_key"] = repeating.checked(key)[:150]
    inbound = _parsed(channel, payload)
    posted = inbox.accept(channel, [inbound])[0]
    if not posted.created:
        _check_same(posted, inbound)
    said = _said(channel, inbound, posted)
    ids = {"message_id": f"m_{said.pk}" if said else None, "thread_id": f"t_{said.conversation_id}" if said else None}
    return Answer(200, {"success": True, "message": "Message accepted", "trace_id": current_trace_id(), **ids})


def status(request: HttpRequest, attempt: Attempt, *, task_id: str) -> Answer:
    """Note that a message of ours was delivered, read or failed there."""
    channel, payload = _admitted(request, attempt, required=("message_id", "status"), task_id=task_id)
    if payload["status"] not in _REPORTED:
        raise _wrong("status", "must be delivered, read or failed")
    row = _sent(channel, str(payload["message_id"]))
    known = {
        "message_id": row.external_id,
        "chat_id": row.conversation.lead.chat_id,
        "status": payload["status"],
        "reason": payload.get("reason", ""),
    }
    inbox.accept(channel, [_parsed(channel, known)])
    return Answer(200, {"success": True, "message": "Status accepted", "trace_id": current_trace_id()})


def _admitted(request: HttpRequest, attempt: Attempt, *, required: tuple[str, ...], task_id: str = "") -> tuple[Channel, Json]:
    caller = calling.admitted(request, attempt)
    raw = bodies.read(request)
    bodies.check_is_json(request)
    payload = _checked(bodies.parse_object(raw), required)
    attempt.params = {name: value for name, value in payload.items() if name != "message"}
    channel = _channel(task_id or str(payload["task_id"]))
    if channel is None or not caller.may_use(channel.bot_id):
        raise RefusedError("not_found", "Task not found")
    attempt.endpoint = endpoints.internal(channel.bot, SCOPE)
    endpoints.check_scope(attempt.endpoint, caller, dry_run=False)
    return channel, payload


def _checked(payload: Json, required: tuple[str, ...]) -> Json:
    """The payload with every id as text; raises `RefusedError` for fields that are missing or of a wrong type."""
    errors = [{"field": name, "message": "is required"} for name in required if payload.get(name) in (None, "")]
    checked = {name: value for name, value in payload.items() if value is not None}
    for name in [name for name in (*_TEXTS, "message_id", "status", "reason") if name in checked]:
        value = str(checked[name]) if isinstance(checked[name], int) and not isinstance(checked[name], bool) else checked[name]
        if not isinstance(value, str) or len(value) > _TEXTS.get(name, MAX_ID):
            errors.append({"field": name, "message": f"must be a text of at most {_TEXTS.get(name, MAX_ID)} characters"})
        checked[name] = value
    if not _are_attachments(checked.get("attachments", [])):
        errors.append(
            {"field": "attachments", "message": "must be a list of objects with a web address as url, and optionally type and name"}
        )
    if errors:
        raise RefusedError("bad_request", errors=errors)
    return checked


def _are_attachments(value: Any) -> bool:
    if not isinstance(value, list) or len(value) > MAX_ATTACHMENTS:
        return False
    return all(isinstance(item, dict) and _is_web_address(item.get("url")) for item in value)


def _is_web_address(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_URL and value.lower().startswith(("https://", "http://"))


def _channel(task_id: str) -> Channel | None:
    """The active channel that a task id names: its public id, or the name that its owner gave it."""
    return _channels.get(task_id, lambda: _load(task_id)) if 0 < len(task_id) <= MAX_ID else None


def _load(task_id: str) -> Channel | None:
    named = Q(config__task_id=task_id)
    with contextlib.suppress(ValueError):
        named |= Q(public_id=uuid.UUID(task_id))
    return Channel.objects.select_related("bot").filter(named, kind=KIND, is_active=True).order_by("pk").first()


def _parsed(channel: Channel, payload: Json) -> Inbound:
    inbound = channel.adapter.parse(payload)[0]
    if inbound.kind == "unknown":
        raise RefusedError("bad_request", "The message could not be read. Compare it with the description at /api/docs/.")
    return inbound


def _check_same(posted: Posted, inbound: Inbound) -> None:
    """The same id with the same message is a repeat; with another message it is a mistake that must not go unnoticed."""
    if Update.objects.get(pk=posted.update_id).payload != inbox.dump(inbound):
        raise RefusedError("key_reused", "This client_message_id or Idempotency-Key was used with another message.")


def _said(channel: Channel, inbound: Inbound, posted: Posted) -> Message | None:
    """The message as stored, if the dialogue took it within a moment. It is accepted in any case, so a database that goes away now is no error."""
    try:
        return _find_said(channel, inbound, posted)
    except DatabaseError as error:
        logger.warning("an accepted message could not be looked up", error=type(error).__name__)
        return None


def _find_said(channel: Channel, inbound: Inbound, posted: Posted) -> Message | None:
    update = awaiting.outcome_of(posted.item, wait_seconds=WAIT_SECONDS)
    found = Message.objects.filter(channel=channel, direction=Message.Direction.IN, conversation__lead__chat_id=inbound.chat_id)
    return found.filter(trace_id=update.trace_id).order_by("-pk").first()


def _sent(channel: Channel, message_id: str) -> Message:
    found = Message.objects.filter(channel=channel, direction=Message.Direction.OUT).select_related("conversation__lead")
    row = found.filter(Q(external_id=message_id) | Q(external_ids__contains=[message_id])).order_by("-pk").first()
    if row is None:
        raise RefusedError("not_found", "Message not found")
    return row


def _wrong(field: str, message: str) -> RefusedError:
    return RefusedError("bad_request", errors=[{"field": field, "message": message}])
