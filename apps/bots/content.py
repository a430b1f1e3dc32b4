"""What can be said: one neutral shape for every messenger, as JSON in the database and as these classes in code.

{"text": "…", "format": "plain" | "html",
 "buttons": [[{"id": "ok", "kind": "callback|url|contact|location", "label": "…", "url": "…", "value": "…"}]],
 "keyboard": "inline" | "reply" | "remove",
 "media": [{"kind": "image|video|audio|voice|file|sticker", "url": "…", "name": "…", "mime": "…", "caption": "…", "attachment": 12,
             "file": "price-list"}],
 "location": {"latitude": 1.0, "longitude": 2.0, "title": "…"}, "contact": {"phone": "…", "name": "…"},
 "typing": 2.0, "edit": "external id of the message to edit", "silent": false}

Every key may be absent. `kind: callback` buttons come back as `Inbound.button`; their real value stays in our database.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Button(Part):
    """`id` is stable and routes; `label` is localised text; `token` is filled at sending time (`b:<base62>.<n>`, at most 40 bytes)."""

    id: str
    kind: Literal["callback", "url", "contact", "location"] = "callback"
    label: str
    url: str = ""
    value: str = ""
    token: str = ""


class Media(Part):
    """`url` is a public address, or `file` the key of one of the business's files, or `attachment` the id of a file of a chat; `external` a
    messenger's reusable file id; `uid` names a received file in our own storage.

    `data` is filled at sending time with the bytes of the file, and never stored.
    """

    kind: Literal["image", "video", "audio", "voice", "file", "sticker"]
    url: str = ""
    name: str = ""
    mime: str = ""
    caption: str = ""
    attachment: int | None = None
    file: str = ""
    external: str = ""
    uid: str = ""
    size: int | None = None
    data: bytes | None = Field(default=None, exclude=True, repr=False)


class Location(Part):
    latitude: float
    longitude: float
    title: str = ""


class Contact(Part):
    phone: str
    name: str = ""
    own: bool = False


class Content(Part):
    """`context` is filled at sending time and never stored: what a messenger that is a system wants to know about the message beyond
    its words (`channels.md` 12: message_id, thread_id, trace_id, contacts, …).
    """

    text: str = ""
    format: Literal["plain", "html"] = "plain"
    buttons: list[list[Button]] = Field(default_factory=list)
    keyboard: Literal["inline", "reply", "remove"] = "inline"
    media: list[Media] = Field(default_factory=list)
    location: Location | None = None
    contact: Contact | None = None
    typing: float = 0
    edit: str = ""
    silent: bool = False
    context: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)

    def flat_buttons(self) -> list[Button]:
        return [button for row in self.buttons for button in row]

    def dump(self) -> dict[str, object]:
        """The JSON to store: only what was set."""
        return self.model_dump(exclude_defaults=True)
