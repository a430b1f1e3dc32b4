"""The contract of a messenger: one class in one file of `apps/bots/channels/`. Imports no Django, as the pure engine stands on it too."""

# ruff: noqa: ARG002 - a contract names arguments that only its implementations use

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from apps.bots.content import Content, Media


@dataclass(frozen=True)
class Capabilities:
    """One row of `channels.md` 1.1 and 1.2: what the messenger can show and its limits. 0 means "cannot".

    Characters are counted as UTF-16 code units, the widest way in which a messenger counts. `html`: understands `Content.format` html.
    `album`: how many files one message may hold. `caption_chars` is the text beside a file.
    """

    text_chars: int
    html: bool = False
    caption_chars: int = 0
    inline_buttons: int = 0
    reply_buttons: int = 0
    buttons_per_row: int = 0
    label_chars: int = 0
    callback_bytes: int = 0
    url_buttons: bool = False
    media: frozenset[str] = frozenset()
    media_bytes: int = 0
    album: int = 1
    location: bool = False
    contact: bool = False
    phone_request: bool = False
    location_request: bool = False
    edit: bool = False
    typing_seconds: float = 0
    delivery_receipts: bool = False
    read_receipts: bool = False
    window_hours: int = 0


@dataclass(frozen=True)
class Rate:
    """Messages per second for the whole channel, the shortest time between two to one chat, and messages a minute to one group. 0 = no limit."""

    per_second: float = 0
    per_chat_seconds: float = 0
    per_group_minute: int = 0

    @property
    def limited(self) -> bool:
        """Whether anything has to wait for its turn."""
        return bool(self.per_second or self.per_chat_seconds)


InboundKind = Literal["message", "button", "start", "edited", "receipt", "blocked", "unblocked", "migrated", "typing", "unknown"]


@dataclass(frozen=True)
class Inbound:
    """One thing that a messenger told us, in neutral words.

    `event_key` is unique within the channel (`channels.md` 2.3) and makes a repeated delivery harmless. `chat_id` is text on every channel.
    `message`: `text` and/or `media`, `location`, `contact`. `button`: `button` is the token that we gave (or "" and `text` the label when the
    messenger returns only the label); `reply_to` the external id of our message; `callback_id` what must be acknowledged. `start`: `payload`
    of a deep link (may be ""). `album`: files sent together come as several messages that share it. `receipt`: `receipt` delivered/read/failed for `reply_to`. `migrated`: `payload` is the new chat id.
    `profile`: name, first_name, last_name, username, language, phone (claimed) as far as told.
    """

    event_key: str
    chat_id: str
    kind: InboundKind
    text: str = ""
    button: str = ""
    callback_id: str = ""
    reply_to: str = ""
    payload: str = ""
    receipt: Literal["", "delivered", "read", "failed"] = ""
    media: tuple[Media, ...] = ()
    album: str = ""
    location: dict[str, float] | None = None
    contact: dict[str, Any] | None = None
    external_id: str = ""
    occurred_at: datetime | None = None
    profile: dict[str, str] = field(default_factory=dict)
    group: bool = False


class SendError(Exception):
    """Typed by what happens next; `reason` is for people and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RetryError(SendError):
    """Temporary: try again with back-off. `doubtful` = the messenger may have taken it."""

    def __init__(self, reason: str, *, doubtful: bool = False) -> None:
        super().__init__(reason)
        self.doubtful = doubtful


class RateLimitedError(SendError):
    """Nothing may be sent to this chat (`chat_only`) or channel for `retry_after` seconds; does not count as an attempt."""

    def __init__(self, reason: str, *, retry_after: float, chat_only: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.chat_only = chat_only


class WindowClosedError(SendError):
    """The messenger's service window is over; only a template may be sent."""


class RecipientGoneError(SendError):
    """Blocked, deactivated, never started: the lead becomes inactive until it writes again."""


class ChatMigratedError(SendError):
    """The chat has a new id; the message is sent there."""

    def __init__(self, reason: str, *, chat_id: str) -> None:
        super().__init__(reason)
        self.chat_id = chat_id


class BadContentError(SendError):
    """The messenger refuses this content for good."""


class ConfigError(SendError):
    """The channel itself is wrong (token revoked, two consumers): the channel turns red and pauses."""


class VerificationError(Exception):
    """The webhook is not the messenger's: answered 401/403, nothing stored."""


