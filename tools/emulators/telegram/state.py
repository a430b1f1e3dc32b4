"""What the emulated Telegram knows: bots, the chats that each of them has, messages, files and waiting updates."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

KEPT_MESSAGES = 200
DEFAULT_UPDATES = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "callback_query",
        "my_chat_member",
        "inline_query",
        "chosen_inline_result",
        "shipping_query",
        "pre_checkout_query",
        "poll",
        "poll_answer",
    }
)
"""Kinds of updates that a bot gets when it has named none (Bot API: all but chat_member and the reactions)."""


@dataclass
class StoredFile:
    """A file that a bot or a person uploaded; `url` files are accepted without their bytes."""

    file_id: str
    unique_id: str
    name: str
    mime: str
    data: bytes

    @property
    def path(self) -> str:
        return f"files/{self.unique_id}/{self.name}"


@dataclass
class Chat:
    """A chat as one bot sees it. `keyboard` is the reply keyboard that the person sees now."""

    id: int
    kind: str
    title: str = ""
    person: Json = field(default_factory=dict)
    blocked: bool = False
    migrated_to: int | None = None
    keyboard: Json | None = None
    actions: list[str] = field(default_factory=list)
    messages: dict[int, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.json: Json = {"id": self.id, "type": self.kind}
        if self.kind == "private":
            self.json.update({key: self.person[key] for key in ("first_name", "last_name", "username") if key in self.person})
        else:
            self.json["title"] = self.title or f"Group {abs(self.id)}"

    def keep(self, message: Json) -> None:
        """Remember a message for later edits; the oldest fall out so that load tests do not grow without bound."""
        self.messages[message["message_id"]] = message
        if len(self.messages) > KEPT_MESSAGES:
            del self.messages[next(iter(self.messages))]


@dataclass
class Webhook:
    """Where updates are posted, and how the last attempts went (as `getWebhookInfo` tells it)."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    last_error_date: int = 0
    last_error_message: str = ""


@dataclass
class Poll:
    """One waiting `getUpdates` call; a second one supersedes it."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)
    superseded: bool = False


@dataclass
class Bot:
    """One bot and everything that only it can see."""

    id: int
    token: str
    username: str
    name: str
    revoked: bool = False
    chats: dict[int, Chat] = field(default_factory=dict)
    updates: dict[int, Json] = field(default_factory=dict)
    history: dict[int, Json] = field(default_factory=dict)
    allowed: frozenset[str] = DEFAULT_UPDATES
    webhook: Webhook = field(default_factory=Webhook)
    poll: Poll | None = None
    queries: dict[str, Json] = field(default_factory=dict)
    answers: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.json: Json = {"id": self.id, "is_bot": True, "first_name": self.name, "username": self.username}
        self.message_ids = itertools.count(1)
        self.update_ids = itertools.count(700_001)

    def confirm(self, offset: int) -> None:
        """Forget the updates before `offset`; a negative offset keeps only that many of the newest."""
        if offset < 0:
            keep = list(self.updates)[offset:]
            self.updates = {key: self.updates[key] for key in keep}
        else:
            for key in [key for key in self.updates if key < offset]:
                del self.updates[key]


@dataclass
class Options:
    """How the emulator behaves for everybody.

    `delay`: seconds before every answer. `closed`: a bot may write only to people who wrote first. `enforce_rates`: answer 429 over
    Telegram's published rates. `webhook_retry`: seconds before the first repeat of a failed webhook (Telegram: 1), doubled each time.
    """

    delay: float = 0
    closed: bool = False
    enforce_rates: bool = False
    webhook_retry: float = 1.0


@dataclass
class World:
    """Everything in one emulator process."""

    options: Options = field(default_factory=Options)
    bots: dict[str, Bot] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    paths: dict[str, StoredFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file_ids = itertools.count(1)

    def bot(self, token: str) -> Bot | None:
        """The bot of a token; an unknown but well-formed token makes a new bot, as if BotFather had just issued it."""
        known = self.bots.get(token)
        if known or not well_formed(token):
            return known
        number = token.partition(":")[0]
        bot = self.bots[token] = Bot(id=int(number), token=token, username=f"emulated_{number}_bot", name=f"Emulated {number}")
        return bot

    def store(self, *, data: bytes, name: str, mime: str) -> StoredFile:
        """Keep a file under a new `file_id`."""
        number = next(self.file_ids)
        safe_name = name.replace("/", "_") or "file"
        stored = StoredFile(file_id=f"EmuFile{number:08d}", unique_id=f"u{number:08d}", name=safe_name, mime=mime, data=data)
        self.files[stored.file_id] = stored
        self.paths[stored.path] = stored
        return stored


def well_formed(token: str) -> bool:
    """`<digits>:<secret>`, the only shape of token that Telegram looks up at all."""
    number, colon, secret = token.partition(":")
    return bool(colon and secret) and number.isascii() and number.isdigit() and len(number) <= 19  # noqa: PLR2004


def new_chat(chat_id: int) -> Chat:
    """A chat that nobody described: a person for a positive id, a (super)group for a negative one."""
    if chat_id > 0:
        person = {"id": chat_id, "is_bot": False, "first_name": f"Person {chat_id}", "language_code": "en"}
        return Chat(id=chat_id, kind="private", person=person)
    return Chat(id=chat_id, kind="supergroup" if str(chat_id).startswith("-100") else "group")
