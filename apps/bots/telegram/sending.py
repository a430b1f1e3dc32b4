"""One neutral content as one call of the Bot API (after an optional "typing…")."""

import asyncio
import contextlib
from typing import Any

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import ChatAction, FileSizeLimit, ParseMode
from telegram.error import BadRequest, TelegramError

from apps.bots import markup
from apps.bots.adapter import BadContentError, Sent
from apps.bots.content import Button, Content, Location, Media

TYPING_REPEAT_SECONDS = 4
LONGEST_TYPING_SECONDS = 15
CALLBACK_BYTES = 64
METHODS = {"image": "photo", "video": "video", "audio": "audio", "voice": "voice", "file": "document", "sticker": "sticker"}
ALBUM_ITEMS: dict[str, Any] = {"image": InputMediaPhoto, "video": InputMediaVideo, "audio": InputMediaAudio, "file": InputMediaDocument}
BAD_PICTURE = ("photo_invalid_dimensions", "image_process_failed", "photo_ext_invalid", "photo_save_file_invalid")

ReplyMarkup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove


async def deliver(bot: Bot, chat_id: str, content: Content, *, previews: bool = True) -> Sent:
    """Send what fits into one message. Raises Telegram's own errors, and `BadContentError` for what no messenger could send."""
    if content.typing:
        await _show_typing(bot, chat_id, content.typing)
    options: dict[str, Any] = {"chat_id": chat_id, "reply_markup": keyboard(content, private=not chat_id.startswith("-"))}
    if content.edit:
        return await _edit(bot, content, options, previews=previews)
    if content.silent:
        options["disable_notification"] = True
    if len(content.media) > 1:
        return await _album(bot, content, options)
    if content.media:
        return await _file(bot, content, options)
    if content.location:
        return _sent(await _place(bot, content.location, options))
    if content.contact:
        name = content.contact.name or content.contact.phone
        return _sent(await bot.send_contact(phone_number=content.contact.phone, first_name=name, **options))
    if content.text:
        if not previews:
            options["link_preview_options"] = LinkPreviewOptions(is_disabled=True)
        return _sent(await _formatted(bot, "send_message", "text", content.text, content, options))
    if content.typing:
        return Sent(external_ids=())
    raise BadContentError("The message is empty.")


def _sent(message: Message) -> Sent:
    return Sent(external_ids=(str(message.message_id),), files=_files_of(message))


def _files_of(message: Message) -> tuple[str, ...]:
    shown = message.effective_attachment
    file = shown[-1] if isinstance(shown, tuple) and shown else shown
    file_id = getattr(file, "file_id", None)
    return (file_id,) if isinstance(file_id, str) else ()


async def _show_typing(bot: Bot, chat_id: str, seconds: float) -> None:
    """Telegram shows it for 5 s, so it is repeated. That it cannot be shown must not keep the message back."""
    left = min(seconds, LONGEST_TYPING_SECONDS)
    while left > 0:
        with contextlib.suppress(TelegramError):
            await bot.send_chat_action(chat_id, ChatAction.TYPING)
        await asyncio.sleep(min(left, TYPING_REPEAT_SECONDS))
        left -= TYPING_REPEAT_SECONDS


async def _formatted(bot: Bot, method: str, field: str, text: str, content: Content, options: dict[str, Any]) -> Any:
    """Call a method with formatted text; if Telegram cannot read the tags, the words alone are sent."""
    call = getattr(bot, method)
    if content.format == "plain" or not text:
        return await call(**options, **({field: text} if text else {}))
    try:
        return await call(**options, **{field: text, "parse_mode": ParseMode.HTML})
    except BadRequest as error:
        if "parse entities" not in error.message.lower():
            raise
        return await call(**options, **{field: markup.plain(text)})


async def _file(bot: Bot, content: Content, options: dict[str, Any]) -> Sent:
    """One file. A picture that Telegram cannot show as one is sent as a document."""
    item = content.media[0]
    name = METHODS["file"] if item.kind == "image" and _too_big_for_picture(item) else METHODS[item.kind]
    caption = "" if item.kind == "sticker" else item.caption or content.text
    try:
        message = await _formatted(bot, f"send_{name}", "caption", caption, content, options | {name: _source(item)})
    except BadRequest as error:
        if name != "photo" or not any(words in error.message.lower() for words in BAD_PICTURE):
            raise
        message = await _formatted(bot, "send_document", "caption", caption, content, options | {"document": _source(item)})
    return _sent(message)


def _too_big_for_picture(item: Media) -> bool:
    return max(item.size or 0, len(item.data or b"")) > FileSizeLimit.PHOTOSIZE_UPLOAD


