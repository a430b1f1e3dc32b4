"""The chat on a web page (`channels.md` 11): our own channel, so that what is said is simply what the visitor's page reads."""

import uuid
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field, ValidationError, field_validator

from apps.bots.adapter import Adapter, Capabilities, Credentials, Inbound, Sent
from apps.bots.content import Content, Media
from apps.bots.origins import Rule

PROFILE = ("name", "first_name", "last_name", "username", "language", "phone", "email")
MEGABYTE = 1024 * 1024


class Widget(Adapter):
    """Visitors are known by a token that the page's API checks; there is no webhook.

    A payload is what a visitor's call says, plus what its token says: `chat_id` and `profile`. `type` is one of
    `text` {client_message_id, text}, `action` {client_message_id, action_id, message_id?, text?}, `file` {client_message_id, media: […], text?},
    `contact` {client_message_id, phone, name?}, `location` {client_message_id, latitude, longitude}, `start` {client_message_id, start},
    `receipt` {message_id, status: delivered|read}, `typing` {client_message_id}.
    """

    kind = "widget"
    label = _("Web chat")
    icon = "chat"
    lead_prefix = "WEB"
    outside = False
    capabilities = Capabilities(
        text_chars=10_000, html=True, caption_chars=2000, inline_buttons=20, reply_buttons=20, buttons_per_row=3, label_chars=60,
        callback_bytes=512, url_buttons=True, media=frozenset({"image", "video", "audio", "voice", "file", "sticker"}),
        media_bytes=20 * MEGABYTE, album=10, location=True, contact=True, phone_request=True, location_request=True, edit=True,
        typing_seconds=5, delivery_receipts=True, read_receipts=True,
    )  # fmt: skip

    class Config(BaseModel):
        title: str = Field(
            default="", max_length=60, title=gettext_noop("Title"), description=gettext_noop("Above the chat, e.g. your shop's name.")
        )
        greeting: str = Field(
            default="", max_length=300, title=gettext_noop("Greeting"), description=gettext_noop("Shown before the visitor writes.")
        )
        color: str = Field(
            default="#2563eb", pattern=r"^#[0-9a-fA-F]{6}$", title=gettext_noop("Colour"),
            description=gettext_noop("Of the button and the visitor's messages, like #2563eb."),
        )  # fmt: skip
        allowed_hosts: list[str] = Field(
            default_factory=list, title=gettext_noop("Allowed pages"),
            description=gettext_noop(
                "Exact hosts of the pages that may show the chat, one a line: shop.example means https://shop.example. "
                "Write http:// or a port where needed (http://test.example:8080); *.shop.example means its subdomains. Without any no other page may."
            ),
        )  # fmt: skip

        @field_validator("allowed_hosts")
        @classmethod
        def _are_hosts(cls, hosts: list[str]) -> list[str]:
            wrong = next((host for host in hosts if Rule.parse(host) is None), None)
            if wrong is not None:
                raise ValueError(
                    gettext("“%(host)s” is no host of a web page. Write it like shop.example, without a path.") % {"host": wrong}
                )
            return hosts

    class Secrets(BaseModel):
        identity_secret: str = Field(
            default="", title=gettext_noop("Identity secret"),
            description=gettext_noop("Your server signs the ids of signed-in users with it. Without one all visitors stay anonymous."),
        )  # fmt: skip
        identity_secret_previous: str = Field(
            default="",
            title=gettext_noop("Previous identity secret"),
            description=gettext_noop("Still accepted while you change to a new one."),
        )

    def parse(self, payload: dict[str, Any]) -> list[Inbound]:
        try:
            fields = READERS[str(payload.get("type"))](payload)
            return [Inbound(chat_id=str(payload["chat_id"]), profile=_profile(payload), **fields)]
        except (AttributeError, KeyError, TypeError, ValueError, ValidationError):
            return [Inbound(event_key=f"x:{uuid.uuid4().hex}", chat_id=str(payload.get("chat_id") or ""), kind="unknown")]

    async def send(self, credentials: Credentials, chat_id: str, content: Content) -> Sent:
        """Nothing leaves: the stored message is the message. Its id is the one that the page shows."""
        message_id = content.context.get("message_id")
        return Sent(external_ids=(f"m_{message_id}" if message_id else f"w_{uuid.uuid4().hex}",))


def _profile(payload: dict[str, Any]) -> dict[str, str]:
    told = payload.get("profile") or {}
    return {key: str(told[key]) for key in PROFILE if told.get(key)}


def _said(payload: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
    """The visitor's own id of a message makes its repeat harmless."""
    own_id = str(payload["client_message_id"])
    return {"event_key": f"m:{payload['chat_id']}:{own_id}", "external_id": own_id, **fields}


def _text(payload: dict[str, Any]) -> dict[str, Any]:
    return _said(payload, kind="message", text=str(payload["text"]))


def _action(payload: dict[str, Any]) -> dict[str, Any]:
    shown = {"text": str(payload.get("text") or ""), "reply_to": str(payload.get("message_id") or "")}
    return _said(payload, kind="button", button=str(payload["action_id"]), **shown)


def _file(payload: dict[str, Any]) -> dict[str, Any]:
    media = tuple(Media.model_validate(item) for item in payload["media"])
    return _said(payload, kind="message", media=media, text=str(payload.get("text") or ""))


def _contact(payload: dict[str, Any]) -> dict[str, Any]:
    """Typed by the visitor: a claim, never proof of a phone."""
    return _said(payload, kind="message", contact={"phone": str(payload["phone"]), "name": str(payload.get("name") or ""), "own": False})


def _location(payload: dict[str, Any]) -> dict[str, Any]:
    return _said(payload, kind="message", location={"latitude": float(payload["latitude"]), "longitude": float(payload["longitude"])})


def _start(payload: dict[str, Any]) -> dict[str, Any]:
    return _said(payload, kind="start", payload=str(payload.get("start") or ""))


def _receipt(payload: dict[str, Any]) -> dict[str, Any]:
    status, message_id = str(payload["status"]), str(payload["message_id"])
    if status not in {"delivered", "read"}:
        raise ValueError(status)
    return {"event_key": f"s:{payload['chat_id']}:{message_id}:{status}", "kind": "receipt", "receipt": status, "reply_to": message_id}


def _typing(payload: dict[str, Any]) -> dict[str, Any]:
    return _said(payload, kind="typing")


READERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "text": _text, "action": _action, "file": _file, "contact": _contact, "location": _location, "start": _start, "receipt": _receipt,
    "typing": _typing,
}  # fmt: skip
