"""Telegram through the Bot API (`channels.md` 3)."""

import hmac
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field
from telegram import Bot, WebhookInfo
from telegram.error import BadRequest
from telegram.helpers import create_deep_linked_url

from apps.bots.adapter import (
    Account,
    Adapter,
    BadContentError,
    Capabilities,
    ConfigError,
    Credentials,
    Health,
    Inbound,
    Polled,
    Rate,
    Request,
    Sent,
    VerificationError,
)
from apps.bots.content import Content
from apps.bots.telegram.connections import bot_of
from apps.bots.telegram.errors import in_our_words
from apps.bots.telegram.parsing import inbound
from apps.bots.telegram.sending import deliver
from apps.bots.telegram.transport import FILE_BYTES

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of the header
POLL_SECONDS = 25
MEGABYTE = 1024 * 1024


class Telegram(Adapter):
    """Webhook with a secret header, or long polling where there is no public address."""

    kind = "telegram"
    label = _("Telegram")
    icon = "send"
    lead_prefix = "TG"
    capabilities = Capabilities(
        text_chars=4096, html=True, caption_chars=1024, inline_buttons=100, reply_buttons=100, buttons_per_row=8, label_chars=64,
        callback_bytes=64, url_buttons=True, media=frozenset({"image", "video", "audio", "voice", "file", "sticker"}),
        media_bytes=50 * MEGABYTE, album=10, location=True, contact=True, phone_request=True, location_request=True, edit=True,
        typing_seconds=5,
    )  # fmt: skip
    rate = Rate(per_second=30, per_chat_seconds=1, per_group_minute=20)
    polls = True
    keeps_account = True

    class Config(BaseModel):
        previews: bool = Field(
            default=True,
            title=gettext_noop("Show previews of links"),
            description=gettext_noop("A picture and title below messages with a link."),
        )

    class Secrets(BaseModel):
        token: str = Field(
            title=gettext_noop("Bot token"), pattern=r"^[0-9]{1,19}:[A-Za-z0-9_-]{1,200}$",
            description=gettext_noop("@BotFather gives it when you make a bot: digits, a colon and letters."),
        )  # fmt: skip

    def verify(self, credentials: Credentials, request: Request) -> None:
        expected, given = credentials.webhook_secret, request.headers.get(SECRET_HEADER, "")
        if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
            raise VerificationError("The secret header is missing or wrong.")

    def parse(self, payload: dict[str, Any]) -> list[Inbound]:
        return [inbound(payload)]

    async def send(self, credentials: Credentials, chat_id: str, content: Content) -> Sent:
        with in_our_words(chat_id=chat_id):
            return await deliver(bot_of(credentials), chat_id, content, previews=credentials.config.get("previews", True))

    async def activate(self, credentials: Credentials, *, webhook_url: str) -> Account:
        """Connected as whom? Then the webhook is set, or taken away so that polling works."""
        if webhook_url and not credentials.webhook_secret:
            raise ConfigError(gettext("The channel has no webhook secret. Save the channel again."))
        bot = bot_of(credentials)
        with in_our_words(setting_up=True):
            me = await bot.get_me()
            await _register(bot, webhook_url, credentials.webhook_secret)
        username = me.username or ""
        return Account(name=me.full_name, external_id=str(me.id), username=username, link=f"https://t.me/{username}")

    async def health(self, credentials: Credentials, *, webhook_url: str) -> Health:
        with in_our_words(setting_up=True):
            info = await bot_of(credentials).get_webhook_info()
        problem = _problem(info, webhook_url)
        return Health(ok=not problem, text=problem, pending=info.pending_update_count)

    async def acknowledge(self, credentials: Credentials, callback_id: str) -> None:
        with in_our_words():
            try:
                await bot_of(credentials).answer_callback_query(callback_id)
            except BadRequest as error:
                if "query is too old" not in error.message.lower():
                    raise

    async def download(self, credentials: Credentials, external: str) -> bytes:
        with in_our_words():
            file = await bot_of(credentials).get_file(external)
            if (file.file_size or 0) > FILE_BYTES:
                raise BadContentError(gettext("The file is larger than the 20 MB that Telegram gives to bots."))
            return bytes(await file.download_as_bytearray())

    async def poll(self, credentials: Credentials, *, offset: int) -> Polled:
        """Raw updates: what we do not know yet must be kept as it came. (For the lower case see `sending.call`.)"""
        asked = {"timeout": POLL_SECONDS, "allowed_updates": ALLOWED_UPDATES, **({"offset": offset} if offset else {})}
        with in_our_words(setting_up=True):
            updates: list[dict[str, Any]] = await bot_of(credentials).do_api_request("getupdates", asked, read_timeout=POLL_SECONDS + 10)
        return Polled(updates=tuple(updates), offset=max((update["update_id"] + 1 for update in updates), default=offset))

    def account_id(self, credentials: Credentials) -> str:
        return credentials.secrets.get("token", "").partition(":")[0]

    def deep_link(self, account: Account, token: str) -> str:
        return create_deep_linked_url(account.username, token) if account.username else ""

    def app_link(self, account: Account, token: str) -> str:
        return f"tg://resolve?domain={account.username}&start={token}" if account.username else ""


async def _register(bot: Bot, webhook_url: str, secret: str) -> None:
    if webhook_url:
        await bot.set_webhook(webhook_url, secret_token=secret, allowed_updates=ALLOWED_UPDATES)
    else:
        await bot.delete_webhook()


def _problem(info: WebhookInfo, webhook_url: str) -> str:
    """What is wrong with the registered webhook, in words for people; "" when nothing is."""
    if info.url != webhook_url:
        return gettext("Telegram sends the updates elsewhere. Save the channel to connect it again.")
    if info.last_error_message and info.pending_update_count:
        waiting = {"count": info.pending_update_count, "error": info.last_error_message}
        return gettext("Telegram cannot reach us, %(count)s updates wait: %(error)s") % waiting
    return ""