@dataclass(frozen=True)
class Credentials:
    """A channel as an adapter sees it: its public configuration and its decrypted secrets. Never log it."""

    channel_id: int
    config: Mapping[str, Any]
    secrets: Mapping[str, str]
    webhook_secret: str = ""

    def __repr__(self) -> str:
        return f"Credentials(channel_id={self.channel_id})"


@dataclass(frozen=True)
class Request:
    """A webhook as it came: raw bytes first, header names in lower case."""

    method: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """What the messenger says that we are connected as. `link` is the address of the chat for people."""

    name: str
    external_id: str = ""
    username: str = ""
    link: str = ""


@dataclass(frozen=True)
class Sent:
    """External ids of what was sent, in order; the last one carries the buttons. `files`: the messenger's reusable ids of the media,
    in the order of `Content.media`, for `Media.external` next time.
    """

    external_ids: tuple[str, ...]
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Polled:
    """Raw updates for `parse`, in order, and the offset that confirms them once they are stored."""

    updates: tuple[dict[str, Any], ...]
    offset: int


@dataclass(frozen=True)
class Health:
    """How the messenger sees our connection. `text` says to people what is wrong and what to do; `pending`: updates that wait there."""

    ok: bool
    text: str = ""
    pending: int = 0


class Adapter(ABC):
    """A messenger. Instances hold no state of a channel; connections are kept by the adapter per process, keyed by credentials.
    `keeps_account`: ids of its messages are the account's own, so that a channel stays with the account that it began with.

    All `async` methods run on one persistent event loop per process; what an adapter holds open there it registers with
    `core.loop.close_at_exit`.
    """

    kind: ClassVar[str]
    label: ClassVar[Any]
    icon: ClassVar[str] = "chat"
    lead_prefix: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    rate: ClassVar[Rate] = Rate()
    polls: ClassVar[bool] = False
    keeps_account: ClassVar[bool] = False
    outside: ClassVar[bool] = True
    wants_context: ClassVar[bool] = False
    knows_repeats: ClassVar[bool] = False  # a message that arrives twice is recognised there by its id, so that a repeat makes no copy

    class Config(BaseModel):
        """Public configuration of a channel; the admin's form is made from this model's fields: title and description are English
        (`gettext_noop`), to be translated when shown.
        """

    class Secrets(BaseModel):
        """Secret configuration; every field is text, stored encrypted, shown masked."""

    @abstractmethod
    def parse(self, payload: dict[str, Any]) -> list[Inbound]:
        """Neutral updates of one webhook body or polled update, in order; `unknown` ones too, so that they are kept. Pure."""

    @abstractmethod
    async def send(self, credentials: Credentials, chat_id: str, content: Content) -> Sent:
        """Deliver one content that already fits `capabilities` (see `degrading.py`), or raise a `SendError`."""

    def verify(self, credentials: Credentials, request: Request) -> None:
        """Raise `VerificationError` unless the webhook is the messenger's own. The default refuses everything (fail closed)."""
        raise VerificationError("This channel takes no webhooks.")

    async def activate(self, credentials: Credentials, *, webhook_url: str) -> Account:
        """Check the credentials with the messenger and register the webhook (`webhook_url` "" = none, poll). Raises `SendError`."""
        return Account(name=str(self.label))

    def account_id(self, credentials: Credentials) -> str:
        """The `Account.external_id` that these credentials are for, told without asking; "" when they do not tell it."""
        return ""

    def deep_link(self, account: Account, token: str) -> str:
        """Address that opens the chat and hands us `token`; "" when the messenger has none."""
        return ""

    def app_link(self, account: Account, token: str) -> str:
        """The same as an address that opens the messenger's program itself; "" when there is none."""
        return ""

    async def health(self, credentials: Credentials, *, webhook_url: str) -> Health:
        """Ask the messenger how our connection is. Raises `SendError` when it cannot be asked."""
        return Health(ok=True)

    async def acknowledge(self, credentials: Credentials, callback_id: str) -> None:
        """Tell the messenger that a button press arrived (`Inbound.callback_id`); one that is too old is no error."""
        return

    async def download(self, credentials: Credentials, external: str) -> bytes:
        """The bytes behind `Media.external` of something received, at most 20 MB. Raises `SendError`."""
        raise BadContentError("Files of this channel cannot be fetched.")

    async def poll(self, credentials: Credentials, *, offset: int) -> Polled:
        """Wait for updates (only where `polls`); `offset` 0 begins with the oldest. What came before `offset` is forgotten there."""
        return Polled(updates=(), offset=offset)
