"""Another system as the messenger ("page messenger", `channels.md` 12): it posts what its users say and gets a signed webhook for what we say."""

import uuid
from typing import Any, Literal, get_args

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field, ValidationError

from apps.bots.adapter import Account, Adapter, BadContentError, Capabilities, ConfigError, Credentials, Health, Inbound, RetryError, Sent
from apps.bots.content import Content, Media
from apps.bots.outgoing_webhook import hand_over
from apps.core.http import fetch, reach
from apps.core.outgoing import OutgoingError, OutgoingRequest, RefusedError, check_url

FILE_SECONDS = 30.0
FILE_BYTES = 20 * 1024 * 1024
PROFILE = ("name", "username", "phone", "email", "language")

Receipt = Literal["delivered", "read", "failed"]


class Api(Adapter):
    """`Content.context` gives what the webhook tells beyond the words (`outgoing_webhook.FACTS`, and `author`: bot or operator).

    A payload is the body of a call to us: a message {chat_id, message, …} or a delivery report {message_id, status}. `idempotency_key` is
    the header of that name.
    """

    kind = "api"
    label = _("External messenger (API)")
    icon = "api"
    lead_prefix = "API"
    wants_context = True
    knows_repeats = True
    capabilities = Capabilities(
        text_chars=10_000, html=True, caption_chars=2000, inline_buttons=20, reply_buttons=20, buttons_per_row=3, label_chars=60,
        callback_bytes=512, url_buttons=True, media=frozenset({"image", "video", "audio", "voice", "file", "sticker"}),
        media_bytes=20 * 1024 * 1024, album=10, location=True, contact=True, phone_request=True, location_request=True, typing_seconds=5,
        delivery_receipts=True, read_receipts=True,
    )  # fmt: skip

    class Config(BaseModel):
        webhook_url: str = Field(
            max_length=2000,
            title=gettext_noop("Webhook"),
            description=gettext_noop("Public address of your system that takes our messages."),
        )
        task_id: str = Field(
            default="", max_length=200, title=gettext_noop("Task id"), description=gettext_noop("The name of this channel in your calls.")
        )
        company_id: str = Field(
            default="", max_length=200, title=gettext_noop("Company id"), description=gettext_noop("Sent with every webhook, if set.")
        )

    class Secrets(BaseModel):
        signing_secret: str = Field(
            min_length=16, title=gettext_noop("Signing secret"),
            description=gettext_noop("We sign every webhook with it; your system checks the header X-Signature-256."),
        )  # fmt: skip

    def parse(self, payload: dict[str, Any]) -> list[Inbound]:
        try:
            return [_report(payload) if "status" in payload else _said(payload)]
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError, ValidationError):
            return [Inbound(event_key=f"x:{uuid.uuid4().hex}", chat_id=str(payload.get("chat_id") or ""), kind="unknown")]

    async def activate(self, credentials: Credentials, *, webhook_url: str) -> Account:
        address = str(credentials.config.get("webhook_url", ""))
        try:
            await reach(address)
        except OutgoingError as error:
            raise ConfigError(str(error)) from None
        return Account(name=check_url(address).host or "", external_id=self.account_id(credentials))

    def account_id(self, credentials: Credentials) -> str:
        """The task id: callers name the channel by it."""
        return str(credentials.config.get("task_id") or "")

    async def health(self, credentials: Credentials, *, webhook_url: str) -> Health:
        try:
            await reach(str(credentials.config.get("webhook_url", "")))
        except OutgoingError as error:
            return Health(ok=False, text=gettext("The webhook cannot be called: %(reason)s") % {"reason": error})
        return Health(ok=True)

    async def download(self, credentials: Credentials, external: str) -> bytes:
        """A file that the other system named by its address."""
        try:
            reply = await fetch(OutgoingRequest("GET", external, timeout=FILE_SECONDS, max_bytes=FILE_BYTES, allow_redirects=True))
        except RefusedError as error:
            raise BadContentError(str(error)) from None
        except OutgoingError as error:
            raise RetryError(str(error)) from None
        if not reply.ok:
            failure = RetryError if reply.status >= 500 else BadContentError  # noqa: PLR2004
            raise failure(gettext("The file's address answered %(status)s.") % {"status": reply.status})
        return reply.body

    async def send(self, credentials: Credentials, chat_id: str, content: Content) -> Sent:
        return Sent(external_ids=(await hand_over(credentials, chat_id, content),))


def _said(payload: dict[str, Any]) -> Inbound:
    """The caller's own id of a message makes its repeat harmless; without one every call is a new message."""
    chat_id, own_id = str(payload["chat_id"]), str(payload.get("client_message_id") or payload.get("idempotency_key") or "")
    text = str(payload.get("message") or "")
    shared: dict[str, Any] = {
        "event_key": f"m:{chat_id}:{own_id}" if own_id else f"x:{uuid.uuid4().hex}", "chat_id": chat_id, "external_id": own_id, "text": text,
        "profile": {name: str(payload[name]) for name in PROFILE if payload.get(name)},
    }  # fmt: skip
    if payload.get("action_id"):
        return Inbound(kind="button", button=str(payload["action_id"]), **shared)
    if payload.get("start"):
        return Inbound(kind="start", payload=str(payload["start"]), **shared)
    media = tuple(_media(item) for item in payload.get("attachments") or ())
    return Inbound(kind="message" if text or media else "unknown", media=media, **shared)


def _media(item: dict[str, Any]) -> Media:
    kind = str(item.get("type") or "file")
    known = kind if kind in Api.capabilities.media else "file"
    url = str(item["url"])
    return Media.model_validate({"kind": known, "url": url, "external": url, "name": str(item.get("name") or "")})


def _report(payload: dict[str, Any]) -> Inbound:
    status: Receipt = next(known for known in get_args(Receipt) if known == payload["status"])
    message_id, chat_id = str(payload["message_id"]), str(payload.get("chat_id") or "")
    key, reason = f"s:{message_id}:{status}", str(payload.get("reason") or "")
    return Inbound(event_key=key, chat_id=chat_id, kind="receipt", receipt=status, reply_to=message_id, text=reason)
