"""What a visitor says becomes items of the inbox, repeats recognised by the client's own message ids."""

import re
from typing import Any

from django.utils.translation import gettext as _

from apps.bots import tokens
from apps.conversations import inbox
from apps.conversations.models import Message
from apps.core.trace import current_trace_id, trace
from apps.panel import connecting, showing, uploading
from apps.panel.answering import Json, RefusedError, text
from apps.panel.models import WidgetVisitor

TEXT_CHARS = 10_000
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{5,24}")


def say(visitor: WidgetVisitor, data: Json) -> inbox.Posted:
    """Accept one message `{"client_message_id", "type", …}`; committed when this returns. A button's press belongs to the chain in which the
    button was sent.
    """
    client_id = text(data, "client_message_id", limit=64, needed=True)
    if not _CLIENT_ID.fullmatch(client_id):
        raise RefusedError(400, "bad_request", _("“client_message_id” may hold Latin letters, digits, “_”, “.”, “:” and “-”."))
    kind = text(data, "type", limit=20) or "text"
    part = _PARTS.get(kind)
    if part is None:
        known = ", ".join(sorted(_PARTS))
        raise RefusedError(400, "bad_request", _("“type” must be one of: %(types)s.") % {"types": known})
    said = part(visitor, data, client_id)
    payload = {"client_message_id": client_id, "type": kind, **said}
    with trace(_trace_of_button(visitor, said.get("action_id", "")) or current_trace_id()):
        return _accept(visitor, payload)


def start(visitor: WidgetVisitor, payload: str) -> None:
    """The chat was opened by a link that carries something; opened again with the same it changes nothing."""
    _accept(visitor, {"client_message_id": f"start:{payload}", "type": "start", "start": payload})


def receipts(visitor: WidgetVisitor, *, up_to: int, state: str) -> int:
    """The visitor has got or read our messages up to this one; returns for how many that is news. `read` covers all before it."""
    lead = showing.lead_of(visitor)
    if lead is None:
        return 0
    lower = {"delivered": ["queued", "sent"], "read": ["queued", "sent", "delivered"]}[state]
    rows = Message.objects.filter(conversation__lead_id=lead.pk, direction="out", is_note=False, pk__lte=up_to, state__in=lower)
    ids = list(rows.exclude(external_id=None).order_by("-id").values_list("external_id", flat=True)[: 1 if state == "read" else 50])
    for external_id in reversed(ids):
        _accept(visitor, {"type": "receipt", "message_id": external_id, "status": state})
    return len(ids)


def _text(_visitor: WidgetVisitor, data: Json, _client_id: str) -> Json:
    said = text(data, "text", limit=TEXT_CHARS, needed=True).strip()
    if not said:
        raise RefusedError(400, "bad_request", _("Write something first."))
    return {"text": said}


def _action(_visitor: WidgetVisitor, data: Json, _client_id: str) -> Json:
    return {"action_id": text(data, "action_id", limit=40, needed=True)}


def _file(visitor: WidgetVisitor, data: Json, client_id: str) -> Json:
    media = uploading.use(visitor, text(data, "upload_id", limit=40, needed=True), client_message_id=client_id)
    if media is None:
        raise RefusedError(404, "upload_not_found", _("This file is no longer here. Attach it again."))
    return {"media": [media.model_dump(exclude_defaults=True)], "text": text(data, "text", limit=2000)}


def _contact(_visitor: WidgetVisitor, data: Json, _client_id: str) -> Json:
    phone = text(data, "phone", limit=30, needed=True).strip()
    if not _PHONE.fullmatch(phone):
        raise RefusedError(400, "bad_request", _("Enter a phone number in international form, for example +380501112233."))
    return {"phone": phone, "name": text(data, "name", limit=200)}


def _location(_visitor: WidgetVisitor, data: Json, _client_id: str) -> Json:
    place = {key: data.get(key) for key in ("latitude", "longitude")}
    limits = {"latitude": 90, "longitude": 180}
    if not all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= limits[key] for key, value in place.items()
    ):
        raise RefusedError(400, "bad_request", _("“latitude” and “longitude” must be degrees."))
    return place


_PARTS = {"text": _text, "action": _action, "file": _file, "contact": _contact, "location": _location}


def _accept(visitor: WidgetVisitor, payload: dict[str, Any]) -> inbox.Posted:
    """The payload as the channel's adapter reads it: chat and profile are ours to add, never the visitor's."""
    channel = visitor.channel
    inbounds = channel.adapter.parse({**payload, "chat_id": visitor.chat_id, "profile": connecting.profile(visitor)})
    return inbox.accept(channel, inbounds)[0]


def _trace_of_button(visitor: WidgetVisitor, action_id: str) -> str:
    found = tokens.decode(action_id)
    if found is None:
        return ""
    rows = Message.objects.filter(
        pk=found[0], conversation__lead__channel_id=visitor.channel_id, conversation__lead__chat_id=visitor.chat_id
    )
    return rows.values_list("trace_id", flat=True).first() or ""
