"""Telegram's refusals in our words: what happens next decides the class (`channels.md` 3, Errors)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils.translation import gettext as _
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError, TimedOut

from apps.bots.adapter import (
    BadContentError,
    ChatMigratedError,
    ConfigError,
    RateLimitedError,
    RecipientGoneError,
    RetryError,
    SendError,
)
from apps.bots.telegram.transport import UncertainError

NOBODY_THERE = ("chat not found", "user not found", "peer_id_invalid", "user_id_invalid", "user is deactivated", "chat_id is empty")
LONGEST_DESCRIPTION = 300


@contextmanager
def in_our_words(*, chat_id: str = "", setting_up: bool = False) -> Iterator[None]:
    """Raise Telegram's errors as `SendError`s, without the cause: its text may hold the token."""
    try:
        yield
    except TelegramError as error:
        raise translated(error, chat_id=chat_id, setting_up=setting_up) from None


def translated(error: TelegramError, *, chat_id: str = "", setting_up: bool = False) -> SendError:
    """The `SendError` for an error of a call about `chat_id`, or (`setting_up`) about the bot's own settings.

    `BadRequest` and `TimedOut` are subclasses of `NetworkError` and must be asked for first, or bad content is retried for ever.
    """
    if isinstance(error, RetryAfter):
        return _flood(error, chat_id)
    if isinstance(error, ChatMigrated):
        return ChatMigratedError(_("The group became a supergroup with a new id."), chat_id=str(error.new_chat_id))
    if isinstance(error, InvalidToken):
        return ConfigError(_("Telegram does not know this token. Get a valid one from @BotFather and save it in the channel."))
    if isinstance(error, Conflict):
        return ConfigError(_("Another program receives this bot's updates. Stop it, or give this channel a bot of its own."))
    if isinstance(error, Forbidden):
        return RecipientGoneError(_("Telegram does not deliver to this chat: %(reason)s") % {"reason": _description(error)})
    if isinstance(error, BadRequest):
        return _refused(error, setting_up=setting_up)
    if isinstance(error, TimedOut | UncertainError):
        return RetryError(_description(error), doubtful=True)
    return RetryError(_description(error), doubtful=not isinstance(error, NetworkError))


def _flood(error: RetryAfter, chat_id: str) -> RateLimitedError:
    """The library will change seconds from `int` to `timedelta`. A group has a limit of its own, so only the group waits."""
    given: int | timedelta = error.retry_after
    seconds = given.total_seconds() if isinstance(given, timedelta) else float(given)
    reason = _("Telegram asks to wait %(seconds)s s.") % {"seconds": f"{seconds:g}"}
    return RateLimitedError(reason, retry_after=seconds, chat_only=chat_id.startswith("-"))


def _refused(error: BadRequest, *, setting_up: bool) -> SendError:
    reason = {"reason": _description(error)}
    if setting_up:
        return ConfigError(_("Telegram refuses the settings: %(reason)s") % reason)
    if any(words in error.message.lower() for words in NOBODY_THERE):
        return RecipientGoneError(_("Telegram does not deliver to this chat: %(reason)s") % reason)
    return BadContentError(_("Telegram refuses the message: %(reason)s") % reason)


def _description(error: TelegramError) -> str:
    return error.message[:LONGEST_DESCRIPTION]
