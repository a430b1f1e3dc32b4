"""The webhook by which an external messenger learns what we say (`channels.md` 12)."""

import hashlib
import json
import time
from typing import Any

from django.utils.translation import gettext

from apps.bots.adapter import ConfigError, Credentials, RateLimitedError, RetryError
from apps.bots.content import Content
from apps.bots.signing import signed_headers
from apps.core.http import fetch
from apps.core.outgoing import OutgoingError, OutgoingRequest, RefusedError, Reply

SECONDS = 5.0
WAIT_SECONDS = 10.0
GONE, TOO_MANY = 410, 429
FACTS = ("message_id", "thread_id", "manager_id", "contacts", "title", "operator", "close", "success", "interest", "is_bot", "panel_url", "share_url",
         "trace_id", "created_at")  # fmt: skip


async def hand_over(credentials: Credentials, chat_id: str, content: Content) -> str:
    """One signed POST; returns the message's id as the receiver knows it. Raises `SendError`.

    The event id is a digest of what is told, so that a repeat carries the same one; `context["part"]` keeps equal parts of one message apart.
    """
    secret = credentials.secrets.get("signing_secret", "")
    if not secret:
        raise ConfigError(gettext("The channel has no signing secret. Set one and save the channel."))
    told = webhook(credentials, chat_id, content)
    event_id = "e_" + hashlib.sha256(_body(told | {"part": content.context.get("part", 0)})).hexdigest()[:24]
    body = _body(told | {"event_id": event_id})
    headers = signed_headers(secret, event_id=event_id, timestamp=int(time.time()), body=body)
    url = str(credentials.config.get("webhook_url", ""))
    _accepted(await _posted(OutgoingRequest("POST", url, headers=headers, body=body, timeout=SECONDS)))
    return str(told["message_id"] or event_id)


def webhook(credentials: Credentials, chat_id: str, content: Content) -> dict[str, Any]:
    """All documented parameters, null when unknown."""
    facts = {name: content.context.get(name) for name in FACTS}
    contacts = facts["contacts"]
    return facts | {
        "wh_type": "message" if _says_something(content) else "typing",
        "message_id": f"m_{facts['message_id']}" if isinstance(facts["message_id"], int) else facts["message_id"],
        "message_text": content.text, "message_format": content.format, "message_type": content.context.get("author", "bot"),
        "channel_id": f"ch_{credentials.channel_id}", "company_id": credentials.config.get("company_id") or None,
        "task_id": credentials.config.get("task_id") or None, "external_chat_id": chat_id,
        "get_contact": bool(contacts.get("phone") or contacts.get("email")) if contacts is not None else None,
        "buttons": [
            {"id": button.token or button.id, "kind": button.kind, "label": button.label, "url": button.url or None}
            for button in content.flat_buttons()
        ],
        "attachments": [{"type": item.kind, "url": item.url or None, "name": item.name, "caption": item.caption} for item in content.media],
        "location": content.location.model_dump() if content.location else None,
        "contact": content.contact.model_dump(include={"phone", "name"}) if content.contact else None,
    }  # fmt: skip


def _says_something(content: Content) -> bool:
    return bool(content.text or content.buttons or content.media or content.location or content.contact)


def _body(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, default=str).encode()


async def _posted(request: OutgoingRequest) -> Reply:
    try:
        return await fetch(request)
    except RefusedError as error:
        raise ConfigError(gettext("The webhook cannot be called: %(reason)s") % {"reason": error}) from None
    except OutgoingError as error:
        raise RetryError(str(error), doubtful=error.written) from None


def _accepted(reply: Reply) -> None:
    """Any 2xx is success; 410 means "do not call any more"."""
    if reply.ok:
        return
    if reply.status == GONE:
        raise ConfigError(gettext("The receiver has ended the integration (410). Check the webhook's address."))
    if reply.status == TOO_MANY:
        wait = reply.headers.get("Retry-After", "")
        raise RateLimitedError(gettext("The receiver asks to wait."), retry_after=float(wait) if wait.isdecimal() else WAIT_SECONDS)
    raise RetryError(gettext("The receiver answered %(status)s.") % {"status": reply.status})