def _source(item: Media) -> str | InputFile:
    """Where Telegram gets the file from: its own copy, our bytes, or an address that it fetches itself."""
    if item.external:
        return item.external
    if item.data is not None:
        return InputFile(item.data, filename=item.name or item.kind)
    if item.url:
        return item.url
    raise BadContentError("The file has neither content nor address.")


async def _album(bot: Bot, content: Content, options: dict[str, Any]) -> Sent:
    """Several files as one group; such a group has no buttons."""
    plain = {key: value for key, value in options.items() if key != "reply_markup"}
    try:
        messages = await bot.send_media_group(media=_album_items(content, html=content.format == "html"), **plain)
    except BadRequest as error:
        if content.format == "plain" or "parse entities" not in error.message.lower():
            raise
        messages = await bot.send_media_group(media=_album_items(content, html=False), **plain)
    return Sent(
        external_ids=tuple(str(message.message_id) for message in messages),
        files=tuple(file for message in messages for file in _files_of(message)),
    )


def _album_items(content: Content, *, html: bool) -> list[Any]:
    items = []
    for index, item in enumerate(content.media):
        caption = item.caption or ("" if index else content.text)
        words = caption if html or content.format == "plain" else markup.plain(caption)
        source = item.external or item.data or item.url
        if not source:
            raise BadContentError("The file has neither content nor address.")
        named = {"filename": item.name} if item.name and isinstance(source, bytes) else {}
        items.append(ALBUM_ITEMS[item.kind](source, caption=words or None, parse_mode=ParseMode.HTML if html else None, **named))
    return items


async def _place(bot: Bot, location: Location, options: dict[str, Any]) -> Message:
    """A place; with a title it is a venue, whose address is what follows the first comma, or the coordinates."""
    if not location.title:
        return await bot.send_location(latitude=location.latitude, longitude=location.longitude, **options)
    title, _comma, address = (part.strip() for part in location.title.partition(","))
    address = address or f"{location.latitude:.5f}, {location.longitude:.5f}"
    return await bot.send_venue(latitude=location.latitude, longitude=location.longitude, title=title, address=address, **options)


async def _edit(bot: Bot, content: Content, options: dict[str, Any], *, previews: bool) -> Sent:
    """Change text and buttons of an earlier message, or only its buttons. That nothing changed is no error."""
    if not content.edit.isdigit():
        raise BadContentError("The message to edit has no id of Telegram.")
    options = options | {"message_id": int(content.edit)}
    if not isinstance(options["reply_markup"], InlineKeyboardMarkup):
        options["reply_markup"] = None
    try:
        if content.text:
            await _edit_text(bot, content, options, previews=previews)
        else:
            await bot.edit_message_reply_markup(**options)
    except BadRequest as error:
        if "message is not modified" not in error.message.lower():
            raise
    return Sent(external_ids=(content.edit,))


async def _edit_text(bot: Bot, content: Content, options: dict[str, Any], *, previews: bool) -> None:
    """A message with a file has a caption instead of a text."""
    preview = {} if previews else {"link_preview_options": LinkPreviewOptions(is_disabled=True)}
    try:
        await _formatted(bot, "edit_message_text", "text", content.text, content, options | preview)
    except BadRequest as error:
        if "there is no text in the message" not in error.message.lower():
            raise
        await _formatted(bot, "edit_message_caption", "caption", content.text, content, options)


def keyboard(content: Content, *, private: bool) -> ReplyMarkup | None:
    """What stands under the message. Only private chats may be asked for a phone or a place."""
    if content.keyboard == "remove":
        return ReplyKeyboardRemove()
    if not content.buttons:
        return None
    if content.keyboard == "inline":
        return InlineKeyboardMarkup([[_inline(button) for button in row] for row in content.buttons])
    rows = [[_reply(button, private=private) for button in row] for row in content.buttons]
    return ReplyKeyboardMarkup(rows, resize_keyboard=True, one_time_keyboard=True)


def _inline(button: Button) -> InlineKeyboardButton:
    if button.kind == "url":
        return InlineKeyboardButton(button.label, url=button.url)
    carried = button.token or button.id
    if not 1 <= len(carried.encode()) <= CALLBACK_BYTES:
        raise BadContentError("A button carries more than Telegram's 64 bytes.")
    return InlineKeyboardButton(button.label, callback_data=carried)


def _reply(button: Button, *, private: bool) -> KeyboardButton:
    return KeyboardButton(
        button.label,
        request_contact=(button.kind == "contact" and private) or None,
        request_location=(button.kind == "location" and private) or None,
    )
