"""Webhooks of messengers: verify over the raw bytes, parse, store once, answer at once (channels.md 2). The dialogue goes on in a worker."""

import hashlib
import uuid
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema

from apps.bots.adapter import Inbound, Request, VerificationError
from apps.bots.models import Channel
from apps.conversations import inbox
from apps.core import ratelimit, strictjson
from apps.core.masking import mask_text
from apps.core.trace import current_trace_id
from apps.events import recording
from apps.gateway import apispec, bodies
from apps.gateway.answers import Answer, RefusedError
from apps.gateway.machine import MachineView
from apps.gateway.remembering import Remembered

logger = structlog.get_logger(__name__)

SHOWN_BYTES = 2_000
NOTED_PER_MINUTE = 10
_channels: Remembered[str, Channel] = Remembered()


class WebhookView(MachineView):
    """Where a messenger posts to. `public_id` is the unguessable part of the address; the vendor's signature decides."""

    @extend_schema(**apispec.WEBHOOK)
    def post(self, request: HttpRequest, kind: str, public_id: str) -> HttpResponse:
        channel = find_channel(public_id, kind=kind)
        raw = bodies.read(request)
        verify(channel, request, raw)
        inbounds = parsed(channel, raw)
        inbox.accept(channel, inbounds)
        return Answer(200, {"success": True, "trace_id": current_trace_id()}).response()


def find_channel(public_id: str, *, kind: str) -> Channel:
    """The active channel of this address; an inactive one answers like one that does not exist."""
    try:
        channel_id = str(uuid.UUID(public_id))
    except ValueError as error:
        raise RefusedError("not_found") from error
    channel = _channels.get(channel_id, lambda: Channel.objects.select_related("bot").filter(public_id=channel_id).first())
    if channel is None or channel.kind != kind or not channel.is_active:
        raise RefusedError("not_found")
    return channel


def verify(channel: Channel, request: HttpRequest, raw: bytes) -> None:
    """Raises `RefusedError`, and leaves nothing but a line of the log, unless the messenger itself sent this."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = Request(method=str(request.method), headers=headers, body=raw, query=request.GET.dict())
    try:
        channel.adapter.verify(channel.credentials, asked)
    except VerificationError as error:
        logger.warning("a webhook was refused", channel=channel.pk, reason=str(error))
        if ratelimit.allow(f"webhook-refused:{channel.pk}", limit=NOTED_PER_MINUTE, per_seconds=60).allowed:
            recording.record("webhook.refused", status="fail", bot_id=channel.bot_id, channel_id=channel.pk, details={"reason": str(error)})
        raise RefusedError("invalid_signature") from error


def parsed(channel: Channel, raw: bytes) -> list[Inbound]:
    """What the messenger tells. What cannot be read is kept in the log and answered as taken: a vendor would send it again and again, and in
    the end switch the webhook off.
    """
    try:
        inbounds = channel.adapter.parse(_object(raw))
    except strictjson.StrictJsonError as error:
        _keep_unreadable(channel, raw, reason=error.reason)
        return []
    except Exception as error:
        logger.exception("a webhook could not be read", channel=channel.pk)
        _keep_unreadable(channel, raw, reason=f"{type(error).__name__} in the adapter")
        return []
    return inbox.of_chats(channel, inbounds)


def _object(raw: bytes) -> dict[str, Any]:
    payload = strictjson.loads(raw)
    if not isinstance(payload, dict):
        raise strictjson.StrictJsonError("The body is not a JSON object.")
    return payload


def _keep_unreadable(channel: Channel, raw: bytes, *, reason: str) -> None:
    shown = mask_text(raw[:SHOWN_BYTES].decode("utf-8", errors="replace").replace("\x00", "�"))
    details: dict[str, Any] = {"reason": reason, "digest": hashlib.sha256(raw).hexdigest(), "size": len(raw), "body": shown}
    recording.record("webhook.unreadable", status="fail", bot_id=channel.bot_id, channel_id=channel.pk, details=details)
