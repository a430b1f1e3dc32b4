"""Telegram's updates in neutral words."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from telegram import CallbackQuery, Chat, ChatMemberUpdated, Contact, Message, Update, User

from apps.bots.adapter import Inbound, InboundKind
from apps.bots.content import Media

GONE = frozenset({"kicked", "left"})
_START = re.compile(r"/start(?:@\w+)?(?:\s+(\S.*))?", re.DOTALL)


def inbound(payload: dict[str, Any]) -> Inbound:
    """One update. What we do not understand is `unknown`, with its chat where it can be told, so that it is kept."""
    try:
        update = Update.de_json(payload, None)
        return _understood(update)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return Inbound(event_key=_event_key(payload), chat_id="", kind="unknown")


def _understood(update: Update) -> Inbound:
    key = f"u:{update.update_id:d}"
    if update.message:
        return _message(key, update.message)
    if update.edited_message:
        return _edited(key, update.edited_message)
    if update.callback_query:
        return _button(key, update.callback_query)
    if update.my_chat_member:
        return _membership(key, update.my_chat_member)
    chat = update.effective_chat
    return Inbound(
        event_key=key, chat_id=str(chat.id) if chat else "", kind="unknown", group=_is_group(chat), profile=profile(update.effective_user)
    )


def _event_key(payload: dict[str, Any]) -> str:
    """The id of an update that could not be read; without one, a digest, so that its repeat is recognised."""
    update_id = payload.get("update_id")
    if isinstance(update_id, int):
        return f"u:{update_id}"
    return "x:" + hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()


def _message(key: str, message: Message) -> Inbound:
    text = message.text or message.caption or ""
    start = _START.fullmatch(text)
    if message.migrate_to_chat_id:
        return _said(key, message, "migrated", payload=str(message.migrate_to_chat_id))
    if start:
        return _said(key, message, "start", text=text, payload=(start.group(1) or "").strip())
    found = _content(message)
    if not text and not found:
        return _said(key, message, "unknown")
    reply = message.reply_to_message
    return _said(key, message, "message", **{"text": text, **found}, reply_to=str(reply.message_id) if reply else "")


def _edited(key: str, message: Message) -> Inbound:
    text = message.text or message.caption or ""
    return _said(key, message, "edited", **{"text": text, **_content(message)})


def _said(key: str, message: Message, kind: InboundKind, **more: Any) -> Inbound:
    """What all kinds of messages share."""
    return Inbound(
        event_key=key, chat_id=str(message.chat.id), kind=kind, external_id=str(message.message_id), group=_is_group(message.chat),
        occurred_at=_when(message), profile=profile(message.from_user), album=message.media_group_id or "", **more,
    )  # fmt: skip


def _when(message: Message) -> datetime | None:
    return message.edit_date or message.date


def _content(message: Message) -> dict[str, Any]:
    """Files, contact or place of a message as fields of `Inbound`."""
    found: dict[str, Any] = {}
    media = _media(message)
    if media:
        found["media"] = (media,)
    if message.contact:
        found["contact"] = _contact(message.contact, message.from_user)
    if message.location:
        found["location"] = {"latitude": message.location.latitude, "longitude": message.location.longitude}
    if message.venue:
        found["text"] = ", ".join(filter(None, [message.venue.title, message.venue.address]))
    if message.web_app_data:
        found["text"] = message.web_app_data.data
    return found


def _media(message: Message) -> Media | None:
    """The file of a message. An animation is also shown as a document, so it is asked for first."""
    for name, kind in KINDS.items():
        file = getattr(message, name)
        if file:
            return _file(file[-1] if name == "photo" else file, kind, DEFAULT_TYPES.get(name, ""))
    return None


KINDS = {
    "photo": "image", "video": "video", "animation": "video", "video_note": "video", "audio": "audio", "voice": "voice", "sticker": "sticker",
    "document": "file",
}  # fmt: skip
DEFAULT_TYPES = {"photo": "image/jpeg", "video_note": "video/mp4", "animation": "video/mp4", "voice": "audio/ogg"}


def _file(file: Any, kind: str, default_type: str) -> Media:
    """A file by its reusable id; the bytes are fetched later, by a worker. The last photo size is the largest."""
    mime = getattr(file, "mime_type", None) or (_sticker_type(file) if kind == "sticker" else default_type)
    name = getattr(file, "file_name", None) or ""
    return Media.model_validate({"kind": kind, "external": file.file_id, "mime": mime, "name": name, "size": file.file_size})


def _sticker_type(sticker: Any) -> str:
    if sticker.is_animated:
        return "application/x-tgsticker"
    return "video/webm" if sticker.is_video else "image/webp"


def _contact(contact: Contact, sender: User | None) -> dict[str, Any]:
    """`own` only when Telegram says that the card is the sender's: people can forward anybody's (`security.md` 8)."""
    digits = re.sub(r"[^\d]", "", contact.phone_number)
    own = sender is not None and contact.user_id is not None and contact.user_id == sender.id
    name = " ".join(filter(None, [contact.first_name, contact.last_name]))
    return {"phone": f"+{digits}" if digits else "", "name": name, "own": own}


def _button(key: str, query: CallbackQuery) -> Inbound:
    """A press. Without a message (inline mode) the presser's own chat is meant."""
    message = query.message
    return Inbound(
        event_key=key, chat_id=str(message.chat.id if message else query.from_user.id), kind="button", button=query.data or "",
        callback_id=query.id, reply_to=str(message.message_id) if message else "", group=_is_group(message.chat if message else None),
        profile=profile(query.from_user),
    )  # fmt: skip


def _membership(key: str, change: ChatMemberUpdated) -> Inbound:
    """The bot was blocked or thrown out, or is welcome again."""
    kind: InboundKind = "blocked" if change.new_chat_member.status in GONE else "unblocked"
    group = _is_group(change.chat)
    return Inbound(
        event_key=key, chat_id=str(change.chat.id), kind=kind, occurred_at=change.date, group=group, profile=profile(change.from_user)
    )


def _is_group(chat: Chat | None) -> bool:
    return chat is not None and chat.type != Chat.PRIVATE


PROFILE: dict[str, Callable[[User], str | None]] = {
    "name": lambda user: user.full_name,
    "first_name": lambda user: user.first_name,
    "last_name": lambda user: user.last_name,
    "username": lambda user: user.username,
    "language": lambda user: user.language_code,
}


def profile(user: User | None) -> dict[str, str]:
    """What Telegram tells about a person, as far as told."""
    told = {key: read(user) for key, read in PROFILE.items()} if user else {}
    return {key: value for key, value in told.items() if value}
